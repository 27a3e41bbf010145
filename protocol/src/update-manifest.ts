import { createHash } from "node:crypto";
import { CborReader } from "./cbor-reader.ts";
import { CborWriter } from "./cbor-writer.ts";
import { FrameError } from "./errors.ts";
import { field, u8, u16, u32 } from "./field.ts";
import { fromHex, toHex } from "./hex.ts";

/** What a package's body is, by its number: firmware for one slot, or a WebAssembly module. */
export const UPDATE_FORMS = ["image", "module"] as const;

/** One of {@link UPDATE_FORMS}. */
export type UpdateForm = (typeof UPDATE_FORMS)[number];

/** What the device proves on itself before it trusts a module. @see protocol/SPEC.md, section 8.2 */
export interface SelfTest {
  /** 1 … 16 */
  readonly channels: number;
  /** u16 ≥ 1 */
  readonly samples: number;
  /** u32 */
  readonly seed: number;
  /** 64 lower-case hexadecimal digits: SHA-256 of what the module makes of them. */
  readonly digest: string;
}

/** The signed part of a package. @see protocol/SPEC.md, section 8.1 */
export interface UpdateManifest {
  readonly form: UpdateForm;
  /** 1 … 32 bytes: what an image was built for; `module` for modules. */
  readonly target: string;
  /** u32: of the device's interface that the body was built against. */
  readonly abi: number;
  /** Slot that an image was linked for, 0 or 1; {@link ANY_SLOT} for modules. */
  readonly slot: number;
  /** u32, as {@link parseVersion} makes it. */
  readonly version: number;
  /** u32 ≥ 1: bytes of the body. */
  readonly length: number;
  /** Of the body, 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  /** SHA-256 of the module, 64 lower-case hexadecimal digits; equals `sha256` where the body is the module. */
  readonly model: string;
  /** u32: bytes of linear memory that the module needs. */
  readonly memoryBytes: number;
  /** u32: bytes of stack, 0 where it does not matter. */
  readonly stackBytes: number;
  readonly test: SelfTest;
}

/** Most bytes of a manifest. */
export const MAX_MANIFEST_BYTES = 256;
/** The slot of a body that runs from either. */
export const ANY_SLOT = 255;
/** What a package names, and what a device is; 1 … 32 bytes. */
export const TARGET = field("target", 1, 32);

const ELEMENTS = field("manifest", 0, 0xffff_ffff);
const ELEMENT_COUNT = 12;
const FORMAT = u8("format");
const FORMAT_NUMBER = 1;
const FORM = field("form", 0, UPDATE_FORMS.length - 1);
const ABI = u32("abi");
const SLOT = u8("slot");
const VERSION = u32("version");
const LENGTH = field("length", 1, 0xffff_ffff);
const SHA256 = field("sha256", 32, 32);
const MODEL = field("model", 32, 32);
const MEMORY = u32("memory");
const STACK = u32("stack");
const TEST = field("test", 0, 0xffff_ffff);
const TEST_ELEMENT_COUNT = 4;
const TEST_CHANNELS = field("test channels", 1, 16);
const TEST_SAMPLES = field("test samples", 1, u16("").max);
const TEST_SEED = u32("test seed");
const TEST_DIGEST = field("test digest", 32, 32);
/** In front of every manifest that is signed: no signature of another use fits. */
const SIGNED_AS = new TextEncoder().encode("lockstep update 1\0");

/**
 * Write a manifest in its only form.
 *
 * @returns at most {@link MAX_MANIFEST_BYTES} bytes, the caller's
 * @throws {FrameError} `out-of-range` when a field is outside its range, or does not go with the form
 */
export function encodeManifest(manifest: UpdateManifest): Uint8Array {
  const writer = new CborWriter();
  writer.array(ELEMENT_COUNT, ELEMENTS);
  writer.int(FORMAT_NUMBER, FORMAT);
  writer.int(UPDATE_FORMS.indexOf(manifest.form), FORM);
  writer.text(manifest.target, TARGET);
  writer.int(manifest.abi, ABI);
  checkSlot(manifest, writer.length);
  writer.int(manifest.slot, SLOT);
  writer.int(manifest.version, VERSION);
  writer.int(manifest.length, LENGTH);
  writer.byteString(fromHex(manifest.sha256, SHA256, writer.length), SHA256);
  checkModel(manifest, writer.length);
  writer.byteString(fromHex(manifest.model, MODEL, writer.length), MODEL);
  writer.int(manifest.memoryBytes, MEMORY);
  writer.int(manifest.stackBytes, STACK);
  writer.array(TEST_ELEMENT_COUNT, TEST);
  writer.int(manifest.test.channels, TEST_CHANNELS);
  writer.int(manifest.test.samples, TEST_SAMPLES);
  writer.int(manifest.test.seed, TEST_SEED);
  writer.byteString(fromHex(manifest.test.digest, TEST_DIGEST, writer.length), TEST_DIGEST);
  return writer.finish();
}

