import {
  BLOCK,
  BLOCK_LEVELS,
  closeBlock,
  noteSentBlock,
  openActivity,
  openActivityLine,
  openBlock,
  openMatrix,
} from "./activity";
import {
  clearCounts,
  countSymbol,
  PART_BITS,
  partOf,
  readTables,
  symbolAt,
  TABLE_ROOM,
  writeTables,
} from "./frequency-tables";
import { bitsReadTo, closeBitWriter, openBitReader, openBitWriter, readBits, writeBits } from "./plain-bits";
import { bitsBelow, firstSize, openSizes, SYMBOLS, symbolOf } from "./size-symbols";
import { STATUS_DAMAGED } from "./status";

/**
 * The coder of dense codes, where gaps are short and most coordinates have something to say: every coordinate's size by the
 * table of its level, signs and what is below a symbol as plain bits.
 *
 *     tables | bytes of plain bits u32 | plain bits | four states u32 | words u16
 *
 * Sizes are coded by rANS with four states in turn, words of 16 bits and parts of 2^12. A state takes symbols in the reverse
 * order of the one that gives them: an encoder notes all, and codes them from the last to the first.
 *
 * @see J. Duda, "Asymmetric numeral systems", 2013; F. Giesen, "Interleaved entropy coders", 2014
 */
const STATES: usize = memory.data(4 * 4, 16);
const LAST: i32 = 3;
const STATE_BYTES: usize = 16;
/** States are at least so large between symbols, and begin there. */
const LEAST_STATE: u32 = 1 << 16;
const WORD_BITS: u32 = 16;

let work: usize = 0;
/** u16 for each coordinate: level · 16 + symbol. */
let places: usize = 0;
let count: i32 = 0;
let out: usize = 0;
let outEnd: usize = 0;
let symbolCount: i32 = 0;
let largestSize: i32 = 0;
let words: usize = 0;
let end: usize = 0;
let bitsEnd: usize = 0;

/** Bytes that the codes of so many coordinates take at most, and that an encoder needs to make them. */
export function denseBytes(coordinates: i32): usize {
  return 2 * TABLE_ROOM + <usize>coordinates * 4;
}

/** Bytes of the places of so many coordinates. */
export function placeBytes(coordinates: i32): usize {
  return (<usize>coordinates) << 1;
}

function openMessage(at: usize, largest: i32): void {
  work = at;
  largestSize = largest;
  openSizes();
  symbolCount = <i32>(symbolOf(largest) & 0xff) + 1;
  openActivity();
  for (let i: usize = 0; i < STATE_BYTES; i += 4) store<u32>(STATES + i, LEAST_STATE);
  count = 0;
}

/**
 * Begin to encode.
 *
 * @param at  `columnBytes` of the widest tensor
 * @param placesAt  `placeBytes` of all coordinates
 * @param to  `denseBytes` of them
 * @param largest  the largest size of a code, 1 … 127
 */
export function openDenseEncoder(at: usize, placesAt: usize, to: usize, coordinates: i32, largest: i32): void {
  openMessage(at, largest);
  places = placesAt;
  out = to;
  outEnd = to + denseBytes(coordinates);
  clearCounts();
  openBitWriter(out + TABLE_ROOM + 4);
}

/** Note the codes of a tensor, i16, (lines, columns). */
export function encodeDenseTensor(codes: usize, lines: i32, columns: i32): void {
  openMatrix(work, lines, columns);
  let at = codes;
  for (let line = 0; line < lines; line++) {
    openActivityLine();
    for (let column = 0; column < columns; column += BLOCK) {
      const length = min(BLOCK, columns - column);
      openBlock(column, length);
      for (let lane = 0; lane < length; lane++) notePlace(lane, <i32>load<i16>(at + ((<usize>lane) << 1)));
      closeBlock(noteSentBlock(at, column, length));
      at += (<usize>length) << 1;
    }
  }
}

/** Without a branch on the code: what has none writes no bits. */
function notePlace(lane: i32, code: i32): void {
  const size = abs(code);
  const symbol = symbolOf(size);
  const place = ((<u32>load<u8>(BLOCK_LEVELS + lane)) << 4) | (symbol & 0xff);
  store<u16>(places + ((<usize>count) << 1), <u16>place);
  count += 1;
  countSymbol(place);
  const below = symbol >> 8;
  const bits = ((<u32>size & ((1 << below) - 1)) << 1) | (<u32>code >> 31);
  writeBits(bits, below + u32(code != 0));
}

