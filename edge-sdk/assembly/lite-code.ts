import { codeBit, codeBits, refuse } from "./lite-coder";
import { LITE_HOME, LITE_OCTAVE_BITS, LITE_SAME_STATUSES, LITE_STATUSES } from "./lite-layout";

/**
 * How the lite profile spells a residual's code. The octave of the channel's activity, 0..32, is the only context, and gives
 * k = max(0, octave - 9); 30 in the last octave, where the activity no longer follows.
 *
 *     zero?                 adaptive
 *     one?                  adaptive, where k = 0
 *     word, no model        one where k = 0:  [sign]
 *                           u < 8, k <= 6:    [u ones, zero][sign][k low bits of |q| - 1]
 *                           u < 8:            [u ones, zero][sign], then the k low bits by themselves
 *                           else:             [8 ones][8 bits of the sample], then its 24 others by themselves
 *
 * with u = (|q| - 1) >> k, less one where k = 0: mostly 0 to 2.
 */
export const LONG_FROM: u32 = 8;
export const LONG_PREFIX: u32 = 0xff00;
export const LONG_REST_BITS: i32 = 24;
export const LARGEST_SHORT_K: i32 = 6;
/** Up to this octave there are no low bits. */
export const K_OCTAVE: i32 = 9;
const LAST_OCTAVE: i32 = 32;
const LARGEST_K: i32 = 30;
const LENGTH_BITS: i32 = 5;

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
  store<u32>(st + LITE_HOME, FIRST_STATUS, LITE_SAME_STATUSES);
}

/** k in an octave beyond K_OCTAVE. @param zeros  32 less the octave */
export function lowBits(zeros: i32): i32 {
  return zeros ? LAST_OCTAVE - K_OCTAVE - zeros : LARGEST_K;
}

/**
 * Code the statuses of a row: whether they are those of the row before, then, if not, all of them.
 *
 * @param statuses  two bits each; a decoder ignores it
 * @returns the statuses
 */
export function codeStatuses<D>(home: usize, channels: i32, statuses: u32): u32 {
  const before = load<u32>(home, LITE_STATUSES);
  if (!codeBit<D>(home + LITE_SAME_STATUSES, statuses != before)) return before;
  statuses = codeBits<D>(channels << 1, statuses);
  if (isSigned<D>() && (statuses == before || !areStatuses(statuses))) refuse();
  store<u32>(home, statuses, LITE_STATUSES);
  return statuses;
}

/** Is none of these statuses a 3? */
export function areStatuses(statuses: u32): bool {
  return (statuses & (statuses >> 1) & 0x55555555) == 0;
}

/** Code a channel's first valid sample. @param size  of baseSize  @returns its bin, of which a decoder ignores the given one */
export function codeBase<D>(size: u32, isNegative: bool): i64 {
  const bits = codeBits<D>(LENGTH_BITS, 31 - clz<u32>(size + 1));
  const leading = (<u32>1) << bits;
  size = (leading | codeBits<D>(bits, (size + 1) ^ leading)) - 1;
  if (size != 0) isNegative = codeBits<D>(1, u32(isNegative)) != 0;
  return isNegative ? -(<i64>size) : <i64>size;
}
