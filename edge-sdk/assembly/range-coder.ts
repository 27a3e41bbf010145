import {
  CODER_CODE,
  CODER_END,
  CODER_HIGH,
  CODER_LOUD,
  CODER_LOW,
  CODER_MODE,
  CODER_POSITION,
  CODER_SINGLE,
  CODER_START,
  coderOf,
} from "./layout";
import { STATUS_NOT_CANONICAL, STATUS_OUTPUT_FULL } from "./status";

/**
 * Binary range coder: an interval [low, high] of 32-bit words that shrinks with every bit; a byte leaves when both ends
 * agree on it, so no carry ever runs back. One function codes in every direction, which is why both ends cannot differ.
 *
 * @see Matt Mahoney, "Data Compression Explained", 2013, section 3.2 (the carry-less coder of the PAQ family)
 */
export const MODE_ENCODE: u8 = 0;
export const MODE_DECODE: u8 = 1;
/** No bytes at all: every bit is a zero, only the models learn. */
export const MODE_REPLAY: u8 = 2;

const HALF_Q16: u32 = 1 << 15;
const TOP_BYTE: u32 = 0xff000000;
const WINDOW_BYTES: i32 = 4;

/**
 * Has this module ever begun to decode or replay? 1 or 0. Firmware that never does has it as a constant, which takes all
 * that only decoders need out of what it encodes with.
 */
export let decodes: u32 = 0;

/** The coder of a module of one device, from the beginning of its frame on, so that nobody hands it about. */
let own: usize = 0;

function coderOfFrame(coder: usize): usize {
  return isDefined(ONE_DEVICE) ? own : coder;
}

/** The coder of a frame that was begun. */
export function runningCoder(cfg: usize, st: usize): usize {
  return isDefined(ONE_DEVICE) ? own : coderOf(cfg, st);
}

/** Does the coder go in this direction, which is not MODE_ENCODE? 1 or 0 */
export function isCoding(coder: usize, mode: u8): u32 {
  coder = coderOfFrame(coder);
  return decodes & u32(load<u8>(coder, CODER_MODE) == mode);
}

/** Start a frame to encode: whole interval, no bytes yet. */
export function coderBegin(coder: usize, flags: u32, start: usize, capacity: i32): void {
  begin(coder, MODE_ENCODE, flags, start, capacity);
}

/** Start a frame that was encoded, or a quiet one; a decoder fills its window. */
export function coderBeginAgain(coder: usize, mode: u8, flags: u32, start: usize, length: i32): void {
  decodes = 1;
  begin(coder, mode, flags, start, length);
  if (mode == MODE_DECODE) for (let i = 0; i < WINDOW_BYTES; i++) shiftIn(coder); // pushes all that was there out
}

function begin(coder: usize, mode: u8, flags: u32, start: usize, length: i32): void {
  if (isDefined(ONE_DEVICE)) own = coder;
  store<u32>(coder, 0, CODER_LOW);
  store<u32>(coder, 0xffffffff, CODER_HIGH);
  store<u32>(coder, <u32>start, CODER_START);
  store<u32>(coder, <u32>start, CODER_POSITION);
  store<u32>(coder, <u32>start + <u32>max(length, 0), CODER_END);
  // mode, flags, loud (a frame with flags is) and single, a byte each
  store<u32>(coder, <u32>mode | (flags * 0x10100) | (u32(length == 1) << 24), CODER_MODE);
}

/** Move the decoder's window by a byte; past the end of the input come zeros, for ever. */
function shiftIn(coder: usize): void {
  coder = coderOfFrame(coder);
  const position = load<u32>(coder, CODER_POSITION);
  const byte: u32 = position < load<u32>(coder, CODER_END) ? load<u8>(position) : 0;
  store<u32>(coder, (load<u32>(coder, CODER_CODE) << 8) | byte, CODER_CODE);
  store<u32>(coder, position + 1, CODER_POSITION);
}