/** Write all. @returns bytes */
export function closeDenseEncoder(): i32 {
  const plain = out + TABLE_ROOM + 4;
  const plainBytes = closeBitWriter() - plain;
  openBitWriter(out);
  writeTables(symbolCount);
  const plainAt = closeBitWriter() + 4;
  encodePlaces();
  memory.copy(plainAt, plain, plainBytes);
  store<u32>(plainAt - 4, <u32>plainBytes);
  const statesAt = plainAt + plainBytes;
  memory.copy(statesAt, STATES, STATE_BYTES);
  const wordsAt = statesAt + STATE_BYTES;
  memory.copy(wordsAt, words, outEnd - words);
  return <i32>(wordsAt + (outEnd - words) - out);
}

/** From the last to the first; words from the end backwards. */
function encodePlaces(): void {
  words = outEnd;
  for (let i = count - 1; i >= 0; i--) {
    const whole = partOf(<u32>load<u16>(places + ((<usize>i) << 1)));
    const part = whole & 0xffff;
    const at = STATES + ((<usize>(i & LAST)) << 2);
    let state = load<u32>(at);
    if (<u64>state >= (<u64>part) << (32 - PART_BITS)) {
      words -= 2;
      store<u16>(words, <u16>state);
      state >>= WORD_BITS;
    }
    const quotient = state / part;
    store<u32>(at, (quotient << PART_BITS) + (state - quotient * part) + (whole >> 16));
  }
}

/** Begin to decode. @param at, largest  as the encoder had them @returns 0 or STATUS_DAMAGED */
export function openDenseDecoder(at: usize, bytes: usize, length: i32, largest: i32): i32 {
  openMessage(at, largest);
  end = bytes + length;
  openBitReader(bytes, end);
  if (!readTables(symbolCount)) return STATUS_DAMAGED;
  const plainAt = bitsReadTo() + 4;
  if (plainAt > end) return STATUS_DAMAGED;
  const plainBytes = load<u32>(plainAt - 4);
  if (<u64>plainBytes + <u64>STATE_BYTES > <u64>(end - plainAt)) return STATUS_DAMAGED;
  bitsEnd = plainAt + plainBytes;
  memory.copy(STATES, bitsEnd, STATE_BYTES);
  words = bitsEnd + STATE_BYTES;
  openBitReader(plainAt, bitsEnd);
  return 0;
}

/** Mirror of `encodeDenseTensor`. @returns 0 or STATUS_DAMAGED */
export function decodeDenseTensor(codes: usize, lines: i32, columns: i32): i32 {
  openMatrix(work, lines, columns);
  let at = codes;
  let most = 0;
  for (let line = 0; line < lines; line++) {
    openActivityLine();
    for (let column = 0; column < columns; column += BLOCK) {
      const length = min(BLOCK, columns - column);
      openBlock(column, length);
      for (let lane = 0; lane < length; lane++) {
        const symbol = nextSymbol(<i32>load<u8>(BLOCK_LEVELS + lane));
        const bits = readBits(bitsBelow(symbol) + u32(symbol != 0));
        const size = firstSize(symbol) + <i32>(bits >> 1);
        most = max(most, size);
        const isNegative = <i32>(bits & 1);
        store<i16>(at + ((<usize>lane) << 1), <i16>((size ^ -isNegative) + isNegative));
      }
      closeBlock(noteSentBlock(at, column, length));
      at += (<usize>length) << 1;
    }
  }
  return most > largestSize ? STATUS_DAMAGED : 0;
}

function nextSymbol(level: i32): i32 {
  const at = STATES + ((<usize>(count & LAST)) << 2);
  const state = load<u32>(at);
  count += 1;
  const number = state & ((1 << PART_BITS) - 1);
  const symbol = symbolAt(level, number);
  const whole = partOf(<u32>(level * SYMBOLS + symbol));
  let next = (whole & 0xffff) * (state >> PART_BITS) + number - (whole >> 16);
  if (next < LEAST_STATE) {
    next = (next << WORD_BITS) | (words + 2 <= end ? <u32>load<u16>(words) : 0);
    words += 2;
  }
  store<u32>(at, next);
  return symbol;
}

/** Whether a message ended where its codes did, and states where they began. @returns 0 or STATUS_DAMAGED */
export function closeDenseDecoder(): i32 {
  let isWhole = words == end && bitsReadTo() == bitsEnd;
  for (let i: usize = 0; i < STATE_BYTES; i += 4) isWhole = isWhole && load<u32>(STATES + i) == LEAST_STATE;
  return isWhole ? 0 : STATUS_DAMAGED;
}
