import * as v from "valibot";
import { GradientError } from "./gradient-error.ts";

/**
 * What the workers of one training say to each other. Numbers are little-endian.
 *
 *     to place 0     ready         1 · step u32                        "I have the state in front of this step"
 *     to place 0     contribution  2 · step u32 · loss f32 · bytes     one worker's part of a step
 *     from place 0   go            3 · step u32 · head u32 · head as JSON · tensors
 *     from place 0   round         4 · step u32 · count u16 · count times (rank u16 · loss f32 · length u32) · bytes
 *
 * The receiver's own contribution is in a round by its length alone, `OWN`: it has the bytes. The head of a `go` names
 * the tensors of a state and how long they are; it is `null` where the receiver goes on from the state that it has.
 */
const READY = 1;
const CONTRIBUTION = 2;
const GO = 3;
const ROUND = 4;

const OWN = 0xffff_ffff;
const STEP_BYTES = 5;
const CONTRIBUTION_BYTES = 9;
const GO_BYTES = 9;
const ROUND_BYTES = 7;
const ENTRY_BYTES = 10;
/** Far more names than a model has tensors. */
const MOST_HEAD_BYTES = 1 << 24;

/** One worker's part of a step. */
export interface Contribution {
  readonly rank: number;
  /** Mean over its rows, nats. */
  readonly loss: number;
  /** As the method made it. */
  readonly bytes: Uint8Array;
}

/** Part of a state that training goes on from. */
export interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export type UpMessage =
  | { readonly kind: "ready"; readonly step: number }
  | { readonly kind: "contribution"; readonly step: number; readonly loss: number; readonly bytes: Uint8Array };

export type DownMessage =
  | { readonly kind: "go"; readonly step: number; readonly state: readonly NamedBytes[] | undefined }
  | { readonly kind: "round"; readonly step: number; readonly contributions: readonly RoundEntry[] };

/** A contribution as a round has it. */
export interface RoundEntry extends Omit<Contribution, "bytes"> {
  /** undefined: the receiver's own. */
  readonly bytes: Uint8Array | undefined;
}

export function encodeReady(step: number): Uint8Array {
  const out = Buffer.alloc(STEP_BYTES);
  out[0] = READY;
  out.writeUInt32LE(step, 1);
  return out;
}

export function encodeContribution(step: number, { loss, bytes }: Omit<Contribution, "rank">): Uint8Array {
  const head = Buffer.alloc(CONTRIBUTION_BYTES);
  head[0] = CONTRIBUTION;
  head.writeUInt32LE(step, 1);
  head.writeFloatLE(loss, STEP_BYTES);
  return Buffer.concat([head, bytes]);
}

/** @param state  undefined: the receiver has it */
export function encodeGo(step: number, state: readonly NamedBytes[] | undefined): Uint8Array {
  const places = state?.map(({ name, bytes }) => [name, bytes.length]) ?? null;
  const json = Buffer.from(JSON.stringify(places));
  const head = Buffer.alloc(GO_BYTES);
  head[0] = GO;
  head.writeUInt32LE(step, 1);
  head.writeUInt32LE(json.length, STEP_BYTES);
  return Buffer.concat([head, json, ...(state ?? []).map(({ bytes }) => bytes)]);
}

/** @param to  whose own contribution is not sent back */
export function encodeRound(step: number, contributions: readonly Contribution[], to: number): Uint8Array {
  const head = Buffer.alloc(ROUND_BYTES + ENTRY_BYTES * contributions.length);
  head[0] = ROUND;
  head.writeUInt32LE(step, 1);
  head.writeUInt16LE(contributions.length, STEP_BYTES);
  let at = ROUND_BYTES;
  for (const { rank, loss, bytes } of contributions) {
    head.writeUInt16LE(rank, at);
    head.writeFloatLE(loss, at + 2);
    head.writeUInt32LE(rank === to ? OWN : bytes.length, at + 6);
    at += ENTRY_BYTES;
  }
  const others = contributions.filter(({ rank }) => rank !== to);
  return Buffer.concat([head, ...others.map(({ bytes }) => bytes)]);
}