/**
 * Read a manifest, strictly: only the bytes that {@link encodeManifest} would write for it are taken.
 *
 * @throws {FrameError} with the code and the offset of the first element that does not follow SPEC.md, section 8.1
 */
export function decodeManifest(bytes: Uint8Array): UpdateManifest {
  if (bytes.length > MAX_MANIFEST_BYTES) {
    throw new FrameError("too-large", { offset: 0, have: bytes.length, limit: MAX_MANIFEST_BYTES });
  }
  const reader = new CborReader(bytes);
  readCount(reader, ELEMENTS.name, ELEMENT_COUNT);
  const formatOffset = reader.offset;
  const format = reader.uint(FORMAT);
  if (format !== FORMAT_NUMBER) {
    throw new FrameError("unsupported-version", { offset: formatOffset, have: format, limit: FORMAT_NUMBER });
  }
  const form = UPDATE_FORMS[reader.uint(FORM)] ?? "image";
  const target = reader.text(TARGET);
  const abi = reader.uint(ABI);
  const slotOffset = reader.offset;
  const slot = reader.uint(SLOT);
  checkSlot({ form, slot }, slotOffset);
  const version = reader.uint(VERSION);
  const length = reader.uint(LENGTH);
  const sha256 = toHex(reader.byteString(SHA256));
  const modelOffset = reader.offset;
  const model = toHex(reader.byteString(MODEL));
  checkModel({ form, sha256, model }, modelOffset);
  const memoryBytes = reader.uint(MEMORY);
  const stackBytes = reader.uint(STACK);
  const test = readTest(reader);
  reader.end();
  return { form, target, abi, slot, version, length, sha256, model, memoryBytes, stackBytes, test };
}

/** What a manifest's key signs: its bytes behind a text that says what they are for. */
export function signedMessage(manifest: Uint8Array): Uint8Array {
  const message = new Uint8Array(SIGNED_AS.length + manifest.length);
  message.set(SIGNED_AS);
  message.set(manifest, SIGNED_AS.length);
  return message;
}

/** The u32 that names an update in every frame after the first: the first four bytes of SHA-256 of the manifest. */
export function sessionId(manifest: Uint8Array): number {
  return createHash("sha256").update(manifest).digest().readUInt32BE();
}

/** A version as a text: 0x01020003 is "1.2.3". */
export function formatVersion(version: number): string {
  return `${version >>> 24}.${(version >>> 16) & 0xff}.${version & 0xffff}`;
}

/**
 * A version as a number: "1.2.3" is 0x01020003.
 *
 * @returns undefined for what is no text of that form: up to 255, 255 and 65,535, without leading zeros
 */
export function parseVersion(text: string): number | undefined {
  const [, ...parts] = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/.exec(text) ?? [];
  const [major = Number.NaN, minor = Number.NaN, patch = Number.NaN] = parts.map(Number);
  return major <= 0xff && minor <= 0xff && patch <= 0xffff ? major * 2 ** 24 + minor * 2 ** 16 + patch : undefined;
}

function readTest(reader: CborReader): SelfTest {
  readCount(reader, TEST.name, TEST_ELEMENT_COUNT);
  const channels = reader.uint(TEST_CHANNELS);
  const samples = reader.uint(TEST_SAMPLES);
  const seed = reader.uint(TEST_SEED);
  return { channels, samples, seed, digest: toHex(reader.byteString(TEST_DIGEST)) };
}

function readCount(reader: CborReader, name: string, need: number): void {
  const offset = reader.offset;
  const have = reader.array(field(name, 0, 0xffff_ffff));
  if (have !== need) throw new FrameError("wrong-shape", { offset, field: name, need, have });
}

/** An image runs where it was linked, and a module anywhere: a slot that says otherwise is a mistake. */
function checkSlot({ form, slot }: Pick<UpdateManifest, "form" | "slot">, offset: number): void {
  if (form === "module" ? slot !== ANY_SLOT : slot > 1) {
    throw new FrameError("out-of-range", {
      offset,
      field: SLOT.name,
      have: slot,
      limit: form === "module" ? ANY_SLOT : 1,
    });
  }
}

function checkModel({ form, sha256, model }: Pick<UpdateManifest, "form" | "sha256" | "model">, offset: number): void {
  if (form === "module" && model !== sha256) {
    throw new FrameError("out-of-range", { offset, field: MODEL.name });
  }
}
