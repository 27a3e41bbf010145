import { LEVELS } from "./activity";
import { readBits, writeBits } from "./plain-bits";
import { SYMBOLS } from "./size-symbols";

/**
 * How often each size comes at each level of chance: counted, cut to parts of 2^12, and sent in front of what they code.
 *
 *     a bit for each level that comes; of each, for each symbol up to the largest one:  4 bits, the length of its part in bits;
 *     the part without its highest bit
 */
export const PART_BITS: u32 = 12;
const WHOLE: i32 = 1 << 12;
const LENGTH_BITS: u32 = 4;
/** No table is longer, bytes: rounded up from 24 levels of 16 symbols of 4 + 12 bits, and a bit for each level. */
export const TABLE_ROOM: usize = 1024;

/** u32 for each level and symbol. */
const COUNTS: usize = memory.data(24 * 16 * 4, 16);
/** Part and where it begins, u16 each. */
const PARTS: usize = memory.data(24 * 16 * 4, 16);
/** Where each symbol's part ends, u16. */
const ENDS: usize = memory.data(24 * 16 * 2, 16);

/** Begin to count. */
export function clearCounts(): void {
  memory.fill(COUNTS, 0, (<usize>(LEVELS * SYMBOLS)) << 2);
}

/** @param place  level · 16 + symbol */
export function countSymbol(place: u32): void {
  const at = COUNTS + ((<usize>place) << 2);
  store<u32>(at, load<u32>(at) + 1);
}

/** Part of a symbol, and above it where that begins. */
export function partOf(place: u32): u32 {
  return load<u32>(PARTS + ((<usize>place) << 2));
}

/** The symbol that a number below 2^12 belongs to. */
export function symbolAt(level: i32, number: u32): i32 {
  const wanted = i16x8.splat(<i16>number);
  const ends = ENDS + ((<usize>level) << 5);
  const low = i16x8.bitmask(i16x8.ge_s(wanted, v128.load(ends)));
  const high = i16x8.bitmask(i16x8.ge_s(wanted, v128.load(ends, 16)));
  return <i32>popcnt<u32>(low | (high << 8));
}

/** Make parts of what was counted, and write them. @param symbols  that there are, 1 … 16 */
export function writeTables(symbols: i32): void {
  for (let level = 0; level < LEVELS; level++) writeBits(u32(totalOf(level) > 0), 1);
  for (let level = 0; level < LEVELS; level++) {
    const total = totalOf(level);
    if (total == 0) continue;
    cutParts(level, total);
    for (let symbol = 0; symbol < symbols; symbol++) writePart(partOf(level * SYMBOLS + symbol) & 0xffff);
    closeLevel(level);
  }
}

function totalOf(level: i32): u32 {
  let total: u32 = 0;
  for (let symbol = 0; symbol < SYMBOLS; symbol++) total += countAt(level, symbol);
  return total;
}

function countAt(level: i32, symbol: i32): u32 {
  return load<u32>(COUNTS + ((<usize>(level * SYMBOLS + symbol)) << 2));
}

/** What comes has a part of at least 1; the largest takes what rounding leaves. */
function cutParts(level: i32, total: u32): void {
  let left = WHOLE;
  let largest = 0;
  for (let symbol = 0; symbol < SYMBOLS; symbol++) {
    const count = countAt(level, symbol);
    const part = count == 0 ? 0 : max<i32>(1, <i32>(((<u64>count) << PART_BITS) / total));
    setPart(level, symbol, part);
    left -= part;
    if (count > countAt(level, largest)) largest = symbol;
  }
  setPart(level, largest, <i32>(partOf(level * SYMBOLS + largest) & 0xffff) + left);
}

function setPart(level: i32, symbol: i32, part: i32): void {
  store<u32>(PARTS + ((<usize>(level * SYMBOLS + symbol)) << 2), <u32>part);
}

function writePart(part: u32): void {
  const length = 32 - <u32>clz<u32>(part);
  writeBits(length, LENGTH_BITS);
  if (length > 1) writeBits(part & ((1 << (length - 1)) - 1), length - 1);
}

/** Lay the parts of a level one behind the other. @returns their sum */
function closeLevel(level: i32): u32 {
  let sum: u32 = 0;
  for (let symbol = 0; symbol < SYMBOLS; symbol++) {
    const place = level * SYMBOLS + symbol;
    const part = partOf(place) & 0xffff;
    store<u32>(PARTS + ((<usize>place) << 2), part | (sum << 16));
    sum += part;
    store<u16>(ENDS + ((<usize>place) << 1), <u16>sum);
  }
  return sum;
}

/** Mirror of `writeTables`; a level that does not come has nothing but zeros. @returns whether an encoder can have written them */
export function readTables(symbols: i32): bool {
  const present = readBits(12) | (readBits(12) << 12);
  for (let level = 0; level < LEVELS; level++) {
    for (let symbol = 0; symbol < SYMBOLS; symbol++) setPart(level, symbol, 0);
    if (((present >> level) & 1) == 0) setPart(level, 0, WHOLE);
    else for (let symbol = 0; symbol < symbols; symbol++) setPart(level, symbol, <i32>readPart());
    if (closeLevel(level) != <u32>WHOLE) return false;
  }
  return true;
}

function readPart(): u32 {
  const length = readBits(LENGTH_BITS);
  return length == 0 ? 0 : (1 << (length - 1)) | (length > 1 ? readBits(length - 1) : 0);
}