/** @throws {GradientError} `truncated`, `bad-message` */
export function decodeUp(message: Uint8Array): UpMessage {
  const bytes = bufferOf(message);
  const kind = bytes[0];
  need(bytes, kind === CONTRIBUTION ? CONTRIBUTION_BYTES : STEP_BYTES);
  const step = bytes.readUInt32LE(1);
  if (kind === CONTRIBUTION) {
    const loss = bytes.readFloatLE(STEP_BYTES);
    return { kind: "contribution", step, loss, bytes: viewOf(bytes, CONTRIBUTION_BYTES, bytes.length) };
  }
  if (kind !== READY || bytes.length !== STEP_BYTES) throw bad(`${bytes.length} bytes of kind ${kind} to place 0`);
  return { kind: "ready", step };
}

/** @throws {GradientError} `truncated`, `bad-message` */
export function decodeDown(message: Uint8Array): DownMessage {
  const bytes = bufferOf(message);
  const kind = bytes[0];
  need(bytes, kind === GO ? GO_BYTES : ROUND_BYTES);
  if (kind === GO) return decodeGo(bytes);
  if (kind === ROUND) return decodeRound(bytes);
  throw bad(`${bytes.length} bytes of kind ${kind} from place 0`);
}

const headSchema = v.nullable(v.array(v.tuple([v.string(), v.pipe(v.number(), v.safeInteger(), v.minValue(0))])));

function decodeGo(bytes: Buffer): DownMessage {
  const step = bytes.readUInt32LE(1);
  const headBytes = bytes.readUInt32LE(STEP_BYTES);
  if (headBytes > MOST_HEAD_BYTES) throw bad(`a state with a head of ${headBytes} bytes`);
  need(bytes, GO_BYTES + headBytes);
  const head = headOf(bytes.subarray(GO_BYTES, GO_BYTES + headBytes));
  let at = GO_BYTES + headBytes;
  const parts = (head ?? []).map(([name, length]): NamedBytes => {
    need(bytes, at + length);
    at += length;
    return { name, bytes: viewOf(bytes, at - length, at) };
  });
  if (at !== bytes.length) throw bad(`${bytes.length - at} bytes behind a state`);
  return { kind: "go", step, state: head === null ? undefined : parts };
}

function headOf(json: Buffer): v.InferOutput<typeof headSchema> {
  try {
    return v.parse(headSchema, JSON.parse(json.toString()));
  } catch (cause) {
    throw bad("a state whose head cannot be read", cause);
  }
}

function decodeRound(bytes: Buffer): DownMessage {
  const step = bytes.readUInt32LE(1);
  const count = bytes.readUInt16LE(STEP_BYTES);
  need(bytes, ROUND_BYTES + ENTRY_BYTES * count);
  let at = ROUND_BYTES + ENTRY_BYTES * count;
  let before = -1;
  const contributions = Array.from({ length: count }, (_, index): RoundEntry => {
    const entry = ROUND_BYTES + ENTRY_BYTES * index;
    const rank = bytes.readUInt16LE(entry);
    if (rank <= before) throw bad(`a round with rank ${rank} behind ${before}`);
    before = rank;
    const loss = bytes.readFloatLE(entry + 2);
    const length = bytes.readUInt32LE(entry + 6);
    if (length === OWN) return { rank, loss, bytes: undefined };
    need(bytes, at + length);
    at += length;
    return { rank, loss, bytes: viewOf(bytes, at - length, at) };
  });
  if (at !== bytes.length) throw bad(`${bytes.length - at} bytes behind a round`);
  return { kind: "round", step, contributions };
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** A part that is no `Buffer`: those do not copy where other arrays do. */
function viewOf({ buffer, byteOffset }: Buffer, from: number, to: number): Uint8Array {
  return new Uint8Array(buffer, byteOffset + from, to - from);
}

function need(bytes: Uint8Array, wanted: number): void {
  if (bytes.length >= wanted) return;
  throw new GradientError("truncated", `a message of ${bytes.length} bytes, of ${wanted}`, REMEDY);
}

function bad(problem: string, cause?: unknown): GradientError {
  return new GradientError("bad-message", problem, REMEDY, { cause });
}

const REMEDY = "let workers of one release train together";
