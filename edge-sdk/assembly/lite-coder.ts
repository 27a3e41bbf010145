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
} from "./layout";
import { MODE_REPLAY } from "./range-coder";
import { STATUS_NOT_CANONICAL, STATUS_OUTPUT_FULL } from "./status";

/**
 * Range coder of the lite profile: the bytes of a frame are a number below 1, of which [low, low + range) is what is still
 * possible. A carry runs back into bytes that were written, so that the range never falls below 2^24, and many bits without a
 * model cost one step. Between `openCoder` and `closeCoder` its words are in globals, which are faster than memory where a
 * module is interpreted; lite-write.ts takes them into locals.
 *
 * Functions with a D are compiled once for an encoder and once for a decoder: D is u32 or i32, told apart by their sign. A
 * decoder keeps `low` too, by which it knows what an encoder would have written last.
 *
 * @see G. N. N. Martin, "Range encoding: an algorithm for removing redundancy from a digitised message", 1979
 */
export let low: u32 = 0;
export let range: u32 = 0;
export let position: usize = 0;
/** The decoder's: its input's value less `low`, below `range`. */
export let code: u32 = 0;
/** One past the decoder's input. */
export let inputEnd: usize = 0;
export let isReplay: bool = false;
/** Was something read that no encoder writes? */
export let isRefused: bool = false;

/** Adaptive bits move by 2^-6 of the way, and count in 12 bits, of which the last is always set. */
const RATE_SHIFT: u32 = 6;
/** Bits that one step can code without a model: 2^24 is the least range that it begins with. */
export const STEP_BITS: i32 = 24;
/** Bits of the longest word. */
export const WORD_BITS: i32 = 16;

/** Take the coder's words. */
export function openCoder(coder: usize): void {
  low = load<u32>(coder, CODER_LOW);
  range = load<u32>(coder, CODER_HIGH);
  position = load<u32>(coder, CODER_POSITION);
}

/** Take a decoder's words. @returns false where its input is no number that an encoder writes */
export function openInput(coder: usize): bool {
  code = load<u32>(coder, CODER_CODE);
  inputEnd = load<u32>(coder, CODER_END);
  isReplay = load<u8>(coder, CODER_MODE) == MODE_REPLAY;
  isRefused = false;
  return isReplay || code < range;
}

/** Put the coder's words back. */
export function closeCoder(coder: usize): void {
  store<u32>(coder, low, CODER_LOW);
  store<u32>(coder, range, CODER_HIGH);
  store<u32>(coder, <u32>position, CODER_POSITION);
}

/** Put a decoder's words back. */
export function closeInput(coder: usize): void {
  store<u32>(coder, code, CODER_CODE);
}

/** Put back what was taken into locals. */
export function setCoder(newLow: u32, newRange: u32, newPosition: usize): void {
  low = newLow;
  range = newRange;
  position = newPosition;
}

/** These bytes are no encoder's. */
export function refuse(): void {
  isRefused = true;
}

/** Probability in Q12 that an adaptive bit is 0. Range: 1..4095 */
export function chanceOf(p: u32): u32 {
  return (p >> 20) | 1;
}

/** An adaptive bit that has seen a 0. */
export function afterZero(p: u32): u32 {
  return p + (-p >> RATE_SHIFT);
}

/** An adaptive bit that has seen a 1. */
export function afterOne(p: u32): u32 {
  return p - (p >> RATE_SHIFT);
}

/** Add one to the number written so far. The whole is below 1, so a byte that is not 255 comes before the first. */
export function carry(at: usize): void {
  let byte: u32;
  do {
    at--;
    byte = <u32>load<u8>(at) + 1;
    store<u8>(at, <u8>byte);
  } while (byte > 255);
}

/** The next byte of a decoder's input; past its end come zeros, for ever. */
export function byteAt(at: usize): u32 {
  return at < inputEnd ? <u32>load<u8>(at) : 0;
}

