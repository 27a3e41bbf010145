import { CANDIDATES_END } from "./config-block";
import { CONFIG_OWN_LEVELS, historyOf, widthOf } from "./layout";

/**
 * What the recent past would have a code be: for each reconstruction in a channel's history there is one code that
 * would return to it. Many signals come back to levels they had (a load that switches, a heart at rest), so how many
 * of these candidates are for and against is a context for each decision in the spelling of a code.
 *
 * The candidates are codes at first, then the unary counts of those with the coded sign that were not yet passed. They
 * serve one code and are no state; the first is the last in memory (config-block.ts).
 */
let candidates: i32 = 0;
let positive: i32 = 0;
let negative: i32 = 0;
/** The least of the unary counts kept: up to it no candidate drops out, which spares most of the work for large codes. */
let nearest: i32 = 0;
/** Candidates of the level before the last and of the one before that. */
let secondLast: i32 = 0;
let thirdLast: i32 = 0;

function candidate(i: i32): i32 {
  return load<i32>(CANDIDATES_END - 4 - ((<usize>i) << 2));
}

function keepCandidate(i: i32, value: i32): void {
  store<i32>(CANDIDATES_END - 4 - ((<usize>i) << 2), value);
}

/**
 * Collect the candidates of a channel.
 *
 * @param foreseen  the predicted level, in units of the history, |foreseen| < 2^30
 * @param octaves  that unit is 2^octaves Q8 bins; more than 8 count as 8, where every candidate is far away anyway
 */
export function collectCandidates(cfg: usize, channel: usize, foreseen: i32, octaves: i32): void {
  const count = <i32>load<u8>(cfg, CONFIG_OWN_LEVELS);
  let above = 0;
  let below = 0;
  const fraction = max<i32>(8 - octaves, 0);
  const centre = foreseen - ((1 << fraction) >> 1);
  const history = historyOf(cfg, channel);
  const wide = widthOf(cfg) != 0;
  for (let i = 0; i < count; i++) {
    const entry = wide ? load<i32>(history + ((<usize>i) << 2)) : <i32>load<i16>(history + ((<usize>i) << 1));
    const code = (entry - centre) >> fraction;
    keepCandidate(i, code);
    above += i32(code > 0);
    below += i32(code < 0);
  }
  candidates = count;
  positive = above;
  negative = below;
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

/**
 * Context of the zero flag, 0..27: how many candidates are not zero, and whether the two newest are. Of 16 or more, at
 * least one count is in the last class; of 12, both may be in the third, which stands for an even share.
 */
export function zeroContext(): i32 {
  const others = positive + negative;
  const shares = countClass(others) + 3 - countClass(candidates - others);
  return shares * 4 + i32(secondLast != 0) + 2 * i32(thirdLast != 0);
}

/** Context of the sign, 0..15: how many candidates have either. */
export function signContext(): i32 {
  return countClass(negative) * 4 + countClass(positive);
}

/** Keep the candidates on the coded side, as unary counts. */
export function keepSide(isNegative: bool, k: i32): void {
  const count = candidates;
  let kept = 0;
  for (let i = 0; i < count; i++) {
    const code = candidate(i);
    const size = isNegative ? -code : code;
    keepCandidate(kept, (size - 1) >> k);
    kept += i32(size > 0);
  }
  candidates = kept;
  nearest = 0;
  if (secondLast) secondLast = isNegative == secondLast < 0 ? ((abs<i32>(secondLast) - 1) >> k) + 2 : 1;
}

/** Context of unary position i, 0..8: how many candidates go on and how many stop there. Drops those that stop. */
export function unaryContext(i: i32): i32 {
  const count = candidates;
  let onward = count;
  if (nearest <= i) {
    let least = i32.MAX_VALUE;
    onward = 0;
    for (let j = 0; j < count; j++) {
      const size = candidate(j);
      if (size > i) {
        keepCandidate(onward++, size);
        least = min(least, size);
      }
    }
    candidates = onward;
    nearest = least;
  }
  return coarseClass(onward) * 3 + coarseClass(count - onward);
}

/** Context of unary position i, 0..3: the level before the last is at zero, passed or on the other side, here, further on. */
export function placeContext(i: i32): i32 {
  return i32(secondLast > 0) + i32(secondLast >= i + 2) + i32(secondLast > i + 2);
}
