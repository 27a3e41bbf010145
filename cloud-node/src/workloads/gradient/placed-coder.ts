import { CodeBody, isDenseCode, ROOM_BYTES } from "./code-body.ts";
import { type CoderAreas, reserveAreas } from "./coder-areas.ts";
import { type CoderControl, type CoderMode, LARGEST_CODE, largestCode, modeProblem } from "./coder-mode.ts";
import type { GradientCore } from "./gradient-core.ts";
import { GradientError } from "./gradient-error.ts";
import { type GradientTensor, layoutCount, type PlacedTensor, placeTensors } from "./gradient-layout.ts";
import {
  type CodeKind,
  HEAD_BYTES,
  type MessageHead,
  readMessage,
  roundExcess,
  writeMessage,
} from "./gradient-message.ts";
import { chooseSteps } from "./step-choice.ts";

/** Where values lie in a bin below the last one: less of them are large. */
const BIN_PLACE = 0.42;

/** Units of all coordinates, in the kernel's memory. */
export interface PlacedUnits {
  /** Address of f32, (N). */
  readonly at: number;
  /** What both ends must have alike, u16. */
  readonly digest: number;
}

/** What an encoder is told beside values and units; see `CoderControl`. */
export type EncoderChoice = Pick<CoderControl, "steps" | "included">;

/**
 * Codes numbers that lie in its kernel's memory, by address, and copies none of them. `GradientCoder` is the same for arrays.
 *
 * What it sent last it still has until it encodes again, whatever it decodes meanwhile.
 */
export class PlacedCoder {
  /** May be changed between any two messages: each says how it is coded. */
  mode: CoderMode;
  readonly core: GradientCore;
  readonly tensors: readonly PlacedTensor[];
  readonly count: number;
  readonly #seed: number;
  readonly #layout: number;
  readonly #areas: CoderAreas;
  readonly #body: CodeBody;
  #sent: MessageHead | undefined;

  /** @throws {GradientError} `too-large` */
  constructor(core: GradientCore, layout: readonly GradientTensor[], mode: CoderMode, seed: number) {
    this.core = core;
    this.mode = mode;
    this.#seed = seed;
    this.tensors = placeTensors(layout);
    this.count = layoutCount(layout);
    const text = JSON.stringify(layout.map(({ name, shape }) => [name, shape]));
    this.#layout = core.checksum(new TextEncoder().encode(text));
    this.#areas = reserveAreas(core, this.tensors);
    this.#body = new CodeBody(core, this.#areas, this.tensors, this.count);
  }

  /** Units as a message tells of them. @param at  address of f32, (N) */
  unitsAt(at: number): PlacedUnits {
    return { at, digest: this.core.calls.digestOf(0, at, 4 * this.count) & 0xffff };
  }

