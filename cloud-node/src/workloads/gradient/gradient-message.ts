import { GradientError } from "./gradient-error.ts";

/**
 * The head of a message, little-endian; docs/gradient-format.md has the table. What follows it is the coder's.
 *
 *     0  u32  CRC-32C of all that follows          10  u32  step of the training
 *     4  u8   version: 1                           14  u16  largest size of a code
 *     5  u8   kind | flags << 4                    16  u16  mean of the codes at the limit, beyond it, in 1/256 steps
 *     6  u32  the layout's checksum                18  u16  digest of weights
 *
 * Then, where the flags say so, a bit for each tensor that is included; and steps as bfloat16: one, or one for each of these.
 */
export const HEAD_BYTES = 20;
const VERSION = 1;
const CHECKED_FROM = 4;
const EXCESS_UNIT = 256;
const MAX_EXCESS = 65_535;
const FLAG_MASK = 1;
const FLAG_STEPS = 2;
const FLAG_WEIGHTS = 4;
const FLAG_DENSE = 8;
/** Of a code, but for those of error-bounded messages; dense codes have tables for sizes up to here. As the kernel has it. */
export const LARGEST_SIZE = 127;

/** Kinds of codes on the wire, by their number. */
export const KINDS = ["error-bounded", "threshold", "stochastic"] as const;
export type CodeKind = (typeof KINDS)[number];

/** What a message says of itself. */
export interface MessageHead {
  readonly kind: CodeKind;
  readonly layout: number;
  readonly step: number;
  readonly largest: number;
  /** Which of the two coders its codes are of. */
  readonly isDense: boolean;
  /** How far, in steps, the values of codes at the limit lie beyond it on average. Range: 0 … 255.99 */
  readonly excess: number;
  readonly hasWeights: boolean;
  readonly state: number;
  /** Per tensor. */
  readonly included: readonly boolean[];
  /** Per tensor: bfloat16; 0 where it is not included. */
  readonly steps: Float32Array;
}

/** A head that was read, and the coder's bytes behind it. */
export interface OpenedMessage {
  readonly head: MessageHead;
  readonly body: Uint8Array;
}

/** The excess as it travels. */
export function roundExcess(excess: number): number {
  return Math.min(MAX_EXCESS, Math.round(excess * EXCESS_UNIT)) / EXCESS_UNIT;
}

/** The largest bfloat16 not above a positive number. */
export function bfloatBelow(x: number): number {
  return bfloatOf(bfloatBits(x));
}

/** The smallest bfloat16 not below a positive number. */
export function bfloatAbove(x: number): number {
  const below = bfloatBelow(x);
  return below < x ? bfloatOf(bfloatBits(x) + 1) : below;
}

/** The positive number of which these are the bits. */
export function bfloatOf(bits: number): number {
  return new Float32Array(Uint32Array.of((bits << 16) >>> 0).buffer)[0] ?? 0;
}

function bfloatBits(x: number): number {
  const single = Math.fround(x);
  const bits = new Uint32Array(Float32Array.of(single).buffer)[0] ?? 0;
  return (bits >>> 16) - (single > x && bits % 65_536 === 0 ? 1 : 0);
}

/** Write a message. @param checksum  CRC-32C */
export function writeMessage(head: MessageHead, body: Uint8Array, checksum: (bytes: Uint8Array) => number): Uint8Array {
  const isWhole = head.included.every((isIn) => isIn);
  const used = head.steps.filter((_, t) => head.included[t]);
  const isShared = used.every((step) => step === used[0]);
  const maskBytes = isWhole ? 0 : Math.ceil(head.included.length / 8);
  const stepCount = isShared ? 1 : used.length;
  const bodyAt = HEAD_BYTES + maskBytes + 2 * stepCount;
  const message = new Uint8Array(bodyAt + body.length);
  const view = new DataView(message.buffer);
  const parts = (isWhole ? 0 : FLAG_MASK) | (isShared ? 0 : FLAG_STEPS);
  const flags = parts | (head.hasWeights ? FLAG_WEIGHTS : 0) | (head.isDense ? FLAG_DENSE : 0);
  view.setUint8(4, VERSION);
  view.setUint8(5, KINDS.indexOf(head.kind) | (flags << 4));
  view.setUint32(6, head.layout, true);
  view.setUint32(10, head.step, true);
  view.setUint16(14, head.largest, true);
  view.setUint16(16, head.excess * EXCESS_UNIT, true);
  view.setUint16(18, head.state, true);
  if (!isWhole) for (const [t, isIn] of head.included.entries()) setBit(message, HEAD_BYTES, t, isIn);
  for (let at = 0; at < stepCount; at += 1) {
    view.setUint16(HEAD_BYTES + maskBytes + 2 * at, bfloatBits(used[at] ?? 1), true);
  }
  message.set(body, bodyAt);
  view.setUint32(0, checksum(message.subarray(CHECKED_FROM)), true);
  return message;
}

