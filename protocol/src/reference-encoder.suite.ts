import { Encoder } from "cbor-x";
import { type FlashFrame, type Frame, type JobBlob, murmur3, type ResidualFrame, type ResultFrame } from "./index.ts";

/** What an element of a frame is to cbor-x. */
export type ReferenceElement = number | bigint | string | Buffer | readonly ReferenceElement[];

const ENCODER = new Encoder({ useRecords: false, tagUint8Array: false, variableMapSize: true });
/** Of every head: 16 times the version. */
const HEAD = 16;
const RESYNC_REASONS = ["state-mismatch", "unknown-birth", "frames-lost"];
const REFUSAL_REASONS = ["unsupported-version", "unknown-model", "bad-birth", "unknown-device", "conflict"];

const FLASH_OPS = ["ask", "begin", "chunk", "end", "activate", "confirm", "abort", "", "state"];
const ALGORITHMS = ["ed25519", "hmac-sha256"];
const JOB_OPS = ["submit", "cancel", "ask"];
const RESULT_OPS = ["accepted", "progress", "done", "failed", "cancelled"];
const STATES = ["queued", "running", "done", "failed", "dead", "cancelled"];
const PHASES = ["idle", "erasing", "receiving", "verifying", "ready", "switching", "trying", "reverting"];

/**
 * A frame as bytes, by SPEC.md's tables once more and cbor-x: the reference that our own codec is held against.
 *
 * @returns undefined for an integer of −2³² … −2³¹−1, which cbor-x has no deterministic form for
 */
export function referenceBytes(frame: Frame): Uint8Array | undefined {
  const elements = referenceElements(frame);
  if (hasGapInteger(elements)) {
    return undefined;
  }
  if (frame.kind === "fragment") {
    return encode(elements);
  }
  const unsealed = encode([...elements, seal(0)]);
  const checksum = "seal" in frame ? frame.seal : murmur3(0, unsealed.subarray(0, unsealed.length - 5));
  return encode([...elements, seal(checksum)]);
}

/** The elements before the seal, as the table in SPEC.md, section 1, has them. */
export function referenceElements(frame: Frame): ReferenceElement[] {
  switch (frame.kind) {
    case "residual":
      return [HEAD + 0, frame.position, frame.quiet, span(frame), Buffer.from(frame.payload)];
    case "keyframe": {
      const { epoch, seq, birthHash, timeUs, lattices, payload } = frame;
      return [HEAD + 1, epoch, seq, hex(birthHash), integer(timeUs), lattices, span(frame), Buffer.from(payload)];
    }
    case "heartbeat":
      return [HEAD + 2, frame.position, frame.quiet, integer(frame.timeUs), frame.ringFill];
    case "fragment":
      return [HEAD + 3, frame.id, frame.index, frame.count, Buffer.from(frame.chunk)];
    case "ack":
      return [
        HEAD + 4,
        frame.nonce,
        frame.epoch,
        frame.through,
        frame.missing.flatMap(({ from, count }) => [from, count]),
      ];
    case "status": {
      const { nonce, epoch, oldest, next, evicted, ringFill, timeUs } = frame;
      return [HEAD + 5, nonce, epoch, oldest, next, integer(evicted), ringFill, integer(timeUs)];
    }
    case "resync":
      return [HEAD + 6, frame.nonce, frame.epoch, frame.seq, 1 + RESYNC_REASONS.indexOf(frame.reason)];
    case "birth":
      return [HEAD + 7, frame.device, frame.nonce, frame.epoch, ...configuration(frame)];
    case "welcome":
      return [HEAD + 8, frame.nonce, frame.epoch, frame.through, frame.alias, frame.ackAgeMs, integer(frame.timeUs)];
    case "refusal":
      return [HEAD + 9, frame.nonce, 1 + REFUSAL_REASONS.indexOf(frame.reason)];
    case "presence":
      return [HEAD + 10, frame.nonce, frame.online ? 1 : 0];
    case "flash":
      return [HEAD + 11, frame.nonce, FLASH_OPS.indexOf(frame.op), ...flashElements(frame)];
    case "job": {
      const head = [HEAD + 12, frame.nonce, JOB_OPS.indexOf(frame.op)];
      if (frame.op !== "submit") return [...head, hex(frame.id)];
      const { workload, params, inputs, salt, attempts } = frame;
      return [...head, workload, Buffer.from(params), blobs(inputs), salt, attempts];
    }
    case "result":
      return [HEAD + 13, frame.nonce, RESULT_OPS.indexOf(frame.op), hex(frame.id), ...resultElements(frame)];
    case "exchange": {
      const { job, from, to, seq, isLast, payload } = frame;
      return [HEAD + 14, hex(job), from, to, seq, isLast ? 1 : 0, Buffer.from(payload)];
    }
  }
}

