/**
 * Rows of a LAMMPS dump, text to columns of doubles, each rounded exactly.
 *
 *   TEXT   [ … complete lines … ]      the host writes, parseRows reads
 *   TILE   column-major, tileRows(columns) rows a column: doubles; for a column of words (offset u32, length u32)
 *   HELD   numbers that need more than 64 bits of arithmetic: (column, row, offset, length), u32 each; the host
 *          parses them and fills the gaps in the tile
 *
 * A number of up to 15 characters is taken without a loop: the 16 bytes up to its end, and those one further left for
 * what is in front of the point, are put together, and three multiply-adds make the integer m of at most 15 digits. m and
 * 10^k, k <= 22, are exact doubles, so that m / 10^k and m * 10^k are rounded once, as the text's own value is.
 *
 * @see Clinger 1990, "How to read floating point numbers accurately", fast path
 */
import { FIVES, LARGEST_POWER, roundDecimal, SMALLEST_POWER } from "./decimal-rounding";

/** Where the host writes its table, and its first and last powers. */
export const FIVES_TABLE: usize = FIVES;
export const FIRST_POWER: i32 = SMALLEST_POWER;
export const LAST_POWER: i32 = LARGEST_POWER;

export const TEXT_BYTES: i32 = 1 << 18;
export const MAX_COLUMNS: i32 = 1024;
/** Doubles of a tile: with the text, small enough for a second-level cache. */
export const TILE_CELLS: i32 = 1 << 15;
export const MAX_HELD: i32 = 4096;
/** A load of 16 bytes may begin at the last byte of the text. */
const SLACK: i32 = 32;

export const TEXT: usize = memory.data(TEXT_BYTES + SLACK, 16);
export const TILE: usize = memory.data(TILE_CELLS * 8, 64);
export const HELD: usize = memory.data(MAX_HELD * 16, 16);
/** One byte a column, written by the host: 1 for words. */
export const IS_TEXT: usize = memory.data(MAX_COLUMNS);
/** One byte a column: 1 once a cell was not written as a whole number; the host clears it. */
export const NOT_WHOLE: usize = memory.data(MAX_COLUMNS);

export const ROW_SHORT: i32 = 1;
export const ROW_LONG: i32 = 2;
export const NOT_A_NUMBER: i32 = 3;

/** What stopped the last call: 0 or one of the above; then the column and the offset of the cell. */
export let problem: i32 = 0;
export let problemColumn: i32 = 0;
export let problemAt: i32 = 0;
/** Offset behind the last row taken. */
export let taken: i32 = 0;
/** Entries in HELD. */
export let held: i32 = 0;

const POWERS: usize = memory.data<f64>([
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
  1e21, 1e22,
]);
/** Powers of ten by digits behind the point, 0 … 15; then that of a number without one. */
const DIVISORS: usize = memory.data<f64>([
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1,
]);
const NO_POINT: i32 = 16;
/**
 * Vectors, in memory: as constants the compiler would put each together anew for every number.
 *
 * From the byte n of LAST_LANES on: sixteen lanes of which the last n are set; 0 <= n <= 16.
 */
const LAST_LANES: usize = memory.data<u8>([
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
  255, 255,
]);
const BEHIND_BLANKS: usize = memory.data<u8>([33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33, 33], 16);
const POINTS: usize = memory.data<u8>([46, 46, 46, 46, 46, 46, 46, 46, 46, 46, 46, 46, 46, 46, 46, 46], 16);
const ZEROS: usize = memory.data<u8>([48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48], 16);
/** Added to a byte of 10 … 127, this sets its sign. */
const BEHIND_NINE: usize = memory.data<u8>(
  [118, 118, 118, 118, 118, 118, 118, 118, 118, 118, 118, 118, 118, 118, 118, 118],
  16,
);
const LOW_BYTES: usize = memory.data<u16>([255, 255, 255, 255, 255, 255, 255, 255], 16);
const TENS: usize = memory.data<u16>([10, 10, 10, 10, 10, 10, 10, 10], 16);
const HUNDREDS: usize = memory.data<u16>([100, 1, 100, 1, 100, 1, 100, 1], 16);
const TEN_THOUSANDS: usize = memory.data<u16>([10000, 1, 10000, 1, 10000, 1, 10000, 1], 16);
const MAX_EXACT_POWER: i32 = 22;
const MAX_EXACT_INTEGER: u64 = 1 << 53;
/** Longest run of digits that always fits 64 bits. */
const MAX_DIGITS: i32 = 19;
/** More than the digits of the longest line: beyond this an exponent only says 0 or infinity. */
const EXPONENT_CAP: i32 = 1 << 20;

