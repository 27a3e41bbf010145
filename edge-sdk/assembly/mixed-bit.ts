import { drawDither, learnWith, probabilityQ16 } from "./adaptive-bit";
import { codeLearned } from "./range-coder";

/**
 * A bit that several contexts foresee at once. Each has its adaptive bit; their probabilities are weighed in the
 * logistic domain, and the weights move down the gradient of the cost of what was seen:
 *
 *     x_i = log2(p_i / (1 - p_i))     p = 1 / (1 + 2^-sum w_i x_i)     w_i += rate (bit - p) x_i
 *
 * @see Matt Mahoney, "Adaptive weighing of context models for lossless data compression", 2005, section 3.2
 */
/** Weights are Q20 and stay within 4; sums take them as Q15, so that three products fit 32 bits. */
const WEIGHT_LIMIT: i32 = 1 << 22;
const SUM_SHIFT: i32 = 5;
const SUM_FRACTION_BITS: i32 = 15;
/** The rate is 2^-13 for a bit in Q16, x in Q8 and weights in Q20: about 0.003 for natural logarithms. */
const RATE_SHIFT: i32 = 13;
/** Nothing mixed costs more than 13 bits. */
const LOGIT_LIMIT: i32 = 13 << 8;

/** The curve 2^f - 1 - f and, with the other sign, log2(1 + f) - f. Range: f is Q16, 0..65535; Q16. */
function bend(f: u32): u32 {
  return (((f * (65536 - f)) >> 16) * 22500) >> 16;
}

/** log2 of a value in Q8. Range: 0 < value <= 65535. */
function log2Q8(value: u32): i32 {
  const whole = 31 - clz<u32>(value);
  const f = (value << (16 - whole)) & 0xffff;
  return <i32>((whole << 8) + ((f + bend(f)) >> 8));
}

/** Probability in Q16 of a logit in Q8 octaves, within 8 of 0 and 65536. */
function squash(logit: i32): u32 {
  const size = <u32>min<i32>(abs<i32>(logit), LOGIT_LIMIT);
  const f = (size & 255) << 8;
  const odds = ((65536 + f - bend(f)) << (size >> 8)) >> 4; // Q12; below 2^30 before the shift
  const rarer = ((<u32>1) << 28) / (odds + 4096);
  return logit < 0 ? rarer : 65536 - rarer;
}

/** What an adaptive bit foresees, Q8 octaves. */
function logitOf(at: usize): i32 {
  const p = probabilityQ16(at);
  return log2Q8(p) - log2Q8(65536 - p);
}

/** Move a mixing weight down its gradient, `slope` = miss x logit, and let its adaptive bit learn. */
function learnInput(weight: usize, slope: i32, at: usize, bit: bool, dither: u32): void {
  const moved = load<i32>(weight) + ((slope + (1 << (RATE_SHIFT - 1))) >> RATE_SHIFT);
  store<i32>(weight, max<i32>(min<i32>(moved, WEIGHT_LIMIT), -WEIGHT_LIMIT));
  learnWith(at, bit, dither);
}

/**
 * Code one bit that three adaptive bits foresee, given by their offsets in the state over 2, and learn it.
 *
 * @param weights  3 x i32 of the state, Q20
 */
export function codeMixed(
  st: usize,
  coder: usize,
  weights: usize,
  first: i32,
  second: i32,
  third: i32,
  bit: bool,
): bool {
  const a = st + (<usize>first << 1);
  const b = st + (<usize>second << 1);
  const c = st + (<usize>third << 1);
  const x = logitOf(a);
  const y = logitOf(b);
  const z = logitOf(c);
  const sum =
    (load<i32>(weights) >> SUM_SHIFT) * x +
    (load<i32>(weights, 4) >> SUM_SHIFT) * y +
    (load<i32>(weights, 8) >> SUM_SHIFT) * z;
  const p = squash((sum + (1 << (SUM_FRACTION_BITS - 1))) >> SUM_FRACTION_BITS);
  const coded = codeLearned(coder, p, bit);
  const dither = drawDither(st);
  const miss = (coded ? 65536 : 0) - <i32>p;
  learnInput(weights, miss * x, a, coded, dither);
  learnInput(weights + 4, miss * y, b, coded, rotl<u32>(dither, 8));
  learnInput(weights + 8, miss * z, c, coded, rotl<u32>(dither, 16));
  return coded;
}
