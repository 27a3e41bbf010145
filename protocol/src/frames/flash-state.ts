import type { CborReader } from "../cbor-reader.ts";
import type { CborWriter } from "../cbor-writer.ts";
import { FrameError } from "../errors.ts";
import { field, u8, u16, u32 } from "../field.ts";
import { fromHex, toHex } from "../hex.ts";
import { TARGET, UPDATE_FORMS, type UpdateForm } from "../update-manifest.ts";
import { type FlashKeyName, readKeyName, writeKeyName } from "./flash-key.ts";

/** Where a device stands with an update; on the wire the index. @see protocol/SPEC.md, section 8.4 */
export const FLASH_PHASES = [
  "idle",
  "erasing",
  "receiving",
  "verifying",
  "ready",
  "switching",
  "trying",
  "reverting",
] as const;

/** One of {@link FLASH_PHASES}. */
export type FlashPhase = (typeof FLASH_PHASES)[number];

/**
 * Why the last update was refused, or went back; on the wire the index. A device of a later release may give a number
 * beyond these.
 *
 * @see protocol/SPEC.md, section 8.5
 */
export const FLASH_VERDICTS = [
  "none",
  "bad-manifest",
  "unknown-key",
  "bad-signature",
  "version-goes-back",
  "wrong-target",
  "wrong-abi",
  "wrong-slot",
  "too-long",
  "too-much-memory",
  "flash-failed",
  "bad-chunk",
  "bad-digest",
  "module-refused",
  "self-test-differs",
  "trapped",
  "watchdog",
  "not-confirmed",
  "aborted",
  "busy",
  "wrong-order",
] as const;

/** One of {@link FLASH_VERDICTS}. */
export type FlashVerdict = (typeof FLASH_VERDICTS)[number];

/** What a device runs now. */
export interface RunningPackage {
  /** 0 or 1; 255: neither, but what came with its firmware */
  readonly slot: number;
  readonly form: UpdateForm;
  /** u32, as `parseVersion` makes it. */
  readonly version: number;
  /** SHA-256 of the module, 64 lower-case hexadecimal digits. */
  readonly model: string;
}

/** The answer to every flash frame. @see protocol/SPEC.md, section 8.3 */
export interface FlashStateFrame {
  readonly kind: "flash";
  readonly op: "state";
  /** u32, of this boot */
  readonly nonce: number;
  /** u32: the package under way, tried, or that the verdict is about; 0: none. */
  readonly sid: number;
  readonly phase: FlashPhase;
  /** u32: offset in the body of the next byte wanted. */
  readonly next: number;
  /** u8: index into {@link FLASH_VERDICTS}; 0: none. */
  readonly verdict: number;
  /** u32: what the verdict's table says. */
  readonly detail: number;
  readonly running: RunningPackage;
  /** u32: highest version that was ever confirmed. */
  readonly confirmedVersion: number;
  /** u32: most bytes of a body. */
  readonly slotBytes: number;
  /** Most bytes of a chunk's data, a power of two, 1 … 256; every chunk but the last has a multiple of what the flash is written in. */
  readonly chunkBytes: number;
  /** 1 … 32 bytes: what a package for this device must name. */
  readonly target: string;
  /** u32 */
  readonly abi: number;
  /** 1 … 4 keys that the device trusts. */
  readonly keys: readonly FlashKeyName[];
  /** u16: times that an application trapped or hung, since the device was made. */
  readonly traps: number;
  /** u32: most bytes of stack seen in use, 0 where it is not measured. */
  readonly stackHighWater: number;
}

/** Elements of the frame, from head to seal. */
export const STATE_ELEMENTS = 18;
/** Keys that a device may trust. */
export const MAX_FLASH_KEYS = 4;

const SID = u32("sid");
const PHASE = field("phase", 0, FLASH_PHASES.length - 1);
const NEXT = u32("next");
const VERDICT = u8("verdict");
const DETAIL = u32("detail");
const RUNNING = field("running", 0, 0xffff_ffff);
const RUNNING_ELEMENTS = 4;
const SLOT = u8("running slot");
const FORM = field("running form", 0, UPDATE_FORMS.length - 1);
const VERSION = u32("running version");
const MODEL = field("running model", 32, 32);
const CONFIRMED = u32("confirmed version");
const SLOT_BYTES = u32("slot bytes");
const CHUNK = field("chunk", 1, 256);
const ABI = u32("abi");
const KEYS = field("keys", 1, MAX_FLASH_KEYS);
const KEY_ITEM = field("key", 0, 0xffff_ffff);
const KEY_ELEMENTS = 2;
const TRAPS = u16("traps");
const STACK = u32("stack high water");
const NO_SLOT = 255;

