import { type CoderAreas, reserveAreas } from "./coder-areas.ts";
import { type CoderControl, type CoderMode, LARGEST_CODE, largestCode, modeProblem } from "./coder-mode.ts";
import { GradientCore } from "./gradient-core.ts";
import { GradientError } from "./gradient-error.ts";
import { type GradientTensor, type PlacedTensor, placeTensors } from "./gradient-layout.ts";
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
/** A coded message is never longer than the values themselves, but for so much. */
const ROOM_BYTES = 4096;

/**
 * Codes the gradients of one model: every worker has one, and reads every worker's messages with it.
 *
 * Messages stand alone: what is foretold in one comes from that one, and from what both ends know before it.
 */
export class GradientCoder {
  /** May be changed between any two messages: each says how it is coded. */
  mode: CoderMode;
  readonly #core = new GradientCore();
  readonly #tensors: readonly PlacedTensor[];
  readonly #count: number;
  readonly #seed: number;
  readonly #layout: number;
  readonly #areas: CoderAreas;

  /**
   * @param seed  of stochastic rounding: another one for each worker
   * @throws {GradientError} `bad-control`, `too-large`
   */
  constructor(layout: readonly GradientTensor[], mode: CoderMode, seed = 0) {
    this.mode = mode;
    this.#seed = seed;
    this.#tensors = placeTensors(layout);
    this.#count = this.#tensors.reduce((sum, { count }) => sum + count, 0);
    const text = JSON.stringify(layout.map(({ name, shape }) => [name, shape]));
    this.#layout = this.#core.checksum(new TextEncoder().encode(text));
    this.#areas = reserveAreas(this.#core, this.#tensors);
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
    const { mode } = this;
    this.#check(values.length, control);
    const problem = modeProblem(mode);
    if (problem !== undefined) throw badControl(problem);
    if (sent !== undefined) this.#check(sent.length, {});
    if (step >>> 0 !== step) throw badControl(`step ${step} is no whole number of 32 bits`);
    const core = this.#core;
    core.write(this.#areas.values, values);
    const state = this.#place(control);
    const included = this.#tensors.map((_, t) => control.included?.[t] !== 0);
    const steps = chooseSteps({ core, areas: this.#areas, tensors: this.#tensors, control, included }, mode);
    const kind: CodeKind = mode.kind === "top-k" ? "threshold" : mode.kind;
    const largest = largestCode(mode);
    const { sentCount, excess } = this.#quantize(kind, largest, steps, included, control, step);
    const head: MessageHead = {
      ...{ kind, largest, step, state, included, steps, layout: this.#layout, excess },
      hasWeights: control.weights !== undefined,
    };
    const message = this.#write(head, sentCount);
    if (sent !== undefined) this.#add(head, sent.fill(0), 1);
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
    const core = this.#core;
    this.#checkLength(message.length);
    const { head, body } = readMessage(message, this.#tensors.length, (bytes) => core.checksum(bytes));
    this.#checkHead(head, control, step);
    const mark = core.mark();
    const bytesAt = core.reserve(body.length);
    core.write(bytesAt, body);
    const { work } = this.#areas;
    core.calls.openSparseDecoder(work, bytesAt, body.length, this.#count, head.largest);
    const isRead = this.#tensors.every((tensor, t) => head.included[t] !== true || this.#readTensor(tensor));
    core.release(mark);
    if (!isRead || core.calls.closeSparseDecoder() < 0) {
      const remedy = "it was not written by an encoder, or not with this control: ask its sender again";
      throw new GradientError("damaged", `the codes of the message of step ${step} make no sense`, remedy);
    }
    this.#add(head, out, factor);
  }

  #check(values: number, { steps, weights, included }: CoderControl): void {
    const lengths: [string, number | undefined, number][] = [
      ["values", values, this.#count],
      ["weights", weights?.length, this.#count],
      ["steps", steps?.length, this.#tensors.length],
      ["included", included?.length, this.#tensors.length],
    ];
    for (const [name, have, need] of lengths) {
      if (have !== undefined && have !== need) throw badControl(`${name} has ${have} elements, the layout ${need}`);
    }
  }

  /** Nothing is read, and no memory taken, of what no encoder of this layout can have written. */
  #checkLength(bytes: number): void {
    const most = HEAD_BYTES + 3 * this.#tensors.length + 4 * this.#count + ROOM_BYTES;
    if (bytes <= most) return;
    const problem = `the message has ${bytes} bytes, the longest of this model ${most}`;
    throw new GradientError("too-large", problem, "train the same model on all workers");
  }

  /** Put weights where the kernel sees them. @returns their digest, u16 */
  #place({ weights }: CoderControl): number {
    if (weights === undefined) return 0;
    this.#core.write(this.#areas.weights, weights);
    return this.#core.calls.digestOf(0, this.#areas.weights, weights.byteLength) & 0xffff;
  }

  #weightsOf({ from }: PlacedTensor, has: boolean): number {
    return has ? this.#areas.weights + 4 * from : 0;
  }

  #quantize(
    kind: CodeKind,
    largest: number,
    steps: Float32Array,
    included: readonly boolean[],
    control: CoderControl,
    step: number,
  ): { readonly sentCount: number; readonly excess: number } {
    const { calls } = this.#core;
    const seed = calls.messageSeed(this.#seed, step);
    const mode = Number(this.#modeNumber(kind).value);
    let [sentCount, topSum, topCount] = [0, 0, 0];
    this.#tensors.forEach((tensor, t) => {
      if (included[t] !== true) return;
      const [values, codes] = [this.#areas.values + 4 * tensor.from, this.#areas.codes + 2 * tensor.from];
      const weights = this.#weightsOf(tensor, control.weights !== undefined);
      const perStep = 1 / (steps[t] ?? 1);
      sentCount += calls.quantizeValues(
        values,
        weights,
        tensor.count,
        perStep,
        mode,
        largest,
        seed,
        tensor.from,
        codes,
      );
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
    const { calls } = this.#core;
    if (kind === "error-bounded") return calls.MODE_ERROR_BOUNDED;
    return kind === "threshold" ? calls.MODE_THRESHOLD : calls.MODE_STOCHASTIC;
  }

  #write(head: MessageHead, sentCount: number): Uint8Array {
    const core = this.#core;
    const { calls } = core;
    const mark = core.mark();
    const events = core.reserve(calls.eventBytes(sentCount));
    const room = 4 * this.#count + ROOM_BYTES;
    const out = core.reserve(room);
    calls.openSparseEncoder(this.#areas.work, events, this.#count, head.largest);
    this.#tensors.forEach((tensor, t) => {
      if (head.included[t] !== true) return;
      const codes = this.#codesOf(tensor);
      if (tensor.isTurned) {
        calls.transposeCodes(this.#areas.codes + 2 * tensor.from, tensor.rows, tensor.columns, codes);
      }
      calls.encodeTensor(codes, ...linesOf(tensor));
    });
    const bytes = calls.closeSparseEncoder(out, room);
    core.release(mark);
    if (bytes < 0) {
      throw new GradientError("too-large", `codes take more than ${room} bytes`, "take larger steps, or fewer bits");
    }
    return writeMessage(head, core.bytes(out, bytes).slice(), (message) => core.checksum(message));
  }

  /** Where a tensor's codes are the way round in which they are coded. */
  #codesOf({ from, isTurned }: PlacedTensor): number {
    return isTurned ? this.#areas.turnedCodes : this.#areas.codes + 2 * from;
  }

  #readTensor(tensor: PlacedTensor): boolean {
    const { calls } = this.#core;
    const codes = this.#codesOf(tensor);
    const [lines, columns] = linesOf(tensor);
    if (calls.decodeTensor(codes, lines, columns) < 0) return false;
    if (tensor.isTurned) calls.transposeCodes(codes, lines, columns, this.#areas.codes + 2 * tensor.from);
    return true;
  }

  #checkHead(head: MessageHead, control: CoderControl, step: number): void {
    if (head.layout !== this.#layout) {
      const problem = "the message is of a model with other tensors";
      throw new GradientError("other-layout", problem, "train the same model on all workers");
    }
    if (head.step !== step) {
      const problem = `the message is of step ${head.step}, expected was step ${step}`;
      throw new GradientError("other-step", problem, "hand messages over step by step");
    }
    if (head.hasWeights !== (control.weights !== undefined) || head.state !== this.#place(control)) {
      const problem = "the message was coded in other weights than these";
      throw new GradientError("other-state", problem, "the workers' states have come apart: take one's state for all");
    }
  }

  #add(head: MessageHead, out: Float32Array, factor: number): void {
    const { calls } = this.#core;
    const { values, codes } = this.#areas;
    const shift = head.kind === "threshold" ? BIN_PLACE : 0;
    this.#core.write(values, out);
    this.#tensors.forEach((tensor, t) => {
      if (head.included[t] !== true) return;
      const weights = this.#weightsOf(tensor, head.hasWeights);
      const [from, to] = [codes + 2 * tensor.from, values + 4 * tensor.from];
      const top = head.largest + head.excess;
      calls.addValues(from, weights, tensor.count, head.steps[t] ?? 0, head.largest, shift, top, factor, to);
    });
    out.set(this.#core.floats(values, this.#count));
  }
}

function linesOf({ rows, columns, isTurned }: PlacedTensor): [lines: number, columns: number] {
  return isTurned ? [columns, rows] : [rows, columns];
}

function badControl(problem: string): GradientError {
  return new GradientError("bad-control", problem, "give what fits the layout and the mode");
}

function notFinite(): GradientError {
  const problem = "a value is not finite in units of its weight";
  return new GradientError("not-finite", problem, "leave this step out, or lower the learning rate");
}
