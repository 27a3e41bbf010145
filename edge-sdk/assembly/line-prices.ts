import { probabilityQ16 } from "./adaptive-bit";
import { BITS_LINE_MOVED, BITS_LINE_REACHES, BITS_LINE_SIGN, CODER_HIGH, CODER_LOW, CODER_POSITION } from "./layout";
import {
  goesOnBit,
  modeBit,
  movedBit,
  ROWS_LEVELS,
  reachesBit,
  rowsBits,
  secondBit,
  signBit,
  slopeClass,
  startClass,
  VALUE_CLASSES,
  VALUE_LEVELS,
  valueBits,
} from "./line-code";

/**
 * What lines would cost, in 1/256 bit: the code lengths of line-code.ts under the probabilities at a block's start. The
 * planner compares thousands of lines, so all come from tables of u32 in caller-owned memory, filled once per block:
 *
 *     0      6 x 32 x 4   magnitudes by class (0..4 values, 5 rows), length, and first and second bit below the leading one;
 *                         the last of length 0, which has no such bits, is the least of its class
 *     3072   4 x 2        does a line reach the end: by the context of reachesBit
 *     3104   5 x 2        is a value anything but zero: by its class
 *     3144   6 x 2        is it negative: start or slope, by the sign before
 */
const CLASS_BYTES: usize = 4 * 32 * 4;
const LEAST: usize = 4 * 3;
/** The class of a number of rows. */
export const ROWS_CLASS: i32 = 5;
const REACHES: usize = 6 * CLASS_BYTES;
const MOVED: usize = REACHES + 8 * 4;
const SIGNS: usize = MOVED + 8 * 5;
/** Bytes of the tables. */
export const PRICE_BYTES: usize = SIGNS + 8 * 6;

const BIT: u32 = 256;

/** 256 log2(value) by repeated squaring, rounded down. Range: value > 0. */
export function log2Q8(value: u32): u32 {
  const leading = 31 - clz(value);
  let mantissa = (<u64>value) << (31 - leading); // Q31, 1 <= mantissa < 2
  let log = leading;
  for (let i = 0; i < 8; i++) {
    mantissa = (mantissa * mantissa) >> 31;
    const isTwo = mantissa >> 32;
    mantissa >>= isTwo;
    log = (log << 1) | <u32>isTwo;
  }
  return log;
}

/** What one adaptive bit costs. */
export function priceBit(at: usize, bit: bool): u32 {
  const p = probabilityQ16(at);
  return 16 * BIT - log2Q8(bit ? p : 65536 - p);
}

/** As log2Q8 within 3/256, in one step: f + 0.34 f (1 - f) for the part f behind the leading bit. */
function roughLog2Q8(value: u32): u32 {
  const leading = 31 - clz(value);
  const f = ((value << (31 - leading)) >> 15) & 0xffff;
  return (leading << 8) + ((f + ((((f * (65535 - f)) >> 16) * 22500) >> 16)) >> 8);
}

/** What a coder has spent since its output's address 0, but for its flush. */
export function coderSpent(coder: usize): u64 {
  const width = load<u32>(coder, CODER_HIGH) - load<u32>(coder, CODER_LOW);
  return ((<u64>load<u32>(coder, CODER_POSITION)) << 11) + 32 * BIT - roughLog2Q8(width | 1);
}

/** Fill one class's table, as codeMagnitude codes. */
function fillClass(table: usize, bits: usize, levels: i32): void {
  let unary: u32 = 0;
  let least: u32 = u32.MAX_VALUE;
  for (let b = 0; b < 32; b++) {
    const level = min(b, levels);
    const length = unary + priceBit(bits + ((<usize>level) << 1), false) + BIT * max(b - 1, 0);
    for (let first: u32 = 0; first < 4; first++) {
      let price = length;
      const top = first >> 1;
      if (b > 0) price += priceBit(bits + ((<usize>(levels + level)) << 1), top != 0);
      if (b > 1 && levels == ROWS_LEVELS) price += priceBit(secondBit(bits, level, top), (first & 1) != 0) - BIT;
      store<u32>(table + ((<usize>((b << 2) | first)) << 2), price);
      least = min(least, price);
    }
    unary += priceBit(bits + ((<usize>level) << 1), true);
  }
  store<u32>(table + LEAST, least);
}

