import { drawDither, INPUT_BYTES, INPUT_LOGIT, INPUTS, learnInputs, probabilityQ16 } from "./adaptive-bit";
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
/** Nothing mixed costs more than 13 bits. */
const LOGIT_LIMIT: i32 = 13 << 8;

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
  store<u32>(INPUTS, <u32>st + (first << 1));
  store<u32>(INPUTS, <u32>st + (second << 1), INPUT_BYTES);
  store<u32>(INPUTS, <u32>st + (third << 1), 2 * INPUT_BYTES);
  let sum: i32 = 1 << (SUM_FRACTION_BITS - 1);
  for (let i: usize = 0; i < 3; i++) {
    const input = INPUTS + i * INPUT_BYTES;
    const p = probabilityQ16(load<u32>(input));
    const q = 65536 - p;
    const zerosP = clz<u32>(p);
    const zerosQ = clz<u32>(q);
    const logit = <i32>((zerosQ - zerosP) << 8) + log2Fraction(p, zerosP) - log2Fraction(q, zerosQ);
    sum += (load<i32>(weights + (i << 2)) >> SUM_SHIFT) * logit;
    store<i32>(input, logit, INPUT_LOGIT);
  }
  const p = squash(sum >> SUM_FRACTION_BITS);
  const coded = codeLearned(coder, p, bit);
  learnInputs(3, weights, (coded ? 65536 : 0) - <i32>p, coded, drawDither(st));
  return coded;
}
