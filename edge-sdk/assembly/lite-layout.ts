/**
 * State block of the lite profile, in place of the table in layout.ts:
 *
 *     offset          size        what
 *     0               8 x 33      adaptive bits of a code, by the octave of the activity: is it zero? is it one, where it has
 *                                 no low bits?
 *     264             4           adaptive bit: are the statuses of this row those of the row before?
 *     268             4           statuses of the last row, two bits each, channel 0 in the lowest
 *     272             4           rows, modulo 8: what learns in the next row
 *     276 + 44 c                  channel c:
 *       0             4           last reconstruction, in sample units
 *       4             4 x 4       last four moves, newest first, in units of the channel
 *       20            4 x 4       their weights, Q13
 *       36            4           above 0 while the weighted moves have been closer than hold more often than not
 *       40            4           activity, Q8 codes; NO_BASE until the channel has had its first valid sample
 *     persistent end  32          range coder of the frame in hand: neither hashed nor kept between frames
 *
 * Adaptive bits are probabilities of a 0, Q32. A channel's unit is 2^n samples, where n = max(0, ceil(log2 D) - 6): between
 * D / 64 and D / 32 where D is large.
 */
export const LITE_OCTAVE_BITS: u32 = 3; // log2 of an octave's bytes
const OCTAVES: usize = 33;
/** The last octave, from where the rest is near: `home` of a state. */
export const LITE_HOME: usize = (OCTAVES - 1) << LITE_OCTAVE_BITS;
export const LITE_SAME_STATUSES: usize = 8; // this and the next ones from home
export const LITE_STATUSES: usize = 12;
/** Statuses of a row lie side by side in a word, the first channel's lowest or highest as they are read or written. */
export const STATUS_BITS: u32 = 2;
export const STATUS_MASK: u32 = 3;
export const LITE_ROWS: usize = 16;
export const LITE_CHANNELS: usize = 20;
export const LITE_SHARED_BYTES: usize = LITE_HOME + LITE_CHANNELS;

export const LITE_MOVES: usize = 4;
export const LITE_WEIGHTS: usize = 20;
export const LITE_LEAD: usize = 36;
export const LITE_ACTIVITY: usize = 40;
export const LITE_CHANNEL_BYTES: usize = 44;
/** More than any activity. */
export const NO_BASE: u32 = 0xffffffff;

/** log2 of a channel's unit in samples. @param step  bin width D */
export function liteUnitBits(step: i32): i32 {
  return max<i32>(26 - <i32>clz<u32>(<u32>step - 1), 0);
}