  /**
   * Code values.
   *
   * @param values  address of f32, (N)
   * @param step  of the training, u32
   * @throws {GradientError} `bad-control`; `not-finite`; `too-large` where a code would not fit 16 bits
   */
  encode(values: number, units: PlacedUnits | undefined, choice: EncoderChoice, step: number): Uint8Array {
    const { mode, core, tensors } = this;
    const problem = modeProblem(mode);
    if (problem !== undefined) throw badControl(problem);
    if (step >>> 0 !== step) throw badControl(`step ${step} is no whole number of 32 bits`);
    const included = tensors.map((_, t) => choice.included?.[t] !== 0);
    const weights = units?.at ?? 0;
    const { counts } = this.#areas;
    const steps = chooseSteps({ core, counts, tensors, values, weights, given: choice.steps, included }, mode);
    const kind: CodeKind = mode.kind === "top-k" ? "threshold" : mode.kind;
    const largest = largestCode(mode);
    const { sentCount, excess } = this.#quantize({ kind, largest, steps, included, values, weights, step });
    const state = { hasWeights: units !== undefined, state: units?.digest ?? 0 };
    const isDense = isDenseCode(core, sentCount, this.count, largest);
    const head = { kind, largest, isDense, step, ...state, included, steps, layout: this.#layout, excess };
    this.#sent = head;
    return writeMessage(head, this.#body.encode(head, sentCount), (message) => core.checksum(message));
  }

  /** Steps of the message that was encoded last, per tensor, as they travel; 0 where one is left out. */
  get sentSteps(): Float32Array {
    return this.#sent?.steps ?? new Float32Array(this.tensors.length);
  }

  /** out += factor · what every decoder sees of the message that was encoded last; units as they were then. */
  addSent(units: PlacedUnits | undefined, factor: number, out: number): void {
    if (this.#sent !== undefined) this.#add(this.#sent, this.#areas.codes, units, factor, out);
  }

  /**
   * Read a message: out += factor · decoded.
   *
   * @param step  that it must be of
   * @param out  address of f32, (N); unchanged where an error is thrown
   * @throws {GradientError} as `GradientCoder.decode`
   */
  decode(message: Uint8Array, units: PlacedUnits | undefined, step: number, out: number, factor: number): void {
    const { core } = this;
    this.#checkLength(message.length);
    const { head, body } = readMessage(message, this.tensors.length, (bytes) => core.checksum(bytes));
    this.#checkHead(head, units, step);
    if (!this.#body.decode(head, body)) {
      const remedy = "it was not written by an encoder, or not with this control: ask its sender again";
      throw new GradientError("damaged", `the codes of the message of step ${step} make no sense`, remedy);
    }
    this.#add(head, this.#areas.heard, units, factor, out);
  }

  /** Nothing is read, and no memory taken, of what no encoder of this layout can have written. */
  #checkLength(bytes: number): void {
    const most = HEAD_BYTES + 3 * this.tensors.length + 4 * this.count + ROOM_BYTES;
    if (bytes <= most) return;
    const problem = `the message has ${bytes} bytes, the longest of this model ${most}`;
    throw new GradientError("too-large", problem, "train the same model on all workers");
  }

  #quantize(of: {
    readonly kind: CodeKind;
    readonly largest: number;
    readonly steps: Float32Array;
    readonly included: readonly boolean[];
    readonly values: number;
    readonly weights: number;
    readonly step: number;
  }): { readonly sentCount: number; readonly excess: number } {
    const { calls } = this.core;
    const { kind, largest, steps, included } = of;
    const seed = calls.messageSeed(this.#seed, of.step);
    const mode = Number(this.#modeNumber(kind).value);
    let [sentCount, topSum, topCount] = [0, 0, 0];
    this.tensors.forEach(({ from, count }, t) => {
      if (included[t] !== true) return;
      const [values, codes] = [of.values + 4 * from, this.#areas.codes + 2 * from];
      const weights = of.weights === 0 ? 0 : of.weights + 4 * from;
      const perStep = 1 / (steps[t] ?? 1);
      sentCount += calls.quantizeValues(values, weights, count, perStep, mode, largest, seed, from, codes);
      if (calls.allFinite.value === 0) throw notFinite();
      topSum += Number(calls.topSum.value);
      topCount += Number(calls.topCount.value);
    });
    if (kind === "error-bounded" && topCount > 0) {
      const problem = `${topCount} values are more than ${LARGEST_CODE - 1} steps from 0`;
      throw new GradientError("too-large", problem, "take larger steps");
    }
    const hasExcess = kind === "threshold" && topCount > 0;
    return { sentCount, excess: hasExcess ? roundExcess(Math.max(0, topSum / topCount - largest)) : 0 };
  }

  #modeNumber(kind: CodeKind): WebAssembly.Global {
    const { calls } = this.core;
    if (kind === "error-bounded") return calls.MODE_ERROR_BOUNDED;
    return kind === "threshold" ? calls.MODE_THRESHOLD : calls.MODE_STOCHASTIC;
  }

  #checkHead(head: MessageHead, units: PlacedUnits | undefined, step: number): void {
    if (head.layout !== this.#layout) {
      const problem = "the message is of a model with other tensors";
      throw new GradientError("other-layout", problem, "train the same model on all workers");
    }
    if (head.step !== step) {
      const problem = `the message is of step ${head.step}, expected was step ${step}`;
      throw new GradientError("other-step", problem, "hand messages over step by step");
    }
    if (head.hasWeights !== (units !== undefined) || head.state !== (units?.digest ?? 0)) {
      const problem = "the message was coded in other weights than these";
      throw new GradientError("other-state", problem, "the workers' states have come apart: take one's state for all");
    }
  }

  #add(head: MessageHead, codes: number, units: PlacedUnits | undefined, factor: number, out: number): void {
    const { calls } = this.core;
    const shift = head.kind === "threshold" ? BIN_PLACE : 0;
    const top = head.largest + head.excess;
    this.tensors.forEach(({ from, count }, t) => {
      if (head.included[t] !== true) return;
      const weights = units === undefined ? 0 : units.at + 4 * from;
      const [at, to] = [codes + 2 * from, out + 4 * from];
      calls.addValues(at, weights, count, head.steps[t] ?? 0, head.largest, shift, top, factor, to);
    });
  }
}

export function badControl(problem: string): GradientError {
  return new GradientError("bad-control", problem, "give what fits the layout and the mode");
}

function notFinite(): GradientError {
  const problem = "a value is not finite in units of its weight";
  return new GradientError("not-finite", problem, "leave this step out, or lower the learning rate");
}