/** Move on by bytes until the range is 2^24 again; before each step, so that it may be less between two. */
export function widen<D>(): void {
  if (range >> 24 == 0) {
    do {
      if (isSigned<D>()) code = (code << 8) | byteAt(position);
      else store<u8>(position, <u8>(low >> 24));
      position++;
      low <<= 8;
      range <<= 8;
    } while (range >> 24 == 0);
  }
}

/** Code an adaptive bit and learn it. @param at  its address */
export function codeBit<D>(at: usize, bit: bool): bool {
  widen<D>();
  const p = load<u32>(at);
  const below = (range >> 12) * chanceOf(p);
  if (isSigned<D>()) bit = code >= below;
  if (bit) {
    range -= below;
    if (isSigned<D>()) code -= below;
    low += below;
    if (!isSigned<D>() && low < below) carry(position);
    store<u32>(at, afterOne(p));
  } else {
    range = below;
    store<u32>(at, afterZero(p));
  }
  return bit;
}

/** Code up to STEP_BITS bits without a model. */
function codeStep<D>(bits: i32, value: u32): u32 {
  widen<D>();
  range >>= bits;
  if (isSigned<D>()) {
    value = code / range;
    if (value >> bits != 0) {
      refuse();
      value = 0;
    }
  }
  const below = value * range;
  if (isSigned<D>()) code -= below;
  low += below;
  if (!isSigned<D>() && low < below) carry(position);
  return value;
}

/** Code bits without a model, most significant first. Range: 0 <= bits <= 32, value < 2^bits. */
export function codeBits<D>(bits: i32, value: u32): u32 {
  if (bits <= STEP_BITS) return codeStep<D>(bits, value);
  const high = codeStep<D>(bits - 16, value >> 16) << 16;
  return high | codeStep<D>(16, value & 0xffff);
}

/** The next 16 bits of a decoder's input, of which it takes those of a word by `takeWord`. */
export function peekWord(): u32 {
  widen<i32>();
  const word = code / (range >> WORD_BITS);
  if (word >> WORD_BITS == 0) return word;
  refuse();
  return 0;
}

/** Take as many bits of a word that was peeked. @returns them */
export function takeWord(bits: i32, peeked: u32): u32 {
  const word = peeked >> (WORD_BITS - bits);
  range = (range >> WORD_BITS) << (WORD_BITS - bits);
  const below = word * range;
  low += below;
  code -= below;
  return word;
}

/** From `low` to the number in the range that has the most zero bytes at its end, which need not be written. */
function toShortest(): u32 {
  let mask: u32 = 0xffffffff;
  while ((-low & mask) >= range) mask >>= 8;
  return -low & mask;
}

/**
 * End an encoded frame with the shortest bytes, or with none when it was quiet.
 *
 * @returns payload bytes, or STATUS_OUTPUT_FULL
 */
export function flushLite(coder: usize): i32 {
  if (load<u8>(coder, CODER_LOUD) == 0) return 0;
  openCoder(coder);
  if (position + 4 > <usize>load<u32>(coder, CODER_END)) return STATUS_OUTPUT_FULL;
  const away = toShortest();
  const word = low + away;
  if (word < away) carry(position);
  store<u32>(position, bswap<u32>(word));
  const start = <usize>load<u32>(coder, CODER_START);
  let last = position + 3;
  while (last > start && load<u8>(last) == 0) last--;
  return <i32>(last + 1 - start);
}

/** Check that the bytes of a decoded frame are the ones that `flushLite` would have written. @returns 0 or a status */
export function verifyLite(coder: usize): i32 {
  if (load<u8>(coder, CODER_MODE) == MODE_REPLAY) return 0;
  openCoder(coder);
  openInput(coder);
  const isLonger = inputEnd > position || (load<u8>(inputEnd - 1) == 0 && load<u8>(coder, CODER_SINGLE) == 0);
  const isQuiet = load<u8>(coder, CODER_LOUD) == 0;
  return code != toShortest() || isLonger || isQuiet ? STATUS_NOT_CANONICAL : 0;
}
