import { drawDither, learnWith, probabilityQ16 } from "./adaptive-bit";
import { WEIGHTS } from "./layout";
import { DOT, STEPS, SUMS_BYTES } from "./least-mean-squares";
import { codeLearned } from "./range-coder";

/**
 * A bit that several contexts foresee at once. Each has its adaptive bit; their probabilities are weighed in the
 * logistic domain, and the weights move down the gradient of the cost of what was seen:
 *
 *     x_i = log2(p_i / (1 - p_i))     p = 1 / (1 + 2^-sum w_i x_i)     w_i += rate (bit - p) x_i
 *
 * @see Matt Mahoney, "Adaptive weighing of context models for lossless data compression", 2005, section 3.2
 */
/** Sums take weights, which are Q20, as Q15, so that three products fit 32 bits. */
const SUM_SHIFT: i32 = 5;
const SUM_FRACTION_BITS: i32 = 15;
/** They stay within 4, and their rate is 2^-13 for a bit in Q16 and x in Q8: about 0.003 for natural logarithms. */
const WEIGHT_LIMIT: i32 = 1 << 22;
const RATE_SHIFT: i32 = 13;
/** Nothing mixed costs more than 13 bits. */
const LOGIT_LIMIT: i32 = 13 << 8;

/**
 * What foresees the decision in hand: address of the adaptive bit, u32, and its logit, i32, three times; no state. They lie
 * where the sums have their dot products, which nobody needs between a row's prediction and what is learned from it.
 */
const INPUTS = STEPS + DOT;
const INPUT_BYTES: usize = SUMS_BYTES;
const INPUT_LOGIT: usize = 4;

/** The curve 2^f - 1 - f and, with the other sign, log2(1 + f) - f. Range: f is Q16, 0..65535; Q16. */
function bend(f: u32): u32 {
  return (((f * (65536 - f)) >> 16) * 22500) >> 16;
}

/** Fraction of log2 of a value in Q8. Range: 0 < value <= 65535 with `zeros` leading zeros. */
function log2Fraction(value: u32, zeros: u32): i32 {
  const f = ((value << zeros) >> 15) & 0xffff;
  return <i32>((f + bend(f)) >> 8);
}

/** Probability in Q16 of a logit in Q8 octaves, within 8 of 0 and 65536. */
function squash(logit: i32): u32 {
  const size = <u32>min<i32>(abs<i32>(logit), LOGIT_LIMIT);
  const f = (size & 255) << 8;
  const odds = ((65536 + f - bend(f)) << (size >> 8)) >> 4; // Q12; below 2^30 before the shift
  const rarer = ((<u32>1) << 28) / (odds + 4096);
  return logit < 0 ? rarer : 65536 - rarer;
}

/**
 * Code a decision that the first `count` INPUTS foresee, and let them learn it. One function for all decisions, and loops
 * for all inputs, because calls would cost a small core more than the work does.
 *
 * @param count    3, or 1 for an adaptive bit by itself, which moves no weight
 * @param weights  3 x i32 of the state, Q20
 */
function codeDecision(st: usize, coder: usize, count: usize, weights: usize, bit: bool): bool {
  let p = probabilityQ16(load<u32>(INPUTS));
  let miss = 0;
  if (count > 1) {
    let sum: i32 = 1 << (SUM_FRACTION_BITS - 1);
    for (let i: usize = 0; i < 3; i++) {
      const input = INPUTS + i * INPUT_BYTES;
      p = probabilityQ16(load<u32>(input));
      const q = 65536 - p;
      const zerosP = clz<u32>(p);
      const zerosQ = clz<u32>(q);
      const logit = <i32>((zerosQ - zerosP) << 8) + log2Fraction(p, zerosP) - log2Fraction(q, zerosQ);
      sum += (load<i32>(weights + (i << 2)) >> SUM_SHIFT) * logit;
      store<i32>(input, logit, INPUT_LOGIT);
    }
    p = squash(sum >> SUM_FRACTION_BITS);
    miss = -(<i32>p);
  }
  const coded = codeLearned(coder, p, bit);
  if (coded && count > 1) miss += 65536;
  let dither = drawDither(st);
  for (let i: usize = 0; i < 3; i++) {
    const input = INPUTS + i * INPUT_BYTES;
    const at = weights + (i << 2);
    const slope = miss * load<i32>(input, INPUT_LOGIT);
    let weight = load<i32>(at) + ((slope + (1 << (RATE_SHIFT - 1))) >> RATE_SHIFT);
    if (<u32>(weight + WEIGHT_LIMIT) > <u32>(2 * WEIGHT_LIMIT)) weight = weight < 0 ? -WEIGHT_LIMIT : WEIGHT_LIMIT;
    store<i32>(at, weight);
    learnWith(load<u32>(input), coded, dither);
    if (count == 1) break; // the loop's own end is a constant, so that a compiler may unroll it
    dither = rotl<u32>(dither, 8);
  }
  return coded;
}

/** Code one adaptive bit and learn it. */
export function codeBit(st: usize, coder: usize, at: usize, bit: bool): bool {
  store<u32>(INPUTS, <u32>at);
  return codeDecision(st, coder, 1, st + WEIGHTS, bit);
}

/**
 * Code a decision that three adaptive bits foresee, given by their offsets in the state over 2.
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
  store<u32>(INPUTS, <u32>st + (first << 1));
  store<u32>(INPUTS, <u32>st + (second << 1), INPUT_BYTES);
  store<u32>(INPUTS, <u32>st + (third << 1), 2 * INPUT_BYTES);
  return codeDecision(st, coder, 3, weights, bit);
}