/** Both prices of each of `count` adaptive bits: of 0 and of 1. */
function fillBits(table: usize, bits: usize, count: usize): void {
  for (let i: usize = 0; i < count; i++) {
    store<u32>(table + (i << 3), priceBit(bits + (i << 1), false));
    store<u32>(table + (i << 3), priceBit(bits + (i << 1), true), 4);
  }
}

/** Price of a bit in a table of fillBits, which stands where the bit does among its kind. */
function priceIn(table: usize, bit: usize, first: usize, isSet: bool): u32 {
  return load<u32>(table + ((bit - first) << 2) + ((<usize>isSet) << 2));
}

/** Fill the tables. */
export function fillPrices(st: usize, prices: usize): void {
  for (let c = 0; c < VALUE_CLASSES; c++) fillClass(prices + CLASS_BYTES * <usize>c, valueBits(st, c), VALUE_LEVELS);
  fillClass(prices + CLASS_BYTES * <usize>ROWS_CLASS, rowsBits(st), ROWS_LEVELS);
  fillBits(prices + REACHES, st + BITS_LINE_REACHES, 4);
  fillBits(prices + MOVED, st + BITS_LINE_MOVED, 5);
  fillBits(prices + SIGNS, st + BITS_LINE_SIGN, 6);
}

/** Price of a magnitude. */
export function priceMagnitude(prices: usize, ofClass: i32, w: u32): u32 {
  const b = 31 - clz(w);
  const first = b >= 2 ? (w >> (b - 2)) & 3 : (w << (2 - b)) & 3;
  return load<u32>(prices + CLASS_BYTES * <usize>ofClass + ((<usize>((b << 2) | first)) << 2));
}

/** Whether the channel is on lines. */
export function priceMode(st: usize, context: usize, isOnLines: bool): u32 {
  return priceBit(modeBit(st, context), isOnLines);
}

/** Whether the open line goes on. */
export function priceGoesOn(st: usize, goesOn: bool): u32 {
  return priceBit(goesOnBit(st), goesOn);
}

/** How many rows of the `left` that the block has; 0 for what every number but `left` costs beside itself. */
export function priceRows(prices: usize, left: u32, isNew: bool, rows: u32): u32 {
  const reaches = priceIn(prices + REACHES, reachesBit(0, left, isNew), BITS_LINE_REACHES, rows == left);
  return rows == left || rows == 0 ? reaches : reaches + priceMagnitude(prices, ROWS_CLASS, rows);
}

function priceValue(prices: usize, sign: usize, valueClass: i32, isSlope: bool, value: i64): u32 {
  const moved = priceIn(prices + MOVED, movedBit(0, valueClass), BITS_LINE_MOVED, value != 0);
  if (value == 0) return moved;
  const w = <u32>(value < 0 ? -value : value);
  const negative = priceIn(prices + SIGNS, signBit(0, isSlope, sign), BITS_LINE_SIGN, value < 0);
  return moved + negative + priceMagnitude(prices, valueClass, w);
}

/** The step to a line's start. */
export function priceStart(prices: usize, sign: usize, rows: u32, steps: i64): u32 {
  return priceValue(prices, sign, startClass(rows), false, steps);
}

/** What it gains. */
export function priceSlope(prices: usize, sign: usize, rows: u32, steps: i64): u32 {
  return priceValue(prices, sign, slopeClass(rows), true, steps);
}

/** No slope of a line of so many rows costs less. */
export function cheapestSlope(prices: usize, rows: u32): u32 {
  const moved = prices + MOVED + ((<usize>slopeClass(rows)) << 3);
  return min(load<u32>(moved), load<u32>(moved, 4));
}

/** No slope of a line of so many rows, that is not 0 and has this sign, costs less. */
export function cheapestMove(prices: usize, sign: usize, rows: u32, isNegative: bool): u32 {
  const ofClass = slopeClass(rows);
  const moved = priceIn(prices + MOVED, movedBit(0, ofClass), BITS_LINE_MOVED, true);
  const negative = priceIn(prices + SIGNS, signBit(0, true, sign), BITS_LINE_SIGN, isNegative);
  return moved + negative + load<u32>(prices + CLASS_BYTES * <usize>ofClass + LEAST);
}
