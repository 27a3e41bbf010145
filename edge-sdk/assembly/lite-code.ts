import { liteBit, liteRaw, refuseLite } from "./lite-coder";
import {
  LITE_ESCAPE,
  LITE_STATUS_CHANGED,
  LITE_STATUS_CHOICE,
  LITE_UNARY,
  LITE_UNARY_OCTAVES,
  LITE_ZERO,
} from "./lite-layout";

/**
 * How the lite profile spells a residual's code. The octave of the channel's activity, 0..32, is the only context:
 *
 *     zero? -> u = (|q| - 1) >> k in unary -> sign and k low bits, without a model
 *              at u = 3: u - 3 like a length
 *
 *     length   v = value + 1, n = floor(log2 v): n < 4? -> n in 2 or 5 bits -> v's bits below the leading one
 *
 * with k = max(0, octave - 9), so that u is mostly 0 to 2; 30 in the last octave, where the activity no longer follows.
 */
const ESCAPE: u32 = 3;
const K_OCTAVE: i32 = 9;
const LAST_OCTAVE: i32 = 32;
const LARGEST_K: i32 = 30;
const SHORT_LENGTH: i32 = 4;
const SHORT_LENGTH_BITS: i32 = 2;
const LENGTH_BITS: i32 = 5;

/** First probabilities: "not zero" in the octaves that the table in resetLiteBits ends before, then each other bit. */
const FIRST_NOT_ZERO: u16 = 230 << 8;
const TABLE_OCTAVES: u32 = 12;
const FIRST_UNARY: u16 = 96 << 8;
const FIRST_STATUS: u16 = 13 << 8;
const FIRST_EVEN: u16 = 128 << 8;

/** First probabilities of every adaptive bit. */
export function resetLiteBits(st: usize): void {
  // Here and not among the constants, so that it is only in a module that has this function
  const table = memory.data<u8>([2, 6, 10, 14, 18, 24, 32, 48, 96, 140, 170, 205]);
  for (let i: u32 = 0; i <= <u32>LAST_OCTAVE; i++) {
    const first = i < TABLE_OCTAVES ? <u16>((<u32>load<u8>(table + i)) << 8) : FIRST_NOT_ZERO;
    store<u16>(st + LITE_ZERO + (i << 1), first);
  }
  for (let i: usize = 0; i < 8; i += 2) {
    store<u16>(st + LITE_STATUS_CHANGED + i, FIRST_STATUS);
    store<u16>(st + LITE_STATUS_CHOICE + i, FIRST_EVEN);
  }
  store<u16>(st + LITE_ESCAPE, FIRST_EVEN);
  for (let i: usize = 0; i < 8 * <usize>LITE_UNARY_OCTAVES; i += 2) store<u16>(st + LITE_UNARY + i, FIRST_UNARY);
}

/** Is the code not zero? */
export function liteNotZero<D>(st: usize, octave: i32, isNotZero: bool): bool {
  return liteBit<D>(st + LITE_ZERO + ((<usize>octave) << 1), isNotZero);
}

/** The sign that liteSize read. */
export let isLiteNegative: bool = false;

/**
 * Code a size above 0 and a sign, which a decoder leaves in isLiteNegative.
 *
 * @param size  |q|, 1..2^32 - 1; a decoder ignores both
 * @returns |q|
 */
export function liteSize<D>(st: usize, octave: i32, size: u32, isNegative: bool): u32 {
  const k = octave == LAST_OCTAVE ? LARGEST_K : max<i32>(octave - K_OCTAVE, 0);
  const rest = size - 1;
  const unary = st + LITE_UNARY + ((<usize>min<i32>(octave, LITE_UNARY_OCTAVES - 1)) << 3);
  const value = rest >> k;
  let u: u32 = 0;
  while (liteBit<D>(unary + (u << 1), value > u)) {
    u++;
    if (u == ESCAPE) {
      const beyond = liteLength<D>(st, value - ESCAPE);
      if (isSigned<D>() && beyond > u32.MAX_VALUE - ESCAPE) refuseLite();
      u += beyond;
      break;
    }
  }
  const low = liteRaw<D>(k + 1, ((rest << 1) | u32(isNegative)) & (((<u32>2) << k) - 1));
  if (!isSigned<D>()) return size;
  const read = (((<u64>u) << k) | (low >> 1)) + 1;
  if (read > u32.MAX_VALUE) refuseLite();
  isLiteNegative = (low & 1) != 0;
  return <u32>read;
}

/** Code any value up to 2^32 - 2: the length of value + 1, then its bits. */
export function liteLength<D>(st: usize, value: u32): u32 {
  let bits = 31 - <i32>clz<u32>(value + 1);
  const isShort = liteBit<D>(st + LITE_ESCAPE, bits < SHORT_LENGTH);
  bits = liteRaw<D>(isShort ? SHORT_LENGTH_BITS : LENGTH_BITS, bits);
  if (isSigned<D>() && !isShort && bits < SHORT_LENGTH) refuseLite();
  const leading = (<u32>1) << bits;
  const below = liteRaw<D>(bits, (value + 1) ^ leading);
  return isSigned<D>() ? (leading | below) - 1 : value;
}

/** Code a channel's status given its previous one: changed or not, then which of the two others, in rising order. */
export function liteStatus<D>(st: usize, previous: i32, status: i32): i32 {
  const at = st + ((<usize>previous) << 1);
  if (!liteBit<D>(at + LITE_STATUS_CHANGED, status != previous)) return previous;
  const lower = previous == 0 ? 1 : 0;
  const higher = previous == 2 ? 1 : 2;
  return liteBit<D>(at + LITE_STATUS_CHOICE, status == higher) ? higher : lower;
}
