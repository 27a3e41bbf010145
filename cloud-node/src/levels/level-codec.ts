import { murmur3 } from "@lockstep/protocol";
import { InvariantError } from "../invariant-error.ts";
import { BitReader, BitWriter, golombBits, unzigzag, zigzag } from "./bit-stream.ts";
import type { FlagRun } from "./flag-runs.ts";
import { Level, ORDER_NONE } from "./level.ts";

/** Layout version, the first byte. Buckets of another one are read from the frames instead. */
const VERSION = 1;
const HASH_BYTES = 8;
const CHECK_AT = 3 + HASH_BYTES;
const HEADER_BYTES = CHECK_AT + 4;
const COUNT_ORDER = 5;
const TIME_ORDER = 16;
const ORDER_BITS = 5;
const NUMBER_BITS = 53;
const KINDS = ["invalid", "saturated"] as const;

/** A level as the store keeps it. */
export interface StoredLevel {
  /** Of the birth that its samples belong to, 16 hex digits: says what codec units mean. */
  readonly birthHash: string;
  readonly level: Level;
  /** Of the samples; only beside the finest level. */
  readonly runs: readonly FlagRun[];
}

/**
 * Write a level.
 *
 *     0  version u8, shift u8, channels u8
 *     3  birth hash, 8 bytes
 *     11 check u32, little-endian: murmur3 of the bits, seeded with the bytes before it
 *     15 bits: runs, bucket numbers, samples per bucket; per channel: low extremes, heights, flagged samples
 *
 * Numbers go as exponential Golomb codes, each column with the order that suits it best. A low extreme is told as the
 * step from the one before, a height as 2 (high − low) + 1, one more where the high one came first, 0 for no sample.
 *
 * @param fromUs  where the times of runs are counted from
 */
export function packLevel({ birthHash, level, runs }: StoredLevel, fromUs: number): Uint8Array {
  const bits = new BitWriter();
  bits.writeGolomb(runs.length, 0);
  for (const run of runs) {
    bits.write(KINDS.indexOf(run.kind), 1);
    bits.writeGolomb(run.channel, 2);
    bits.writeGolomb(zigzag(Math.round(run.fromUs - fromUs)), TIME_ORDER);
    bits.writeGolomb(Math.round(run.toUs - run.fromUs), TIME_ORDER);
  }
  const { count, channels, numbers, samples } = level;
  bits.writeGolomb(count, COUNT_ORDER);
  if (count > 0) bits.write(numbers[0] ?? 0, NUMBER_BITS);
  writeColumn(bits, count - 1, (i) => zigzag((numbers[i + 1] ?? 0) - (numbers[i] ?? 0) - 1));
  const full = 2 ** level.shift;
  writeColumn(bits, count, (i) => zigzag((samples[i] ?? 0) - full));
  for (let c = 0; c < channels; c++) writeChannel(bits, level, c);
  const body = bits.finish();
  const packed = new Uint8Array(HEADER_BYTES + body.length);
  packed.set([VERSION, level.shift, channels]);
  packed.set(Buffer.from(birthHash, "hex"), 3);
  packed.set(body, HEADER_BYTES);
  new DataView(packed.buffer).setUint32(CHECK_AT, checkOf(packed), true);
  return packed;
}

/**
 * Mirrors `packLevel`.
 *
 * @returns undefined for another version's
 * @throws {InvariantError} when the bytes are damaged
 */
export function unpackLevel(packed: Uint8Array, fromUs: number): StoredLevel | undefined {
  const [version, shift = 0, channels = 0] = packed;
  if (version !== VERSION) return undefined;
  const check =
    packed.length < HEADER_BYTES ? undefined : new DataView(packed.buffer, packed.byteOffset).getUint32(CHECK_AT, true);
  if (check !== checkOf(packed))
    throw new InvariantError(`level: ${packed.length} bytes do not agree with their check`);
  const bits = new BitReader(packed, HEADER_BYTES);
  const runs = Array.from({ length: countOf(bits.readGolomb(0), packed) }, (): FlagRun => {
    const kind = KINDS[bits.read(1)] ?? "invalid";
    const channel = bits.readGolomb(2);
    const start = fromUs + unzigzag(bits.readGolomb(TIME_ORDER));
    return { kind, channel, fromUs: start, toUs: start + bits.readGolomb(TIME_ORDER) };
  });
  const level = new Level(channels, shift);
  const count = countOf(bits.readGolomb(COUNT_ORDER), packed);
  let number = count > 0 ? bits.read(NUMBER_BITS) : 0;
  if (count > 0) level.begin(number);
  readColumn(bits, count - 1, (value) => {
    number += unzigzag(value) + 1;
    level.begin(number);
  });
  const full = 2 ** shift;
  readColumn(bits, count, (value, i) => {
    level.samples[i] = unzigzag(value) + full;
  });
  for (let c = 0; c < channels; c++) readChannel(bits, level, c);
  return { birthHash: birthOf(packed), level, runs };
}

