import { CODER_CODE, CODER_END, CODER_HIGH, CODER_LOUD, CODER_LOW, CODER_MODE, CODER_POSITION, CODER_SINGLE, CODER_START } from "./layout";
import { MODE_REPLAY } from "./range-coder";
import { STATUS_NOT_CANONICAL, STATUS_OUTPUT_FULL } from "./status";

/**
 * Range coder of the lite profile: the words of a frame are a number below 1, of which [low, low + range) is what is still
 * possible. A carry runs back into bytes that were written, so that the range never falls below 2^24, and many bits without a
 * model cost one step. Between `liteCoderOpen` and `liteCoderClose` its words are in globals, which are faster than memory
 * where a module is interpreted.
 *
 * Each function is compiled once for an encoder and once for a decoder: D is u32 or i32, told apart by their
 * sign. A decoder keeps `low` too, by which it knows what an encoder would have written last.
 *
 * @see G. N. N. Martin, "Range encoding: an algorithm for removing redundancy from a digitised message", 1979
 */
let low: u32 = 0;
let range: u32 = 0;
let position: usize = 0;
/** One past the decoder's input. */
let end: usize = 0;
/** The decoder's: its input's value less `low`, below `range`. */
let code: u32 = 0;
let isReplay: bool = false;
/** Was something read that no encoder writes? */
export let isLiteCorrupt: bool = false;

/** These bytes are no encoder's. */
export function refuseLite(): void {
  isLiteCorrupt = true;
}

/** Adaptive bits move by 2^-6 of the way, and count in 12 bits: 3 <= p <= 4092. */
const RATE_SHIFT: u32 = 6;
/** Bits that one step can code without a model: with a range of 2^24, a value has a range of 2^8. */
const RAW_BITS: i32 = 16;

/** Take the coder's words. @returns false where a decoder's input is no number that an encoder writes */
export function liteCoderOpen(coder: usize): bool {
  low = load<u32>(coder, CODER_LOW);
  range = load<u32>(coder, CODER_HIGH);
  position = load<u32>(coder, CODER_POSITION);
  code = load<u32>(coder, CODER_CODE);
  end = load<u32>(coder, CODER_END);
  isReplay = load<u8>(coder, CODER_MODE) == MODE_REPLAY;
  isLiteCorrupt = false;
  return isReplay || code < range;
}

/** Put an encoder's words back. */
export function liteEncoderClose(coder: usize): void {
  store<u32>(coder, low, CODER_LOW);
  store<u32>(coder, range, CODER_HIGH);
  store<u32>(coder, <u32>position, CODER_POSITION);
}

/** Put a decoder's words back. */
export function liteDecoderClose(coder: usize): void {
  liteEncoderClose(coder);
  store<u32>(coder, code, CODER_CODE);
}

/** Add one to the number written so far. The whole is below 1, so a byte that is not 255 comes before the first. */
function carry(): void {
  let at = position;
  let byte: u32;
  do {
    at--;
    byte = <u32>load<u8>(at) + 1;
    store<u8>(at, <u8>byte);
  } while (byte > 255);
}

/** Move on by a byte at least, until the range is 2^24 again. */
function widen<D>(): void {
  do {
    if (isSigned<D>()) {
      code = (code << 8) | (position < end ? <u32>load<u8>(position) : 0);
    } else {
      store<u8>(position, <u8>(low >> 24));
    }
    position++;
    low <<= 8;
    range <<= 8;
  } while (range >> 24 == 0);
}

/**
 * Code an adaptive bit and learn it. A replay has zeros alone, and no number.
 *
 * @param at  its probability of being 1, u16
 */
export function liteBit<D>(at: usize, bit: bool): bool {
  const p = <u32>load<u16>(at);
  const below = (range >> 12) * (p >> 4);
  if (isSigned<D>()) bit = code < below && !isReplay;
  if (bit) {
    range = below;
    store<u16>(at, <u16>(p + ((65536 - p) >> RATE_SHIFT)));
  } else {
    store<u16>(at, <u16>(p - (p >> RATE_SHIFT)));
    if (isSigned<D>()) {
      if (isReplay) return false;
      code -= below;
    }
    range -= below;
    low += below;
    if (!isSigned<D>() && low < below) carry();
  }
  if (range >> 24 == 0) widen<D>();
  return bit;
}

/** Code up to RAW_BITS bits without a model. */
function rawBits<D>(bits: i32, value: u32): u32 {
  range >>= bits;
  if (isSigned<D>()) {
    value = code / range;
    if (value >> bits != 0) {
      isLiteCorrupt = true;
      value = 0;
    }
  }
  const below = value * range;
  if (isSigned<D>()) code -= below;
  low += below;
  if (!isSigned<D>() && low < below) carry();
  if (range >> 24 == 0) widen<D>();
  return value;
}

/** Code `bits` bits without a model. Range: 0..32, value < 2^bits. */
export function liteRaw<D>(bits: i32, value: u32): u32 {
  let high: u32 = 0;
  if (bits > RAW_BITS) {
    high = rawBits<D>(bits - RAW_BITS, value >> RAW_BITS) << RAW_BITS;
    bits = RAW_BITS;
    value &= 0xffff;
  }
  return high | rawBits<D>(bits, value);
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
export function liteFlush(coder: usize): i32 {
  if (load<u8>(coder, CODER_LOUD) == 0) return 0;
  liteCoderOpen(coder);
  if (position + 4 > <usize>load<u32>(coder, CODER_END)) return STATUS_OUTPUT_FULL;
  const away = toShortest();
  const word = low + away;
  if (word < away) carry();
  store<u32>(position, bswap<u32>(word));
  const start = <usize>load<u32>(coder, CODER_START);
  let last = position + 3;
  while (last > start && load<u8>(last) == 0) last--;
  return <i32>(last + 1 - start);
}

/** Check that the bytes of a decoded frame are the ones that `liteFlush` would have written. @returns 0 or a status */
export function liteVerify(coder: usize): i32 {
  if (load<u8>(coder, CODER_MODE) == MODE_REPLAY) return 0;
  liteCoderOpen(coder);
  const isLonger = end > position || (load<u8>(end - 1) == 0 && load<u8>(coder, CODER_SINGLE) == 0);
  const isQuiet = load<u8>(coder, CODER_LOUD) == 0;
  return code != toShortest() || isLonger || isQuiet ? STATUS_NOT_CANONICAL : 0;
}