function resultElements(frame: ResultFrame): ReferenceElement[] {
  switch (frame.op) {
    case "accepted":
      return [frame.isNew ? 1 : 0, STATES.indexOf(frame.state)];
    case "progress":
      return [STATES.indexOf(frame.state), frame.fraction ?? 65_535, frame.note, frame.attempts];
    case "done":
      return [Buffer.from(frame.value), blobs(frame.outputs)];
    case "failed":
      return [STATES.indexOf(frame.state), frame.code, frame.message, frame.attempts];
    case "cancelled":
      return [];
  }
}

function blobs(all: readonly JobBlob[]): ReferenceElement[] {
  return all.map(({ name, sha256, bytes }) => [name, hex(sha256), integer(bytes)]);
}

function flashElements(frame: FlashFrame): ReferenceElement[] {
  switch (frame.op) {
    case "ask":
      return [];
    case "begin": {
      const { manifest, algorithm, key, signature } = frame;
      return [Buffer.from(manifest), ALGORITHMS.indexOf(algorithm), hex(key), Buffer.from(signature)];
    }
    case "chunk":
      return [frame.sid, frame.offset, Buffer.from(frame.data), frame.crc];
    case "state": {
      const { sid, phase, next, verdict, detail, running, confirmedVersion, slotBytes, chunkBytes, target } = frame;
      const runs = [running.slot, running.form === "image" ? 0 : 1, running.version, hex(running.model)];
      const keys = frame.keys.map(({ algorithm, id }) => [ALGORITHMS.indexOf(algorithm), hex(id)]);
      const end = [frame.abi, keys, frame.traps, frame.stackHighWater];
      const place = [sid, PHASES.indexOf(phase), next, verdict, detail];
      return [...place, runs, confirmedVersion, slotBytes, chunkBytes, target, ...end];
    }
    default:
      return [frame.sid];
  }
}

/** What cbor-x reads from a frame's bytes, every integer as a number. */
export function referenceDecode(bytes: Uint8Array): unknown {
  return plain(ENCODER.decode(bytes));
}

/** Elements as {@link referenceDecode} returns them. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(plain);
  }
  if (value instanceof Uint8Array) {
    return Buffer.from(value).toString("hex");
  }
  return typeof value === "bigint" ? Number(value) : value;
}

/** Hash of a birth, from cbor-x's bytes of its elements from model to channels. */
export function referenceBirthHash(birth: Frame & { kind: "birth" }): string | undefined {
  const elements = configuration(birth);
  if (hasGapInteger(elements)) {
    return undefined;
  }
  const bytes = Buffer.concat(elements.map((element) => encode(element)));
  return [1, 2].map((seed) => murmur3(seed, bytes).toString(16).padStart(8, "0")).join("");
}

function configuration(birth: Frame & { kind: "birth" }): ReferenceElement[] {
  const { model, frameSamples, periodNs, silenceMs, ringBytes, firmware, channels } = birth;
  const rows = channels.map((c) => [
    ...[c.name, c.unit, c.e, c.lattice, c.historyShift, integer(c.offset)],
    ...[c.mantissa, c.exponent, integer(c.epsMantissa), c.epsExponent],
  ]);
  return [hex(model), frameSamples, integer(periodNs), silenceMs, ringBytes, firmware, rows];
}

/** cbor-x writes a bigint in nine bytes, and a number beyond 32 bits as a float: choose so that the form is shortest. */
function integer(value: number): number | bigint {
  return value >= 2 ** 32 || value < -(2 ** 32) ? BigInt(value) : value;
}

function hasGapInteger(element: ReferenceElement): boolean {
  if (Array.isArray(element)) {
    return element.some(hasGapInteger);
  }
  return typeof element === "number" && element >= -(2 ** 32) && element < -(2 ** 31);
}

function span({ samples, hasEvents, hasLines }: Pick<ResidualFrame, "samples" | "hasEvents" | "hasLines">): number {
  return 4 * samples + 2 * Number(hasLines) + Number(hasEvents);
}

function hex(digits: string): Buffer {
  return Buffer.from(digits, "hex");
}

function seal(checksum: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(checksum);
  return bytes;
}

/** A copy: cbor-x returns views of a buffer it goes on using. */
function encode(value: ReferenceElement | ReferenceElement[]): Uint8Array {
  return new Uint8Array(ENCODER.encode(value));
}
