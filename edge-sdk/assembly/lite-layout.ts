/**
 * State block of the lite profile, in place of the table in layout.ts. Adaptive bits are probabilities in Q16.
 *
 *     offset          size     what
 *     0               2 x 33   is the code zero? by the octave of the activity
 *     66              2 x 4    status changed, by the previous status; the fourth is none
 *     74              2 x 4    which of the two others, by the previous status; the fourth is none
 *     82              2        is the rest of an escape shorter than 4 bits?
 *     84              8 x 13   how far beyond 1? by the octave of the activity up to 12: 3 in unary; the fourth is none
 *     188 + 48 c               channel c:
 *       0             4        last reconstruction, in sample units
 *       4             4 x 4    last four moves, newest first, in units of the channel, 14 bits
 *       20            4 x 4    their weights, Q13
 *       36            4        by how much hold has missed by more than the weighted moves, Q6 units
 *       40            4        activity, Q8 codes
 *       44            4        flags: status and base, in the lowest byte (channel-flags.ts)
 *     persistent end  32       range coder of the frame in hand: neither hashed nor kept between frames
 *
 * A channel's unit is 2^n samples, where n = max(0, ceil(log2 D) - 6): between D / 64 and D / 32 where D is large.
 */
export const LITE_ZERO: usize = 0;
export const LITE_STATUS_CHANGED: usize = LITE_ZERO + 2 * 33;
export const LITE_STATUS_CHOICE: usize = LITE_STATUS_CHANGED + 2 * 4;
export const LITE_ESCAPE: usize = LITE_STATUS_CHOICE + 2 * 4;
export const LITE_UNARY: usize = LITE_ESCAPE + 2;
/** Octaves of the activity that unary bits tell apart; larger ones are the last. */
export const LITE_UNARY_OCTAVES: i32 = 13;
export const LITE_SHARED_BYTES: usize = LITE_UNARY + 8 * <usize>LITE_UNARY_OCTAVES;

export const LITE_MOVES: usize = 4;
export const LITE_WEIGHTS: usize = 20;
export const LITE_EXCESS: usize = 36;
export const LITE_ACTIVITY: usize = 40;
export const LITE_FLAGS: usize = 44;
export const LITE_CHANNEL_BYTES: usize = 48;

/** log2 of a channel's unit in samples. @param step  bin width D */
export function liteUnitBits(step: i32): i32 {
  return max<i32>(26 - <i32>clz<u32>(<u32>step - 1), 0);
}
