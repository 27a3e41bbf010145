import { CONFIG_OWN_LEVELS, HISTORY } from "./layout";

/**
 * What the recent past would have a code be: for each reconstruction in a channel's history there is one code that
 * would return to it. Many signals come back to levels they had (a load that switches, a heart at rest), so how many
 * of these candidates are for and against is a context for each decision in the spelling of a code.
 *
 * CANDIDATES holds codes at first, then the unary counts of those with the coded sign that were not yet passed. It
 * serves one code and is no state.
 */
const CANDIDATES = memory.data(2 * 32, 2);
const CANDIDATE_LIMIT: i64 = 0x7fff;
/** Half a bin and one bin, Q8. */
const HALF: i64 = 128;
const BIN: i64 = 256;

let candidates: i32 = 0;
/** Candidates of the level before the last and of the one before that. */
let secondLast: i32 = 0;
let thirdLast: i32 = 0;

function candidate(i: i32): i32 {
  return <i32>load<i16>(CANDIDATES + ((<usize>i) << 1));
}

function keepCandidate(i: i32, value: i32): void {
  store<i16>(CANDIDATES + ((<usize>i) << 1), <i16>value);
}

/** Code of a move by `d`, as the quantizer would have it. Range: |d| < 2^43, Q8 bins; the code is cut to 16 bits. */
function codeOf(d: i64, isSparse: bool): i32 {
  const size = d < 0 ? -d : d;
  if (size <= HALF) return 0;
  const code = <i32>min<i64>((size + (isSparse ? BIN - 1 : HALF)) >> 8, CANDIDATE_LIMIT);
  return d < 0 ? -code : code;
}

/**
 * Collect the candidates of a channel.
 *
 * @param move  what the predictor foresees, Q8 history bins, |move| <= 2^28
 * @param historyShift  h: a history bin is 2^h bins
 */
export function collectCandidates(cfg: usize, channel: usize, move: i32, historyShift: i64, isSparse: bool): void {
  candidates = <i32>load<u8>(cfg, CONFIG_OWN_LEVELS);
  const foreseen = <i64>load<i32>(channel, HISTORY) + move;
  for (let i = 0; i < candidates; i++) {
    const away = <i64>load<i32>(channel + ((<usize>i) << 2), HISTORY) - foreseen;
    keepCandidate(i, codeOf(away << historyShift, isSparse));
  }
  secondLast = candidate(1);
  thirdLast = candidate(2);
}

/** How many candidates have this sign: -1, 0 or 1. */
function countSign(sign: i32): i32 {
  let n = 0;
  for (let i = 0; i < candidates; i++) {
    const code = candidate(i);
    n += i32(i32(code > 0) - i32(code < 0) == sign);
  }
  return n;
}

/** A count in four classes: none, 1..2, 3..7, more. */
function countClass(n: i32): i32 {
  return n == 0 ? 0 : n < 3 ? 1 : n < 8 ? 2 : 3;
}

/** Context of the zero flag, 0..27: the share of candidates that are not zero, and whether the two newest are. */
export function zeroContext(): i32 {
  const share = ((candidates - countSign(0)) * 32) / candidates;
  const shareClass = share == 0 ? 0 : share < 4 ? 1 : share < 10 ? 2 : share < 20 ? 3 : share < 29 ? 4 : share < 32 ? 5 : 6;
  return shareClass * 4 + i32(secondLast != 0) + 2 * i32(thirdLast != 0);
}

/** Context of the sign, 0..15. */
export function signContext(): i32 {
  return countClass(countSign(-1)) * 4 + countClass(countSign(1));
}

/** The unary count (|code| - 1) >> k of a candidate on the coded side, or -1. */
function unaryOf(code: i32, isNegative: bool, k: i32): i32 {
  const size = isNegative ? -code : code;
  return size > 0 ? (size - 1) >> k : -1;
}

/** Keep the candidates on the coded side, as unary counts. */
export function keepSide(isNegative: bool, k: i32): void {
  let kept = 0;
  for (let i = 0; i < candidates; i++) {
    const count = unaryOf(candidate(i), isNegative, k);
    if (count >= 0) keepCandidate(kept++, count);
  }
  candidates = kept;
  if (secondLast) secondLast = unaryOf(secondLast, isNegative, k) + 2;
  if (thirdLast) thirdLast = unaryOf(thirdLast, isNegative, k) + 2;
}

/** Context of unary position i, 0..8: how many candidates go on and how many stop there. Drops those that stop. */
export function unaryContext(i: i32): i32 {
  let onward = 0;
  for (let j = 0; j < candidates; j++) {
    const count = candidate(j);
    if (count > i) keepCandidate(onward++, count);
  }
  const stopping = candidates - onward;
  candidates = onward;
  return (onward == 0 ? 0 : onward < 4 ? 1 : 2) * 3 + (stopping == 0 ? 0 : stopping < 4 ? 1 : 2);
}

/** A level's candidate against unary position i: 0 it was zero, 1 passed or on the other side, 2 here, 3 further on. */
function place(level: i32, i: i32): i32 {
  return level == 0 ? 0 : level < i + 2 ? 1 : level == i + 2 ? 2 : 3;
}

/** Context of unary position i, 0..15: where the two newest candidates lie. */
export function placeContext(i: i32): i32 {
  return place(secondLast, i) * 4 + place(thirdLast, i);
}
