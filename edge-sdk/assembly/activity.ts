import { activityScale, keepActivityScale } from "./channel-flags";
import { log2Quarters } from "./fixed-point";
import { ACTIVITY_FAST, ACTIVITY_SLOW } from "./layout";

/**
 * How large a channel's codes have been: a fast and a slow average, which choose the quantizer and the contexts. Both
 * are Q8 codes over 2^scale; the scale is 0 until codes stay near the clip, and follows them by an octave at a time.
 */
/** A quarter of a code: most signals rest more than they move, and a busy one is noticed within a few samples. */
const FIRST: u16 = 64;
/** Averages count codes up to 255 x 2^scale, so that one burst does not make a channel look busy for long. */
const CLIP: u32 = 255 << 8;
const UP_FROM: u32 = 200 << 8;
const DOWN_FROM: u32 = 80 << 8;
/** Keeps the unmodelled low bits of a code below 31. */
const LARGEST_SCALE: u32 = 22;
/** Octaves of the fast average that are told apart: after long rest they say how long it was. */
const FAST_OCTAVES: i32 = 8;
/** Below 5/16 of a code, residuals are sparse. */
const SPARSE_BELOW: u32 = 80;

/** Cold start of one channel. */
export function resetActivity(channel: usize): void {
  store<u16>(channel, FIRST, ACTIVITY_FAST);
  store<u16>(channel, FIRST, ACTIVITY_SLOW);
}

/** Mean of both averages, Q8 codes over 2^scale, 0..65280. */
function scaledActivity(channel: usize): u32 {
  return (<u32>load<u16>(channel, ACTIVITY_FAST) + load<u16>(channel, ACTIVITY_SLOW)) >> 1;
}

/** Are most codes zero? */
export function isSparse(channel: usize): bool {
  return scaledActivity(channel) < SPARSE_BELOW;
}

/** 4 log2 of the activity in codes. Range: -32..31 + 4 x LARGEST_SCALE. */
export function activityQuarters(channel: usize, flags: usize): i32 {
  return log2Quarters(scaledActivity(channel)) - 32 + <i32>(activityScale(flags) << 2);
}

/** Octave of the fast average, 0 below 2^-6 of a code to 7 from one code on. */
export function fastOctave(channel: usize, flags: usize): i32 {
  const whole = 31 - <i32>clz<u32>(<u32>load<u16>(channel, ACTIVITY_FAST) | 1);
  return min<i32>(max<i32>(whole + <i32>activityScale(flags) - 1, 0), FAST_OCTAVES - 1);
}

/** Let both averages follow the size of a code. Range: size < 2^32. */
export function learnActivity(channel: usize, flags: usize, size: u64): void {
  const scale = min<u32>(activityScale(flags), LARGEST_SCALE);
  const target = <i32>min<u64>((size << 8) >> scale, CLIP);
  let fast = <i32>load<u16>(channel, ACTIVITY_FAST);
  let slow = <i32>load<u16>(channel, ACTIVITY_SLOW);
  fast += ((target - fast) * 31) >> 8;
  slow += ((target - slow) * 5 + 128) >> 8;
  if (<u32>fast > UP_FROM && scale < LARGEST_SCALE) {
    fast >>= 1;
    slow >>= 1;
    keepActivityScale(flags, scale + 1);
  } else if (scale > 0 && <u32>max<i32>(fast, slow) < DOWN_FROM) {
    fast <<= 1;
    slow <<= 1;
    keepActivityScale(flags, scale - 1);
  }
  store<u16>(channel, <u16>fast, ACTIVITY_FAST);
  store<u16>(channel, <u16>slow, ACTIVITY_SLOW);
}
