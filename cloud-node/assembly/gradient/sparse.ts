import {
  BLOCK,
  BLOCK_LEVELS,
  closeBlock,
  columnBytes,
  LEVELS,
  noteSent,
  openActivity,
  openActivityLine,
  openBlock,
  openMatrix,
} from "./activity";
import { closeBitEncoder, isBitDecoderDone, openBitDecoder, openBitEncoder } from "./bit-coder";
import { decodeGap, encodeGap, openGaps } from "./gaps";
import { closeSignsLine, forecastSign, noteSign, openSigns, pairBytes, trustOf } from "./signs";
import { STATUS_DAMAGED, STATUS_FULL } from "./status";
import { decodeIsWrong, decodeSize, encodeValue, openValues } from "./values";

/**
 * The coder of sparse codes: of each level, gaps; at each coordinate that is sent, its value.
 *
 * A decoder asks for the gap of a level when it comes upon a coordinate of that level and knows none. An encoder learns a
 * gap only at its end: it notes events in the decoder's order, fills gaps in later, and writes them all in the end.
 *
 *     event, 8 bytes    gap:    u32 1 << 31 | level,                        u32 gap
 *                       value:  u32 isWrong << 12 | trust << 8 | level,     u32 size
 */
const EVENT_BYTES: usize = 8;
const IS_GAP: u32 = 1 << 31;
/** Of a level whose gap is not known. */
const UNKNOWN: i32 = -1;
const GAPS: usize = memory.data(24 * 4, 16);
const OPEN_EVENTS: usize = memory.data(24 * 4, 16);

let work: usize = 0;
let events: usize = 0;
let eventsFrom: usize = 0;
let largestSize: i32 = 0;

/** Bytes of work for matrices with so many columns. */
export function workBytes(columns: i32): usize {
  return ((columnBytes(columns) + 63) & ~63) + pairBytes(columns);
}

/** Bytes of the events of so many coordinates that are sent. */
export function eventBytes(sent: i32): usize {
  return <usize>(2 * sent + LEVELS) * EVENT_BYTES;
}

function openMessage(at: usize, count: i32, largest: i32): void {
  work = at;
  largestSize = largest;
  openActivity();
  openGaps(count);
  openValues(largest);
  for (let level = 0; level < LEVELS; level++) store<i32>(GAPS + ((<usize>level) << 2), UNKNOWN);
}

function openTensor(lines: i32, columns: i32): void {
  openMatrix(work, lines, columns);
  openSigns(work + ((columnBytes(columns) + 63) & ~63), lines, columns);
}

/**
 * Begin to encode.
 *
 * @param at  `workBytes` of the widest tensor
 * @param eventsAt  `eventBytes` of all that is sent
 * @param count  of all coordinates
 * @param largest  the largest size of a code, 1 … 32767
 */
export function openSparseEncoder(at: usize, eventsAt: usize, count: i32, largest: i32): void {
  openMessage(at, count, largest);
  events = eventsFrom = eventsAt;
}

/**
 * Note the events of a tensor.
 *
 * @param codes  i16, (lines, columns), 15 more are readable
 */
export function encodeTensor(codes: usize, lines: i32, columns: i32): void {
  openTensor(lines, columns);
  let at = codes;
  for (let line = 0; line < lines; line++) {
    openActivityLine();
    for (let column = 0; column < columns; column += BLOCK) {
      const count = min(BLOCK, columns - column);
      openBlock(column, count);
      const sent = noteBlock(at, column, count);
      closeBlock(sent);
      at += (<usize>count) << 1;
    }
    closeSignsLine();
  }
}

function noteBlock(codes: usize, column: i32, count: i32): i32 {
  let sent = 0;
  for (let lane = 0; lane < count; lane++) {
    const level = <usize>load<u8>(BLOCK_LEVELS + lane);
    const gapAt = GAPS + (level << 2);
    const gap = load<i32>(gapAt);
    const code = <i32>load<i16>(codes + ((<usize>lane) << 1));
    if ((gap | -code | code) >= 0) {
      store<i32>(gapAt, gap + 1);
      continue;
    }
    if (gap == UNKNOWN) openGap(level);
    if (code == 0) {
      store<i32>(gapAt, max(gap, 0) + 1);
      continue;
    }
    store<u32>(load<u32>(OPEN_EVENTS + (level << 2)), <u32>max(gap, 0), 4);
    store<i32>(gapAt, UNKNOWN);
    noteValue(<u32>level, column + lane, code);
    sent += 1;
  }
  return sent;
}

