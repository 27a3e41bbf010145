import { freshBit } from "./adaptive-bit";
import {
  BITS_LINE_GOES_ON,
  BITS_LINE_MODE,
  BITS_LINE_MOVED,
  BITS_LINE_REACHES,
  BITS_LINE_ROWS,
  BITS_LINE_SIGN,
  BITS_LINE_VALUE,
} from "./layout";
import { codeBit } from "./mixed-bit";
import { codeRaw } from "./range-coder";
import { FIRST_OF_LINES, FIRST_OF_LINES_COUNT } from "./tables";

/**
 * How lines are spelled in adaptive bits.
 *
 *     block, per channel   mode? -> (a line is open) goes on? -> reaches the end? -> number of rows
 *     line                 reaches the end? -> number of rows -> start -> slope, of more than one row
 *     number of rows       magnitude
 *     start, slope         moved? -> sign -> magnitude
 *     magnitude w >= 1     b = floor(log2 w) in unary -> first and second bit below the leading one -> the rest
 *
 * Every function codes in the coder's direction: a decoder ignores the values that it is given.
 */
/** Runs over other signals begin with these probabilities as if each had been seen this often. */
const FIRST_AGE: u16 = 3;

/** Bits in unary, and levels of the first bit below the leading one, of a number of rows and of a value. */
export const ROWS_LEVELS: i32 = 10;
export const VALUE_LEVELS: i32 = 4;
const VALUE_BITS: usize = 2 * 9;
/** Longest magnitude below its leading one: |value| < 2^32. */
const MOST_BITS: i32 = 31;

/** Values come in classes: slopes by the length of their line, then starts of lines short and long. */
export const VALUE_CLASSES: i32 = 5;

/** What stands for a magnitude that no encoder writes: outside every range, also after a product with 2^30. */
const CORRUPT_MAGNITUDE: i64 = (<i64>1) << 32;

/**
 * First probabilities of every adaptive bit of lines, in the order of layout.ts: means of the log-odds at the end of runs over
 * imu_handheld, machine_temp and ecg_mitbih100 at rel 1e-1 .. 3e-3.
 */
export function resetLineBits(st: usize): void {
  for (let i: usize = 0; i < FIRST_OF_LINES_COUNT; i++) {
    const probability = ((<u32>load<u8>(i, FIRST_OF_LINES)) << 4) | 8;
    store<u16>(st + (i << 1), freshBit(probability) | FIRST_AGE, BITS_LINE_MODE);
  }
}

/** Is the channel on lines? `context`: 2 x (was it in the last block) + (is the channel before it). */
export function modeBit(st: usize, context: usize): usize {
  return st + BITS_LINE_MODE + (context << 1);
}

/** Does the line that the last block left open go on? */
export function goesOnBit(st: usize): usize {
  return st + BITS_LINE_GOES_ON;
}

/** Does a line reach the end of its block, `left` rows away? */
export function reachesBit(st: usize, left: u32, isNew: bool): usize {
  return st + BITS_LINE_REACHES + (!isNew ? 0 : left > 64 ? 4 : left > 8 ? 2 : 6);
}

/** Tables of a number of rows. */
export function rowsBits(st: usize): usize {
  return st + BITS_LINE_ROWS;
}

/** The second bit below the leading one of a number of rows. */
export function secondBit(bits: usize, level: u32, top: u32): usize {
  return bits + 2 * (2 * <usize>ROWS_LEVELS + 1) + ((<usize>(((level - 2) << 1) + top)) << 1);
}

/** Is a value anything but zero? */
export function movedBit(st: usize, valueClass: i32): usize {
  return st + BITS_LINE_MOVED + ((<usize>valueClass) << 1);
}

/** Is it negative? `sign`: of the value before it, 0 none, 1 negative, 2 positive. */
export function signBit(st: usize, isSlope: bool, sign: usize): usize {
  return st + BITS_LINE_SIGN + (sign << 1) + (isSlope ? 6 : 0);
}

/** Tables of a value. */
export function valueBits(st: usize, valueClass: i32): usize {
  return st + BITS_LINE_VALUE + VALUE_BITS * <usize>valueClass;
}

/** Class of a line's start. */
export function startClass(rows: u32): i32 {
  return 3 + i32(rows >= 4);
}

/** Class of its slope. */
export function slopeClass(rows: u32): i32 {
  return rows <= 4 ? 0 : rows <= 16 ? 1 : 2;
}

/**
 * Code a magnitude. `levels` bounds both tables: the unary one at `bits`, and behind it that of the first bit below the
 * leading one.
 *
 * @returns 1..2^32 - 1, or CORRUPT_MAGNITUDE
 */
function codeMagnitude(st: usize, coder: usize, bits: usize, levels: i32, w: u32): i64 {
  const wanted = 31 - <i32>clz(w);
  let b = 0;
  while (codeBit(st, coder, bits + ((<usize>min(b, levels)) << 1), b < wanted)) {
    if (++b > MOST_BITS) return CORRUPT_MAGNITUDE;
  }
  if (b == 0) return 1;
  const level = min(b, levels);
  let coded: u32 = 2 | u32(codeBit(st, coder, bits + ((<usize>(levels + level)) << 1), ((w >> (b - 1)) & 1) != 0));
  b--;
  if (levels == ROWS_LEVELS && b > 0) {
    b--;
    coded = (coded << 1) | u32(codeBit(st, coder, secondBit(bits, level, coded & 1), ((w >> b) & 1) != 0));
  }
  return <i64>((coded << b) | codeRaw(coder, b, w));
}

/**
 * Code how many rows a line has in this block.
 *
 * @param left  rows that the block still has; as many means that the line stays open
 * @param isNew  false for the line that goes on
 * @returns 1..left, or 0 for a number that no encoder writes
 */
export function codeRows(st: usize, coder: usize, left: u32, isNew: bool, rows: u32): u32 {
  if (codeBit(st, coder, reachesBit(st, left, isNew), rows == left)) return left;
  const coded = codeMagnitude(st, coder, rowsBits(st), ROWS_LEVELS, rows);
  return coded < <i64>left ? <u32>coded : 0;
}

/** Code a value. `sign` as of `signBit`. @returns |value| <= 2^32, where that size is one that no encoder writes */
export function codeValue(st: usize, coder: usize, sign: usize, valueClass: i32, isSlope: bool, value: i64): i64 {
  if (!codeBit(st, coder, movedBit(st, valueClass), value != 0)) return 0;
  const isNegative = codeBit(st, coder, signBit(st, isSlope, sign), value < 0);
  const magnitude = <u32>(value < 0 ? -value : value);
  const size = codeMagnitude(st, coder, valueBits(st, valueClass), VALUE_LEVELS, magnitude);
  return isNegative ? -size : size;
}
