import type { CoderControl, CoderMode } from "./coder-mode.ts";
import { GradientCore } from "./gradient-core.ts";
import type { GradientTensor } from "./gradient-layout.ts";
import { badControl, PlacedCoder, type PlacedUnits } from "./placed-coder.ts";

/**
 * Codes the gradients of one model, given as arrays: every worker has one, and reads every worker's messages with it.
 *
 * Messages stand alone: what is foretold in one comes from that one, and from what both ends know before it.
 */
export class GradientCoder {
  readonly #coder: PlacedCoder;
  /** Addresses of f32, (N) each: what is coded or was decoded, and its units. */
  readonly #values: number;
  readonly #weights: number;

  /**
   * @param seed  of stochastic rounding: another one for each worker
   * @throws {GradientError} `bad-control`, `too-large`
   */
  constructor(layout: readonly GradientTensor[], mode: CoderMode, seed = 0) {
    const core = new GradientCore();
    this.#coder = new PlacedCoder(core, layout, mode, seed);
    this.#values = core.zeros(this.#coder.count);
    this.#weights = core.zeros(this.#coder.count);
  }

  /** May be changed between any two messages: each says how it is coded. */
  get mode(): CoderMode {
    return this.#coder.mode;
  }

  set mode(mode: CoderMode) {
    this.#coder.mode = mode;
  }

  /**
   * Code values.
   *
   * @param values  (N), all tensors in the layout's order
   * @param step  of the training, u32
   * @param sent  out, (N), overwritten: what every decoder will see
   * @throws {GradientError} `bad-control`; `not-finite`; `too-large` where a code would not fit 16 bits
   */
  encode(values: Float32Array, control: CoderControl, step: number, sent?: Float32Array): Uint8Array {
    this.#check(values.length, control);
    if (sent !== undefined) this.#check(sent.length, {});
    const { core } = this.#coder;
    core.write(this.#values, values);
    const units = this.#place(control);
    const message = this.#coder.encode(this.#values, units, control, step);
    if (sent !== undefined) {
      const decoded = core.floats(this.#values, sent.length).fill(0);
      this.#coder.addSent(units, 1, this.#values);
      sent.set(decoded);
    }
    return message;
  }

  /**
   * Read a message: out += factor · decoded.
   *
   * @param control  as its encoder had it; steps and included come with the message
   * @param step  that it must be of
   * @param out  (N); unchanged where an error is thrown
   * @throws {GradientError} `truncated`, `bad-checksum`, `unknown-version`, `bad-header`, `damaged`, `other-layout`, `other-step`,
   *   `other-state`, `too-large`, `bad-control`
   */
  decode(message: Uint8Array, control: CoderControl, step: number, out: Float32Array, factor: number): void {
    this.#check(out.length, control);
    const { core } = this.#coder;
    core.write(this.#values, out);
    this.#coder.decode(message, this.#place(control), step, this.#values, factor);
    out.set(core.floats(this.#values, out.length));
  }

  /** Put units where the kernel sees them. */
  #place({ weights }: CoderControl): PlacedUnits | undefined {
    if (weights === undefined) return undefined;
    this.#coder.core.write(this.#weights, weights);
    return this.#coder.unitsAt(this.#weights);
  }

  #check(values: number, { steps, weights, included }: CoderControl): void {
    const { count, tensors } = this.#coder;
    const lengths: [string, number | undefined, number][] = [
      ["values", values, count],
      ["weights", weights?.length, count],
      ["steps", steps?.length, tensors.length],
      ["included", included?.length, tensors.length],
    ];
    for (const [name, have, need] of lengths) {
      if (have !== undefined && have !== need) throw badControl(`${name} has ${have} elements, the layout ${need}`);
    }
  }
}
