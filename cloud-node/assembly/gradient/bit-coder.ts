import { learnBit, probabilityQ16 } from "./adaptive-bit";

/**
 * Binary range coder with 64 bits: an interval [low, low + range) that shrinks with every bit; four bytes leave at once when
 * range falls below 2^32, and a carry runs back into what was written.
 *
 * @see G. N. N. Martin, "Range encoding: an algorithm for removing redundancy from a digitised message", 1979
 */
const LEAST_RANGE: u64 = 1 << 32;

let low: u64 = 0;
let range: u64 = 0;
/** Of the decoder: how far the number that is read lies above low. */
let ahead: u64 = 0;
let position: usize = 0;
let start: usize = 0;
let end: usize = 0;

/** Begin to write; nothing is stored at `limit` or beyond. */
export function openBitEncoder(at: usize, limit: usize): void {
  low = 0;
  range = ~0;
  start = position = at;
  end = limit;
}

function shiftOut(): void {
  if (position + 4 <= end) store<u32>(position, bswap<u32>(<u32>(low >> 32)));
  position += 4;
  low <<= 32;
  range <<= 32;
}

function carry(): void {
  let at = min(position, start + ((end - start) & ~3));
  while (at > start) {
    at -= 4;
    const word = bswap<u32>(load<u32>(at)) + 1;
    store<u32>(at, bswap<u32>(word));
    if (word != 0) return;
  }
}

function raiseLow(by: u64): void {
  low += by;
  if (low < by) carry();
}

/** Encode a bit, 0 or 1, by its model, which learns it. */
export function encodeBit(model: usize, bit: u32): void {
  const ones = (range >> 16) * <u64>probabilityQ16(model);
  learnBit(model, bit);
  if (bit) range = ones;
  else {
    raiseLow(ones);
    range -= ones;
  }
  if (range < LEAST_RANGE) shiftOut();
}

/** Encode bits without a model. Range: 1 <= count <= 16, value < 2^count. */
export function encodePlain(value: u32, count: u32): void {
  range >>= <u64>count;
  raiseLow(range * <u64>value);
  if (range < LEAST_RANGE) shiftOut();
}

/** End with the fewest bytes inside the interval: beyond the end, zeros are read. @returns behind the last one; beyond `limit` when there was no room */
export function closeBitEncoder(): usize {
  let mask: u64 = ~0;
  let value: u64 = 0;
  while (value - low >= range) {
    mask >>= 8;
    value = (low + mask) & ~mask;
  }
  if (value < low) carry();
  low = value;
  for (; value != 0; value <<= 8) {
    if (position < end) store<u8>(position, <u8>(value >> 56));
    position += 1;
  }
  return position;
}

/** Begin to read bytes from `at` up to `limit`; beyond it come zeros. */
export function openBitDecoder(at: usize, limit: usize): void {
  position = at;
  end = limit;
  range = ~0;
  ahead = 0;
  for (let word = 0; word < 2; word++) shiftIn();
}

function shiftIn(): void {
  let word: u32 = 0;
  if (position + 4 <= end) word = bswap<u32>(load<u32>(position));
  else for (let i: usize = 0; i < 4; i++) word = (word << 8) | (position + i < end ? <u32>load<u8>(position + i) : 0);
  ahead = (ahead << 32) | <u64>word;
  position += 4;
}

/** Mirror of `encodeBit`. */
export function decodeBit(model: usize): u32 {
  const ones = (range >> 16) * <u64>probabilityQ16(model);
  const bit = u32(ahead < ones);
  learnBit(model, bit);
  if (bit) range = ones;
  else {
    ahead -= ones;
    range -= ones;
  }
  if (range < LEAST_RANGE) {
    range <<= 32;
    shiftIn();
  }
  return bit;
}

/** Mirror of `encodePlain`. */
export function decodePlain(count: u32): u32 {
  range >>= <u64>count;
  const value = min<u64>(ahead / range, (1 << count) - 1);
  ahead -= value * range;
  if (range < LEAST_RANGE) {
    range <<= 32;
    shiftIn();
  }
  return <u32>value;
}

/** Whether a message ends where the encoder would have ended it: no byte is left over. */
export function isBitDecoderDone(): bool {
  return position >= end;
}