const BLANK: u32 = 0x20;
const TAB: u32 = 0x09;
const LINE_FEED: u32 = 0x0a;
const CARRIAGE_RETURN: u32 = 0x0d;
const PLUS: u32 = 0x2b;
const MINUS: u32 = 0x2d;
const POINT: u32 = 0x2e;

/** Address of the cell that is no number. */
let badCell: usize = 0;
/** Value of the number that parseLong took. */
let longValue: f64 = 0;
let isLongWhole: bool = false;
/** Its value is left to the host. */
let isLongHeld: bool = false;

/** Rows of a tile of so many columns; an odd number of cache lines, so that neighbouring columns meet in no cache set. */
export function tileRows(columns: i32): i32 {
  return ((TILE_CELLS / columns - 8) & ~15) + 8;
}

/**
 * Take rows, each a whole line with exactly `columns` cells.
 *
 * @param start    offset in TEXT
 * @param end      offset behind the last line feed; TEXT holds lines only up to here
 * @param columns  1 … MAX_COLUMNS
 * @param maxRows  at most tileRows(columns)
 * @returns rows taken, all of them in the tile; fewer than asked for when the text ends, HELD is full, or `problem` says why
 */
export function parseRows(start: i32, end: i32, columns: i32, maxRows: i32): i32 {
  const stride: usize = (<usize>tileRows(columns)) << 3;
  const textEnd = TEXT + end;
  let p = TEXT + start;
  let rows = 0;
  problem = 0;
  held = 0;
  while (rows < maxRows && p < textEnd && held + columns <= MAX_HELD) {
    const line = p;
    let cell = TILE + ((<usize>rows) << 3);
    for (let c = 0; c < columns; c++) {
      // One blank, nearly always.
      p += <usize>(<u32>load<u8>(p) == BLANK);
      if (<u32>load<u8>(p) <= BLANK) {
        while (isBlank(load<u8>(p))) p++;
      }
      if (load<u8>(IS_TEXT + c)) {
        const word = p;
        while (!isSpace(load<u8>(p))) p++;
        if (p == word) return stop(ROW_SHORT, c, p, line, rows);
        store<u32>(cell, <u32>(word - TEXT));
        store<u32>(cell, <u32>(p - word), 4);
      } else {
        p = takeNumber(p, c, rows, cell);
        if (p == 0) return stop(isLineEnd(load<u8>(badCell)) ? ROW_SHORT : NOT_A_NUMBER, c, badCell, line, rows);
      }
      cell += stride;
    }
    while (isBlank(load<u8>(p))) p++;
    if (<u32>load<u8>(p) == CARRIAGE_RETURN) p++;
    if (<u32>load<u8>(p) != LINE_FEED) return stop(ROW_LONG, columns, p, line, rows);
    p++;
    rows++;
  }
  taken = <i32>(p - TEXT);
  return rows;
}

function stop(why: i32, column: i32, at: usize, line: usize, rows: i32): i32 {
  problem = why;
  problemColumn = column;
  problemAt = <i32>(at - TEXT);
  taken = <i32>(line - TEXT);
  return rows;
}

/** @returns behind the number; 0 when there is none at `badCell` */
function takeNumber(start: usize, column: i32, row: i32, cell: usize): usize {
  const bytes = v128.load(start);
  // Where the next cell begins depends on this alone, so that the work on one number overlaps with that on the next.
  const spaces: u32 = i8x16.bitmask(i8x16.lt_s(bytes, v128.load(BEHIND_BLANKS)));
  const length: i32 = ctz(spaces | 0x10000);
  const end = start + <usize>length;
  const points: u32 = i8x16.bitmask(i8x16.eq(bytes, v128.load(POINTS)));
  const point: i32 = ctz(points | 0x10000);
  const hasPoint = point < length;
  const fraction: i32 = hasPoint ? length - 1 - point : NO_POINT;
  const isNegative = <u32>load<u8>(start) == MINUS;
  const count: i32 = length - <i32>isNegative - <i32>hasPoint;
  // Without the point: what is in front of it moves up by one.
  const joined = v128.bitselect(v128.load(end - 16), v128.load(end - 17), v128.load(LAST_LANES + fraction));
  const digits = v128.and(i8x16.sub(joined, v128.load(ZEROS)), v128.load(LAST_LANES + count));
  const mark: u32 = load<u8>(end);
  const isOther = i8x16.bitmask(v128.or(digits, i8x16.add(digits, v128.load(BEHIND_NINE)))) != 0;
  if (length >= 16 || count <= 0 || isOther || (mark != BLANK && !isSpace(mark))) {
    return takeLong(start, column, row, cell);
  }
  const m = joinDigits(digits, count);
  const value = <f64>m / load<f64>(DIVISORS + ((<usize>fraction) << 3));
  // No branch on the sign: nobody can foresee that of a velocity.
  store<u64>(cell, reinterpret<u64>(value) | ((<u64>isNegative) << 63));
  if (hasPoint || (isNegative && m == 0)) store<u8>(NOT_WHOLE + column, 1);
  return end;
}

