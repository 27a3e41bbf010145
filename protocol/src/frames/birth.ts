import type { CborReader } from "../cbor-reader.ts";
import { CborWriter } from "../cbor-writer.ts";
import { FrameError } from "../errors.ts";
import { field, u32 } from "../field.ts";
import type { FrameLayout } from "../frame-layout.ts";
import { fromHex, toHex } from "../hex.ts";
import { murmur3 } from "../murmur3.ts";
import { isIdentifier, MAX_NAME_LENGTH } from "../text-rules.ts";
import { type ChannelConfig, readChannelConfig, writeChannelConfig } from "./channel-config.ts";
import { NONCE } from "./numbers.ts";

/** Who a device is, how it encodes and what its numbers mean. @see protocol/SPEC.md, section 3.1 */
export interface BirthFrame {
  readonly kind: "birth";
  /** 1 … 64 of `[A-Za-z0-9_-]` */
  readonly device: string;
  /** u32, random, new at every boot. */
  readonly nonce: number;
  /** u32; 0 asks the cloud to grant one. */
  readonly epoch: number;
  /** SHA-256 of the module, 64 lower-case hexadecimal digits. */
  readonly model: string;
  /** 1 … 65,535: nominal samples per frame. */
  readonly frameSamples: number;
  /** u53 ≥ 1: sample period, ns. */
  readonly periodNs: number;
  /** u32 ≥ 1: longest time without a sequenced frame, ms. */
  readonly silenceMs: number;
  /** u32: capacity of the ring. */
  readonly ringBytes: number;
  /** 0 … 32 bytes, free. */
  readonly firmware: string;
  /** 1 … {@link MAX_CHANNELS} */
  readonly channels: readonly ChannelConfig[];
}

/** Channels that a device may have. */
export const MAX_CHANNELS = 16;

const DEVICE = field("device", 1, MAX_NAME_LENGTH);
const EPOCH = u32("epoch");
const MODEL = field("model", 32, 32);
const FRAME_SAMPLES = field("frame samples", 1, 0xffff);
const PERIOD = field("period", 1, Number.MAX_SAFE_INTEGER);
const SILENCE = field("silence", 1, 0xffff_ffff);
const RING_BYTES = u32("ring bytes");
const FIRMWARE = field("firmware", 0, 32);
const CHANNELS = field("channels", 1, MAX_CHANNELS);

export const BIRTH_LAYOUT: FrameLayout<BirthFrame> = {
  kindCode: 7,
  elements: 12,
  sealing: "plain",
  encode(writer, frame) {
    checkDevice(frame.device, writer.length);
    writer.text(frame.device, DEVICE);
    writer.int(frame.nonce, NONCE);
    writer.int(frame.epoch, EPOCH);
    writeConfiguration(writer, frame);
  },
  decode(reader) {
    const offset = reader.offset;
    const device = reader.text(DEVICE);
    checkDevice(device, offset);
    const nonce = reader.uint(NONCE);
    const epoch = reader.uint(EPOCH);
    const model = toHex(reader.byteString(MODEL));
    const frameSamples = reader.uint(FRAME_SAMPLES);
    const periodNs = reader.uint(PERIOD);
    const silenceMs = reader.uint(SILENCE);
    const ringBytes = reader.uint(RING_BYTES);
    const firmware = reader.text(FIRMWARE);
    const channels = readChannels(reader);
    return {
      kind: "birth",
      device,
      nonce,
      epoch,
      model,
      frameSamples,
      periodNs,
      silenceMs,
      ringBytes,
      firmware,
      channels,
    };
  },
};

/**
 * The hash by which keyframes name their birth: births with the same one decode alike.
 *
 * @returns 16 lower-case hexadecimal digits
 * @throws {FrameError} `out-of-range` when a field from `model` on is outside its range
 * @see protocol/SPEC.md, section 3.1
 */
export function birthHash(birth: BirthFrame): string {
  const writer = new CborWriter();
  writeConfiguration(writer, birth);
  const configuration = writer.written;
  return [1, 2].map((seed) => murmur3(seed, configuration).toString(16).padStart(8, "0")).join("");
}

/** The elements that the birth hash covers. */
function writeConfiguration(writer: CborWriter, birth: BirthFrame): void {
  writer.byteString(fromHex(birth.model, MODEL, writer.length), MODEL);
  writer.int(birth.frameSamples, FRAME_SAMPLES);
  writer.int(birth.periodNs, PERIOD);
  writer.int(birth.silenceMs, SILENCE);
  writer.int(birth.ringBytes, RING_BYTES);
  writer.text(birth.firmware, FIRMWARE);
  writer.array(birth.channels.length, CHANNELS);
  const names = new Set<string>();
  for (const channel of birth.channels) {
    checkUnique(channel.name, names, writer.length);
    writeChannelConfig(writer, channel);
  }
}

function readChannels(reader: CborReader): ChannelConfig[] {
  const count = reader.array(CHANNELS);
  const channels: ChannelConfig[] = [];
  const names = new Set<string>();
  for (let c = 0; c < count; c++) {
    const offset = reader.offset;
    const channel = readChannelConfig(reader);
    checkUnique(channel.name, names, offset);
    channels.push(channel);
  }
  return channels;
}

function checkUnique(name: string, names: Set<string>, offset: number): void {
  if (names.has(name)) {
    throw new FrameError("out-of-range", { offset, field: "channel name" });
  }
  names.add(name);
}

function checkDevice(device: string, offset: number): void {
  if (!isIdentifier(device)) {
    throw new FrameError("out-of-range", { offset, field: DEVICE.name });
  }
}