/** Write what follows the op. @throws {FrameError} `out-of-range` */
export function writeFlashState(writer: CborWriter, frame: FlashStateFrame): void {
  writer.int(frame.sid, SID);
  writer.int(FLASH_PHASES.indexOf(frame.phase), PHASE);
  writer.int(frame.next, NEXT);
  writer.int(frame.verdict, VERDICT);
  writer.int(frame.detail, DETAIL);
  writer.array(RUNNING_ELEMENTS, RUNNING);
  checkSlot(frame.running.slot, writer.length);
  writer.int(frame.running.slot, SLOT);
  writer.int(UPDATE_FORMS.indexOf(frame.running.form), FORM);
  writer.int(frame.running.version, VERSION);
  writer.byteString(fromHex(frame.running.model, MODEL, writer.length), MODEL);
  writer.int(frame.confirmedVersion, CONFIRMED);
  writer.int(frame.slotBytes, SLOT_BYTES);
  checkChunk(frame.chunkBytes, writer.length);
  writer.int(frame.chunkBytes, CHUNK);
  writer.text(frame.target, TARGET);
  writer.int(frame.abi, ABI);
  writer.array(frame.keys.length, KEYS);
  for (const key of frame.keys) {
    writer.array(KEY_ELEMENTS, KEY_ITEM);
    writeKeyName(writer, key);
  }
  writer.int(frame.traps, TRAPS);
  writer.int(frame.stackHighWater, STACK);
}

/** Mirrors {@link writeFlashState}. @throws {FrameError} as the reader's items; `wrong-shape` for other counts */
export function readFlashState(reader: CborReader, nonce: number): FlashStateFrame {
  const sid = reader.uint(SID);
  const phase = FLASH_PHASES[reader.uint(PHASE)] ?? "idle";
  const next = reader.uint(NEXT);
  const verdict = reader.uint(VERDICT);
  const detail = reader.uint(DETAIL);
  const running = readRunning(reader);
  const confirmedVersion = reader.uint(CONFIRMED);
  const slotBytes = reader.uint(SLOT_BYTES);
  const chunkOffset = reader.offset;
  const chunkBytes = reader.uint(CHUNK);
  checkChunk(chunkBytes, chunkOffset);
  const target = reader.text(TARGET);
  const abi = reader.uint(ABI);
  const keys: FlashKeyName[] = [];
  for (let count = reader.array(KEYS); count > 0; count--) {
    readCount(reader, KEY_ITEM.name, KEY_ELEMENTS);
    keys.push(readKeyName(reader));
  }
  const traps = reader.uint(TRAPS);
  const stackHighWater = reader.uint(STACK);
  return {
    kind: "flash",
    op: "state",
    nonce,
    sid,
    phase,
    next,
    verdict,
    detail,
    running,
    confirmedVersion,
    slotBytes,
    chunkBytes,
    target,
    abi,
    keys,
    traps,
    stackHighWater,
  };
}

function readRunning(reader: CborReader): RunningPackage {
  readCount(reader, RUNNING.name, RUNNING_ELEMENTS);
  const offset = reader.offset;
  const slot = reader.uint(SLOT);
  checkSlot(slot, offset);
  const form = UPDATE_FORMS[reader.uint(FORM)] ?? "image";
  const version = reader.uint(VERSION);
  return { slot, form, version, model: toHex(reader.byteString(MODEL)) };
}

function readCount(reader: CborReader, name: string, need: number): void {
  const offset = reader.offset;
  const have = reader.array(field(name, 0, 0xffff_ffff));
  if (have !== need) throw new FrameError("wrong-shape", { offset, field: name, need, have });
}

function checkSlot(slot: number, offset: number): void {
  if (slot > 1 && slot !== NO_SLOT) {
    throw new FrameError("out-of-range", { offset, field: SLOT.name, have: slot, limit: NO_SLOT });
  }
}

function checkChunk(bytes: number, offset: number): void {
  if (bytes < 1 || (bytes & (bytes - 1)) !== 0) {
    throw new FrameError("out-of-range", { offset, field: CHUNK.name, have: bytes, limit: CHUNK.max });
  }
}