/**
 * Digits as one integer.
 *
 * @param digits  16 lanes 0 … 9, the last of them last
 * @param count   those that may not be 0, 1 … 15
 */
function joinDigits(digits: v128, count: i32): i64 {
  const tens = i16x8.mul(v128.and(digits, v128.load(LOW_BYTES)), v128.load(TENS));
  const pairs = i16x8.add(tens, i16x8.shr_u(digits, 8));
  const fours = i32x4.dot_i16x8_s(pairs, v128.load(HUNDREDS));
  const eights = i32x4.dot_i16x8_s(i16x8.narrow_i32x4_s(fours, fours), v128.load(TEN_THOUSANDS));
  const low = <i64>i32x4.extract_lane(eights, 1);
  return count <= 8 ? low : <i64>i32x4.extract_lane(eights, 0) * 100000000 + low;
}

function takeLong(start: usize, column: i32, row: i32, cell: usize): usize {
  const first: u32 = load<u8>(start);
  const isNegative = first == MINUS;
  const end = parseLong(start + <usize>(isNegative || first == PLUS));
  if (end == 0 || !isSpace(load<u8>(end))) {
    badCell = start;
    return 0;
  }
  if (!isLongWhole || (isNegative && longValue == 0)) store<u8>(NOT_WHOLE + column, 1);
  if (isLongHeld) {
    const entry = HELD + ((<usize>held) << 4);
    store<u32>(entry, column);
    store<u32>(entry, row, 4);
    store<u32>(entry, <u32>(start - TEXT), 8);
    store<u32>(entry, <u32>(end - start), 12);
    held++;
  } else {
    store<f64>(cell, isNegative ? -longValue : longValue);
  }
  return end;
}

/** A number without its sign, of any length, or `nan`, `inf`, `infinity`. @returns behind it; 0: there is none */
function parseLong(from: usize): usize {
  let p = from;
  let m: u64 = 0;
  let kept = 0;
  let power = 0;
  let hasDigits = false;
  let hasPoint = false;
  let isCut = false;
  for (; ; p++) {
    const c: u32 = load<u8>(p);
    const digit = c - 0x30;
    if (digit < 10) {
      hasDigits = true;
      if (kept < MAX_DIGITS) {
        m = m * 10 + digit;
        if (m != 0) kept++;
        if (hasPoint) power--;
      } else {
        if (digit != 0) isCut = true;
        if (!hasPoint) power++;
      }
    } else if (c == POINT && !hasPoint) hasPoint = true;
    else break;
  }
  if (!hasDigits) return hasPoint ? 0 : parseWord(p);
  isLongWhole = !hasPoint;
  if ((load<u8>(p) | 0x20) == 0x65) {
    isLongWhole = false;
    p++;
    const sign: u32 = load<u8>(p);
    if (sign == MINUS || sign == PLUS) p++;
    const firstDigit = p;
    let exponent = 0;
    for (; <u32>load<u8>(p) - 0x30 < 10; p++) exponent = min(EXPONENT_CAP, exponent * 10 + (<i32>load<u8>(p) - 0x30));
    if (p == firstDigit) return 0;
    power += sign == MINUS ? -exponent : exponent;
  }
  isLongHeld = false;
  if (m == 0) longValue = 0;
  else if (isCut) isLongHeld = true;
  else if (m <= MAX_EXACT_INTEGER && power >= -MAX_EXACT_POWER && power <= MAX_EXACT_POWER) {
    const scale = load<f64>(POWERS + ((<usize>abs(power)) << 3));
    longValue = power < 0 ? <f64>m / scale : <f64>m * scale;
  } else {
    longValue = roundDecimal(m, power);
    isLongHeld = longValue < 0;
  }
  // A whole number that a double need not hold is the host's to judge.
  if (isLongWhole && m >= MAX_EXACT_INTEGER) isLongHeld = true;
  return p;
}

function parseWord(p: usize): usize {
  const word = load<u32>(p) & 0xdfdfdf;
  isLongWhole = false;
  isLongHeld = false;
  if (word == 0x4e414e) {
    longValue = NaN;
    return p + 3;
  }
  if (word != 0x464e49) return 0;
  longValue = Infinity;
  const isLong = (load<u32>(p, 3) & 0xdfdfdfdf) == 0x54494e49 && (load<u8>(p, 7) & 0xdf) == 0x59;
  return p + (isLong ? 8 : 3);
}

function isBlank(c: u32): bool {
  return c == BLANK || c == TAB;
}

function isLineEnd(c: u32): bool {
  return c == LINE_FEED || c == CARRIAGE_RETURN;
}

function isSpace(c: u32): bool {
  return isBlank(c) || isLineEnd(c);
}