/** Write one byte; past the end of the room nothing is stored. */
function putByte(coder: usize, byte: u32): void {
  coder = coderOfFrame(coder);
  const position = load<u32>(coder, CODER_POSITION);
  if (position < load<u32>(coder, CODER_END)) store<u8>(position, <u8>byte);
  store<u32>(coder, position + 1, CODER_POSITION);
}

/** Code one bit whose probability of being 1 is given in Q16, 0 < p < 65536. Keeps low < high. */
function codeWithProbability(coder: usize, p: u32, bit: bool): bool {
  coder = coderOfFrame(coder);
  let low = load<u32>(coder, CODER_LOW);
  let high = load<u32>(coder, CODER_HIGH);
  const isDecoder = isCoding(coder, MODE_DECODE) != 0;
  const middle = low + <u32>((<u64>(high - low) * p) >> 16);
  if (isDecoder) bit = load<u32>(coder, CODER_CODE) <= middle;
  if (bit) high = middle;
  else low = middle + 1;
  while (((low ^ high) & TOP_BYTE) == 0) {
    if (isDecoder) shiftIn(coder);
    else putByte(coder, high >> 24);
    low <<= 8;
    high = (high << 8) | 0xff;
  }
  store<u32>(coder, low, CODER_LOW);
  store<u32>(coder, high, CODER_HIGH);
  return bit;
}

/** Code one bit of a model with this probability of 1 in Q16. A decoder ignores `bit` and returns what it read. */
export function codeLearned(coder: usize, p: u32, bit: bool): bool {
  return isCoding(coder, MODE_REPLAY) != 0 ? false : codeWithProbability(coder, p, bit);
}

/** Code `bits` bits without a model, most significant first. Range: 0 <= bits <= 32. */
export function codeRaw(coder: usize, bits: i32, value: u32): u32 {
  let coded: u32 = 0;
  for (let i = bits - 1; i >= 0; i--) {
    coded = (coded << 1) | u32(codeWithProbability(coder, HALF_Q16, ((value >> i) & 1) != 0));
  }
  return coded;
}

/** The word inside the interval with the most zero bytes at its end, which need not be written. */
function flushWord(coder: usize): u32 {
  coder = coderOfFrame(coder);
  const low = load<u32>(coder, CODER_LOW);
  const high = load<u32>(coder, CODER_HIGH);
  let mask: u32 = 0xffffffff;
  let word: u32 = 0;
  do {
    mask >>= 8;
    word = (low + mask) & ~mask; // wraps below low where no such word is
  } while (word < low || word > high);
  return word;
}

/**
 * End an encoded frame with the shortest bytes inside the interval, or with none when it was quiet.
 *
 * @returns payload bytes, or STATUS_OUTPUT_FULL
 */
export function coderFlush(coder: usize): i32 {
  coder = coderOfFrame(coder);
  if (load<u8>(coder, CODER_LOUD) == 0) return 0;
  const word = flushWord(coder);
  for (let shift = 24; shift >= 0; shift -= 8) putByte(coder, word >> shift);
  const start = load<u32>(coder, CODER_START);
  let end = load<u32>(coder, CODER_POSITION);
  if (end > load<u32>(coder, CODER_END)) return STATUS_OUTPUT_FULL;
  while (end > start + 1 && load<u8>(end - 1) == 0) end--; // the decoder reads zeros past the end anyway
  return <i32>(end - start);
}

/** Check that the bytes of a decoded frame are the ones that `coderFlush` would have written. @returns 0 or a status */
export function coderVerify(coder: usize): i32 {
  coder = coderOfFrame(coder);
  const end = load<u32>(coder, CODER_END);
  if (load<u8>(coder, CODER_MODE) == MODE_REPLAY) return 0;
  const isLonger =
    end > load<u32>(coder, CODER_POSITION) || (load<u8>(end - 1) == 0 && load<u8>(coder, CODER_SINGLE) == 0);
  const isQuiet = load<u8>(coder, CODER_LOUD) == 0;
  return load<u32>(coder, CODER_CODE) != flushWord(coder) || isLonger || isQuiet ? STATUS_NOT_CANONICAL : 0;
}
