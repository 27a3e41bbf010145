import { codeBits, codeWord, peekWord, refuse, takeWord, WORD_BITS } from "./lite-coder";
import { LITE_OCTAVE_BITS, LITE_STATUS } from "./lite-layout";

/**
 * How the lite profile spells a residual's code. The octave of the channel's activity, 0..32, is the only context, and gives
 * k = max(0, octave - 9); 30 in the last octave, where the activity no longer follows.
 *
 *     zero?                 adaptive
 *     one?                  adaptive, where k = 0
 *     word, no model        one where k = 0:  [sign]
 *                           u < 8, k <= 6:    [u ones, zero][sign][k low bits]
 *                           u < 8:            [u ones, zero][sign], then the k low bits by themselves
 *                           else:             [8 ones][sign][n, 5 bits], then n bits of u - 7 below its leading one, then the
 *                                             k low bits
 *
 * with u = (|q| - 1) >> k, less one where k = 0: mostly 0 to 2. n = floor(log2(u - 7)).
 */
const LARGEST_UNARY: u32 = 8;
const LENGTH_BITS: i32 = 5;
const LARGEST_SHORT_K: i32 = 6;
const K_OCTAVE: i32 = 9;
const LAST_OCTAVE: i32 = 32;
const LARGEST_K: i32 = 30;

/** First probabilities over 2^8 of a zero in octaves that the table in resetLiteBits ends before, and beyond; of a one; of equal statuses. */
const TABLE_OCTAVES: usize = 12;
const FIRST_ZERO: u32 = 26 << 24;
const FIRST_ONE: u32 = 160 << 24;
const FIRST_STATUS: u32 = 230 << 24;

/** First probabilities of every adaptive bit. */
export function resetLiteBits(st: usize): void {
  // Here and not among the constants, so that it is only in a module that has this function
  const table = memory.data<u8>([254, 250, 246, 242, 238, 232, 224, 208, 160, 116, 86, 51]);
  for (let octave: usize = 0; octave <= <usize>LAST_OCTAVE; octave++) {
    const at = st + (octave << LITE_OCTAVE_BITS);
    store<u32>(at, octave < TABLE_OCTAVES ? (<u32>load<u8>(table + octave)) << 24 : FIRST_ZERO);
    store<u32>(at, FIRST_ONE, 4);
  }
  store<u32>(st + LITE_STATUS, FIRST_STATUS);
}

/** Low bits of a size less one, by the octave of the activity. */
export function lowBits(octave: i32): i32 {
  return octave == LAST_OCTAVE ? LARGEST_K : max<i32>(octave - K_OCTAVE, 0);
}

/**
 * Write the word of a size.
 *
 * @param isOne  k = 0 and the size is 1
 * @param size  |q|, 1..2^32 - 1
 */
export function writeSize(k: i32, isOne: bool, size: u32, isNegative: bool): bool {
  if (isOne) {
    codeWord(1, u32(isNegative));
    return false;
  }
  const rest = size - 1;
  const low = rest & ((1 << k) - 1);
  const u = (rest >> k) - u32(k == 0);
  const prefix = (((<u32>2) << u) - 2) << 1 | u32(isNegative);
  if (u < LARGEST_UNARY && k <= LARGEST_SHORT_K) {
    codeWord(<i32>u + 2 + k, (prefix << k) | low);
    return false;
  }
  if (u < LARGEST_UNARY) codeWord(<i32>u + 2, prefix);
  else {
    const value = u - (LARGEST_UNARY - 1);
    const bits = 31 - <i32>clz<u32>(value);
    codeWord(<i32>LARGEST_UNARY + 1 + LENGTH_BITS, (((0x1fe | u32(isNegative)) << LENGTH_BITS) | bits));
    codeBits<u32>(bits, value ^ ((<u32>1) << bits));
  }
  codeBits<u32>(k, low);
  return u >= LARGEST_UNARY;
}

/** The sign of the size that was read last, and whether its code is long. */
export let isNegativeRead: bool = false;
export let isLongRead: bool = false;

/** Read a size and its sign. @returns |q|, 1..2^32 - 1 */
export function readSize(k: i32, isOne: bool): u32 {
  const word = peekWord();
  let u = clz<u32>(~(word << (32 - WORD_BITS)));
  isLongRead = !isOne && u >= LARGEST_UNARY;
  if (isOne) u = 0;
  const signAt = isOne ? 1 : isLongRead ? <i32>LARGEST_UNARY + 1 : <i32>u + 2;
  isNegativeRead = ((word >> (WORD_BITS - signAt)) & 1) != 0;
  let low: u32 = 0;
  if (isOne) takeWord(1, word >> (WORD_BITS - 1));
  else if (isLongRead) {
    const bits = (word >> (WORD_BITS - signAt - LENGTH_BITS)) & ((1 << LENGTH_BITS) - 1);
    takeWord(signAt + LENGTH_BITS, word >> (WORD_BITS - signAt - LENGTH_BITS));
    const leading = (<u32>1) << bits;
    const value = leading | codeBits<i32>(bits, 0);
    if (value > u32.MAX_VALUE - LARGEST_UNARY) refuse();
    u = value + (LARGEST_UNARY - 1);
    low = codeBits<i32>(k, 0);
  } else if (k <= LARGEST_SHORT_K) {
    const whole = word >> (WORD_BITS - signAt - k);
    takeWord(signAt + k, whole);
    low = whole & ((1 << k) - 1);
  } else {
    takeWord(signAt, word >> (WORD_BITS - signAt));
    low = codeBits<i32>(k, 0);
  }
  const size = ((<u64>u + u32(!isOne && k == 0)) << k) + low + 1;
  if (size > u32.MAX_VALUE) refuse();
  return <u32>size;
}

/** Code floor(log2 value), then the bits below the leading one. Range: value > 0. @returns the value */
export function codeLength<D>(value: u32): u32 {
  const bits = codeBits<D>(LENGTH_BITS, 31 - clz<u32>(value));
  const leading = (<u32>1) << bits;
  return leading | codeBits<D>(bits, value ^ leading);
}
