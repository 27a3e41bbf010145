import { probabilityQ16 } from "./adaptive-bit";
import { CODER_HIGH, CODER_LOW, CODER_POSITION, LINE_BLOCK_ROWS } from "./layout";
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
 * planner compares thousands of lines, so magnitudes come from tables in caller-owned memory, filled once per block:
 *
 *     0        4 x 2049     a line of 0..2048 rows that does not reach the end
 *     ...      4 x 5 x 64   a value's magnitude, by class, length and the bit below the leading one
 */
const MAGNITUDES: usize = 4 * (<usize>LINE_BLOCK_ROWS + 1);
/** Bytes of the tables. */
export const PRICE_BYTES: usize = MAGNITUDES + 4 * 5 * 64;

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

/** What a coder has spent since its output's address 0, but for its flush. */
export function coderSpent(coder: usize): u64 {
  const width = load<u32>(coder, CODER_HIGH) - load<u32>(coder, CODER_LOW);
  return ((<u64>load<u32>(coder, CODER_POSITION)) << 11) + 32 * BIT - log2Q8(width | 1);
}

/** Price of a magnitude w by its bits, as codeMagnitude codes it. */
function priceMagnitude(bits: usize, levels: i32, w: u32): u32 {
  const b = 31 - <i32>clz(w);
  let price = priceBit(bits + ((<usize>min(b, levels)) << 1), false);
  for (let i = 0; i < b; i++) price += priceBit(bits + ((<usize>min(i, levels)) << 1), true);
  if (b == 0) return price;
  const level = min(b, levels);
  const top = (w >> (b - 1)) & 1;
  price += priceBit(bits + ((<usize>(levels + level)) << 1), top != 0) + BIT * (b - 1);
  if (levels == ROWS_LEVELS && b > 1) price += priceBit(secondBit(bits, level, top), ((w >> (b - 2)) & 1) != 0) - BIT;
  return price;
}

/** Fill the tables. */
export function fillPrices(st: usize, prices: usize): void {
  for (let w: u32 = 1; w <= LINE_BLOCK_ROWS; w++) {
    store<u32>(prices + ((<usize>w) << 2), priceMagnitude(rowsBits(st), ROWS_LEVELS, w));
  }
  for (let valueClass = 0; valueClass < VALUE_CLASSES; valueClass++) {
    const row = prices + MAGNITUDES + ((<usize>valueClass) << 8);
    for (let b: u32 = 0; b < 32; b++) {
      for (let top: u32 = 0; top < 2; top++) {
        const w = b == 0 ? 1 : (2 | top) << (b - 1);
        store<u32>(row + ((<usize>((b << 1) | top)) << 2), priceMagnitude(valueBits(st, valueClass), VALUE_LEVELS, w));
      }
    }
  }
}

/** Whether the channel is on lines. */
export function priceMode(st: usize, context: usize, isOnLines: bool): u32 {
  return priceBit(modeBit(st, context), isOnLines);
}

/** Whether the open line goes on. */
export function priceGoesOn(st: usize, goesOn: bool): u32 {
  return priceBit(goesOnBit(st), goesOn);
}

/** How many rows of the `left` that the block has. */
export function priceRows(st: usize, prices: usize, left: u32, isNew: bool, rows: u32): u32 {
  const reaches = priceBit(reachesBit(st, left, isNew), rows == left);
  return rows == left ? reaches : reaches + load<u32>(prices + ((<usize>rows) << 2));
}

function priceValue(st: usize, prices: usize, sign: usize, valueClass: i32, isSlope: bool, value: i64): u32 {
  const moved = priceBit(movedBit(st, valueClass), value != 0);
  if (value == 0) return moved;
  const w = <u32>(value < 0 ? -value : value);
  const b = 31 - clz(w);
  const top = b == 0 ? 0 : (w >> (b - 1)) & 1;
  const magnitude = prices + MAGNITUDES + ((<usize>valueClass) << 8) + ((<usize>((b << 1) | top)) << 2);
  return moved + priceBit(signBit(st, isSlope, sign), value < 0) + load<u32>(magnitude);
}

/** The step to a line's start. */
export function priceStart(st: usize, prices: usize, sign: usize, rows: u32, steps: i64): u32 {
  return priceValue(st, prices, sign, startClass(rows), false, steps);
}

/** What it gains. */
export function priceSlope(st: usize, prices: usize, sign: usize, rows: u32, steps: i64): u32 {
  return priceValue(st, prices, sign, slopeClass(rows), true, steps);
}
