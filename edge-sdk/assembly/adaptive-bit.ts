import { DITHER } from "./layout";

/**
 * The adaptive bit: a 12-bit probability of "1" over a 4-bit age, in 16 bits.
 *
 *     15            4 3    0
 *     [ probability ][ age ]
 *
 * The probability moves towards what was seen by a rate near 1 / (bits seen + 1.6), down to 1/300. Growing older is as
 * likely as the rate is large, so that four bits of age last for some 300. Rounding is dithered, or small rates would
 * stop moving.
 */
const RATE_Q16 = memory.data<u16>([
  40960, 25206, 18204, 14246, 8398, 6027, 4325, 3104, 2227, 1598, 1147, 823, 591, 424, 304, 218,
]);
const OLDEST: u32 = 15;
/** Probabilities stay off 0 and 1 by this much (of 4096), so that none costs more than 10.7 bits by itself. */
const MARGIN: i32 = 2;

/** The next draw of the dither shared by everything that rounds at random. Numerical Recipes' "quick and dirty" LCG. */
export function nextDither(dither: u32): u32 {
  return dither * 1664525 + 1013904223;
}

/** An adaptive bit of age 0 with this probability of 4096. */
export function freshBit(probability: u32): u16 {
  return <u16>(probability << 4);
}

/** Probability of "1" in Q16, never 0 or 1. */
export function probabilityQ16(at: usize): u32 {
  return ((<u32>(load<u16>(at) >> 4)) << 4) + 8;
}

/** Draw from the dither that everything shares. */
export function drawDither(st: usize): u32 {
  const dither = nextDither(load<u32>(st, DITHER));
  store<u32>(st, dither, DITHER);
  return dither;
}

/** The adaptive bits that foresee the decision in hand: address, u32, and logit, i32, Q8 octaves; no state. */
export const INPUTS = memory.data(3 * 8, 8);
export const INPUT_BYTES: usize = 8;
export const INPUT_LOGIT: usize = 4;
/** Mixing weights are Q20 and stay within 4. */
const WEIGHT_LIMIT: i32 = 1 << 22;
/** Their rate is 2^-13 for a bit in Q16, logits in Q8 and weights in Q20: about 0.003 for natural logarithms. */
const RATE_SHIFT: i32 = 13;

/**
 * Let the first `count` INPUTS learn, each with the dither rotated by another byte, and move their mixing weights by
 * miss x logit; a bit that was not mixed has a miss of 0, which moves none.
 *
 * One loop, since a call costs a small core as much as the learning does. Range: |4095 x 40960| < 2^28, |miss| < 2^16.
 */
export function learnInputs(count: usize, weights: usize, miss: i32, bit: bool, dither: u32): void {
  const target = bit ? 4095 : 0;
  for (let input = INPUTS; input < INPUTS + count * INPUT_BYTES; input += INPUT_BYTES) {
    const step = (miss * load<i32>(input, INPUT_LOGIT) + (1 << (RATE_SHIFT - 1))) >> RATE_SHIFT;
    let weight = load<i32>(weights) + step;
    if (<u32>(weight + WEIGHT_LIMIT) > <u32>(2 * WEIGHT_LIMIT)) weight = weight < 0 ? -WEIGHT_LIMIT : WEIGHT_LIMIT;
    const at = load<u32>(input);
    const packed = <u32>load<u16>(at);
    const age = packed & OLDEST;
    const probability = <i32>(packed >> 4);
    const rate = <i32>load<u16>(RATE_Q16 + ((<usize>age) << 1));
    const moved = probability + (((target - probability) * rate + <i32>(dither >> 16)) >> 16);
    const next = min<i32>(max<i32>(moved, MARGIN), 4095 - MARGIN);
    const older = age + u32(<i32>((dither >> 4) & 0xffff) < rate);
    store<u16>(at, <u16>(((<u32>next) << 4) | (older - (older >> 4)))); // OLDEST does not grow older
    store<i32>(weights, weight);
    weights += 4;
    dither = rotl<u32>(dither, 8);
  }
}