function openGap(level: usize): void {
  store<u32>(OPEN_EVENTS + (level << 2), <u32>events);
  store<u32>(events, IS_GAP | <u32>level);
  events += EVENT_BYTES;
}

function noteValue(level: u32, column: i32, code: i32): void {
  const isNegative = <u32>code >> 31;
  const forecast = forecastSign(column);
  const isWrong = isNegative ^ (<u32>forecast >> 31);
  const trust = <u32>trustOf(abs(forecast));
  store<u32>(events, (isWrong << 12) | (trust << 8) | level);
  store<u32>(events, <u32>abs(code), 4);
  events += EVENT_BYTES;
  noteSign(column, isNegative);
  noteSent(column);
}

/** Write all events. @returns bytes, or STATUS_FULL */
export function closeSparseEncoder(out: usize, room: i32): i32 {
  for (let level: usize = 0; level < <usize>LEVELS; level++) {
    const gap = load<i32>(GAPS + (level << 2));
    if (gap != UNKNOWN) store<u32>(load<u32>(OPEN_EVENTS + (level << 2)), <u32>gap, 4);
  }
  openBitEncoder(out, out + room);
  for (let at = eventsFrom; at < events; at += EVENT_BYTES) {
    const head = load<u32>(at);
    const value = load<u32>(at, 4);
    if (head & IS_GAP) encodeGap(<i32>(head & 255), value);
    else encodeValue(<i32>(head & 255), (head >> 8) & 15, head >> 12, <i32>value);
  }
  const bytes = <i32>(closeBitEncoder() - out);
  return bytes > room ? STATUS_FULL : bytes;
}

/** Begin to decode. @param at, count, largest  as the encoder had them */
export function openSparseDecoder(at: usize, bytes: usize, length: i32, count: i32, largest: i32): void {
  openMessage(at, count, largest);
  openBitDecoder(bytes, bytes + length);
}

/** Mirror of `encodeTensor`. @returns 0 or STATUS_DAMAGED */
export function decodeTensor(codes: usize, lines: i32, columns: i32): i32 {
  openTensor(lines, columns);
  let at = codes;
  for (let line = 0; line < lines; line++) {
    openActivityLine();
    for (let column = 0; column < columns; column += BLOCK) {
      const count = min(BLOCK, columns - column);
      openBlock(column, count);
      const sent = readBlock(at, column, count);
      if (sent < 0) return sent;
      closeBlock(sent);
      at += (<usize>count) << 1;
    }
    closeSignsLine();
  }
  return 0;
}

function readBlock(codes: usize, column: i32, count: i32): i32 {
  let sent = 0;
  for (let lane = 0; lane < count; lane++) {
    const level = <usize>load<u8>(BLOCK_LEVELS + lane);
    const gapAt = GAPS + (level << 2);
    let gap = load<i32>(gapAt);
    const at = codes + ((<usize>lane) << 1);
    if (gap == UNKNOWN) gap = <i32>decodeGap(<i32>level);
    if (gap > 0) {
      store<i32>(gapAt, gap - 1);
      store<i16>(at, 0);
      continue;
    }
    if (gap < 0) return STATUS_DAMAGED;
    store<i32>(gapAt, UNKNOWN);
    const code = readValue(<i32>level, column + lane);
    if (abs(code) > largestSize) return STATUS_DAMAGED;
    store<i16>(at, <i16>code);
    sent += 1;
  }
  return sent;
}

function readValue(level: i32, column: i32): i32 {
  const forecast = forecastSign(column);
  const isNegative = decodeIsWrong(trustOf(abs(forecast))) ^ (<u32>forecast >> 31);
  const size = decodeSize(level);
  noteSign(column, isNegative);
  noteSent(column);
  return isNegative ? -size : size;
}

/** Whether a message ended where its codes did. @returns 0 or STATUS_DAMAGED */
export function closeSparseDecoder(): i32 {
  return isBitDecoderDone() ? 0 : STATUS_DAMAGED;
}