function setBit(bytes: Uint8Array, from: number, index: number, isOn: boolean): void {
  const at = from + (index >> 3);
  bytes[at] = (bytes[at] ?? 0) | (Number(isOn) << (index & 7));
}

/**
 * Read a message's head. Only its own damage is found here: whether it is for this model, step and state is the coder's to ask.
 *
 * @param tensors  of the layout
 * @throws {GradientError} `truncated`, `bad-checksum`, `unknown-version`, `bad-header`
 */
export function readMessage(
  message: Uint8Array,
  tensors: number,
  checksum: (bytes: Uint8Array) => number,
): OpenedMessage {
  if (message.length < HEAD_BYTES) throw truncated(message.length, HEAD_BYTES);
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const [said, found] = [view.getUint32(0, true), checksum(message.subarray(CHECKED_FROM))];
  if (said !== found) {
    const problem = `the message's checksum is ${hex(said)}, its bytes have ${hex(found)}`;
    throw new GradientError(
      "bad-checksum",
      problem,
      "it was damaged on its way: ask for it again, or go on without it",
    );
  }
  const version = view.getUint8(4);
  if (version !== VERSION) {
    const problem = `the message is of version ${version}, this program reads ${VERSION}`;
    throw new GradientError("unknown-version", problem, "run the same version on all workers");
  }
  const kind = KINDS[view.getUint8(5) & 15];
  if (kind === undefined) throw badHeader(`the message has codes of an unknown kind, ${view.getUint8(5) & 15}`);
  const flags = view.getUint8(5) >> 4;
  const maskBytes = flags & FLAG_MASK ? Math.ceil(tensors / 8) : 0;
  if (message.length < HEAD_BYTES + maskBytes) throw truncated(message.length, HEAD_BYTES + maskBytes);
  const included = Array.from({ length: tensors }, (_, t) => {
    return maskBytes === 0 || (((message[HEAD_BYTES + (t >> 3)] ?? 0) >> (t & 7)) & 1) === 1;
  });
  const count = flags & FLAG_STEPS ? included.filter((isIn) => isIn).length : 1;
  const bodyAt = HEAD_BYTES + maskBytes + 2 * count;
  if (message.length < bodyAt) throw truncated(message.length, bodyAt);
  const steps = readSteps(view, HEAD_BYTES + maskBytes, (flags & FLAG_STEPS) !== 0, included);
  const largest = view.getUint16(14, true);
  if (largest < 1 || largest > 32_767) throw badHeader(`the message's largest code is ${largest}, not 1 to 32767`);
  const isDense = (flags & FLAG_DENSE) !== 0;
  if (isDense && largest > LARGEST_SIZE) throw badHeader(`the message's largest code is ${largest}, of dense codes`);
  const head: MessageHead = {
    ...{ kind, included, steps, largest, isDense },
    layout: view.getUint32(6, true),
    step: view.getUint32(10, true),
    excess: view.getUint16(16, true) / EXCESS_UNIT,
    hasWeights: (flags & FLAG_WEIGHTS) !== 0,
    state: view.getUint16(18, true),
  };
  return { head, body: message.subarray(bodyAt) };
}

function readSteps(view: DataView, from: number, isEach: boolean, included: readonly boolean[]): Float32Array {
  const steps = new Float32Array(included.length);
  let next = 0;
  included.forEach((isIn, t) => {
    if (!isIn) return;
    const step = bfloatOf(view.getUint16(from + 2 * (isEach ? next : 0), true));
    next += 1;
    if (!(step > 0 && step < Number.POSITIVE_INFINITY)) throw badHeader(`the step of tensor ${t} is ${step}`);
    steps[t] = step;
  });
  return steps;
}

function hex(word: number): string {
  return word.toString(16).padStart(8, "0");
}

function truncated(have: number, need: number): GradientError {
  const problem = `the message has ${have} bytes, its head alone takes ${need}`;
  return new GradientError("truncated", problem, "ask for it again, or go on without it");
}

function badHeader(problem: string): GradientError {
  return new GradientError("bad-header", problem, "it was not written by an encoder: ask its sender again");
}