/** The birth that a packed level belongs to, 16 hex digits. */
export function birthOf(packed: Uint8Array): string {
  return Buffer.from(packed.subarray(3, CHECK_AT)).toString("hex");
}

/** Of a packed level: buckets are 2^shift sample periods wide. */
export function shiftOf(packed: Uint8Array): number {
  return packed[0] === VERSION ? (packed[1] ?? 0) : Number.POSITIVE_INFINITY;
}

function checkOf(packed: Uint8Array): number {
  return murmur3(murmur3(0, packed.subarray(0, CHECK_AT)), packed.subarray(HEADER_BYTES));
}

/** A bucket has some bits at least, so a count beyond them all is damage. */
function countOf(count: number, packed: Uint8Array): number {
  if (count > 8 * packed.length) throw new InvariantError(`level: ${count} buckets in ${packed.length} bytes`);
  return count;
}

function writeChannel(bits: BitWriter, level: Level, c: number): void {
  const { count, channels, low, high, order, invalid, saturated } = level;
  const steps: number[] = [];
  const heights: number[] = [];
  let before = 0;
  for (let i = c; i < count * channels; i += channels) {
    if (order[i] === ORDER_NONE) {
      heights.push(0);
      continue;
    }
    heights.push(2 * ((high[i] ?? 0) - (low[i] ?? 0)) + (order[i] ?? 1));
    steps.push(zigzag((low[i] ?? 0) - before));
    before = low[i] ?? 0;
  }
  writeColumn(bits, count, (i) => heights[i] ?? 0);
  // The first one stands where no step leads; it would spoil the order of the others.
  if (steps.length > 0) bits.writeGolomb(steps[0] ?? 0, COUNT_ORDER);
  writeColumn(bits, steps.length - 1, (i) => steps[i + 1] ?? 0);
  for (const counts of [invalid, saturated]) {
    const isFlagged = counts.subarray(0, count * channels).some((value, i) => i % channels === c && value > 0);
    bits.write(isFlagged ? 1 : 0, 1);
    if (isFlagged) writeColumn(bits, count, (i) => counts[i * channels + c] ?? 0);
  }
}

function readChannel(bits: BitReader, level: Level, c: number): void {
  const { count, channels, low, high, order } = level;
  const filled: number[] = [];
  const heights: number[] = [];
  readColumn(bits, count, (value, i) => {
    if (value === 0) return;
    const at = i * channels + c;
    filled.push(at);
    heights.push(Math.floor((value - 1) / 2));
    order[at] = 2 - (value % 2);
  });
  let before = 0;
  const take = (value: number, i: number) => {
    const at = filled[i] ?? 0;
    before += unzigzag(value);
    low[at] = before;
    high[at] = before + (heights[i] ?? 0);
  };
  if (filled.length > 0) take(bits.readGolomb(COUNT_ORDER), 0);
  readColumn(bits, filled.length - 1, (value, i) => take(value, i + 1));
  for (const counts of [level.invalid, level.saturated]) {
    if (bits.read(1) === 0) continue;
    readColumn(bits, count, (value, i) => {
      counts[i * channels + c] = value;
    });
  }
}

/** Write numbers with the order of codes that makes them shortest. */
function writeColumn(bits: BitWriter, count: number, value: (i: number) => number): void {
  if (count <= 0) return;
  let [best, leastBits] = [0, Number.POSITIVE_INFINITY];
  for (let order = 0; order < 2 ** ORDER_BITS; order++) {
    let sum = 0;
    for (let i = 0; i < count && sum < leastBits; i++) sum += golombBits(value(i), order);
    // One valley: once it grows, it grows on.
    if (sum >= leastBits) break;
    [best, leastBits] = [order, sum];
  }
  bits.write(best, ORDER_BITS);
  for (let i = 0; i < count; i++) bits.writeGolomb(value(i), best);
}

function readColumn(bits: BitReader, count: number, take: (value: number, i: number) => void): void {
  if (count <= 0) return;
  const order = bits.read(ORDER_BITS);
  for (let i = 0; i < count; i++) take(bits.readGolomb(order), i);
}
