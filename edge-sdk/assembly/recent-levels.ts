import { CONFIG_OWN_LEVELS, HISTORY } from "./layout";

/**
 * What the recent past would have a code be: for each reconstruction in a channel's history there is one code that
 * would return to it. Many signals come back to levels they had (a load that switches, a heart at rest), so how many
 * of these candidates are for and against is a context for each decision in the spelling of a code.
 *
 * CANDIDATES holds codes at first, then the unary counts of those with the coded sign that were not yet passed. It
 * serves one code and is no state. No branch depends on a candidate, since none could be foreseen.
 */
const CANDIDATES = memory.data(2 * 32, 2);
const CANDIDATE_LIMIT: i64 = 0x7fff;
/** Unary counts of a candidate that is zero, and of one with the other sign. */
const AT_ZERO: i32 = -2;
const ASIDE: i32 = -1;

let candidates: i32 = 0;
let positive: i32 = 0;
let negative: i32 = 0;
/** Candidates of the level before the last and of the one before that. */
let secondLast: i32 = 0;
let thirdLast: i32 = 0;

function candidate(i: i32): i32 {
  return <i32>load<i16>(CANDIDATES + ((<usize>i) << 1));
}

function keepCandidate(i: i32, value: i32): void {
  store<i16>(CANDIDATES + ((<usize>i) << 1), <i16>value);
}

/**
 * Collect the candidates of a channel.
 *
 * @param foreseen  the predicted level, Q8 history bins, |foreseen| < 2^29
 * @param historyShift  h: a history bin is 2^h bins
 */
export function collectCandidates(cfg: usize, channel: usize, foreseen: i64, historyShift: i64): void {
  candidates = <i32>load<u8>(cfg, CONFIG_OWN_LEVELS);
  positive = 0;
  negative = 0;
  for (let i = 0; i < candidates; i++) {
    const away = (<i64>load<i32>(channel + ((<usize>i) << 2), HISTORY) - foreseen) << historyShift; // below 2^44
    const code = <i32>max<i64>(min<i64>((away + 128) >> 8, CANDIDATE_LIMIT), -CANDIDATE_LIMIT);
    keepCandidate(i, code);
    positive += i32(code > 0);
    negative += i32(code < 0);
  }
  secondLast = candidate(1);
  thirdLast = candidate(2);
}

/** A count in four classes: none, 1..2, 3..7, more. */
function countClass(n: i32): i32 {
  return i32(n > 0) + i32(n > 2) + i32(n > 7);
}

/** A count in three classes: none, 1..3, more. */
function coarseClass(n: i32): i32 {
  return i32(n > 0) + i32(n > 3);
}

/** Context of the zero flag, 0..27: how many candidates are not zero, and whether the two newest are. */
export function zeroContext(): i32 {
  const others = positive + negative;
  const shares = countClass(others) + 3 - countClass(candidates - others);
  return shares * 4 + i32(secondLast != 0) + 2 * i32(thirdLast != 0);
}

/** Context of the sign, 0..8: how many candidates have either. */
export function signContext(): i32 {
  return coarseClass(negative) * 3 + coarseClass(positive);
}

/** The unary count (|code| - 1) >> k of a candidate on the coded side, else AT_ZERO or ASIDE. */
function unaryOf(code: i32, isNegative: bool, k: i32): i32 {
  const size = isNegative ? -code : code;
  return size > 0 ? (size - 1) >> k : size == 0 ? AT_ZERO : ASIDE;
}

/** Keep the candidates on the coded side, as unary counts. */
export function keepSide(isNegative: bool, k: i32): void {
  let kept = 0;
  for (let i = 0; i < candidates; i++) {
    const code = candidate(i);
    const size = isNegative ? -code : code;
    keepCandidate(kept, (size - 1) >> k);
    kept += i32(size > 0);
  }
  candidates = kept;
  secondLast = unaryOf(secondLast, isNegative, k);
  thirdLast = unaryOf(thirdLast, isNegative, k);
}

/** Context of unary position i, 0..8: how many candidates go on and how many stop there. Drops those that stop. */
export function unaryContext(i: i32): i32 {
  let onward = 0;
  for (let j = 0; j < candidates; j++) {
    const count = candidate(j);
    keepCandidate(onward, count);
    onward += i32(count > i);
  }
  const stopping = candidates - onward;
  candidates = onward;
  return coarseClass(onward) * 3 + coarseClass(stopping);
}

/** Where a level lies from unary position i: 0 at zero, 1 passed or on the other side, 2 here, 3 further on. */
function place(level: i32, i: i32): i32 {
  return i32(level != AT_ZERO) + i32(level >= i) + i32(level > i);
}

/** Context of unary position i, 0..15: where the two newest candidates lie. */
export function placeContext(i: i32): i32 {
  return place(secondLast, i) * 4 + place(thirdLast, i);
}
