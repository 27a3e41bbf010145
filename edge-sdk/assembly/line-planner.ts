import { ceilDivide, signOf } from "./fixed-point";
import { baseBin, baseOf } from "./keyframe";
import { CHANNEL_BOUND, CHANNEL_STEP, channelConfig, channelState, flagsOf, LAST, LINE_INDEX } from "./layout";
import {
  beginCones,
  coneHighBottom,
  coneHighTop,
  coneIsFalling,
  coneIsMoving,
  coneLowBottom,
  coneLowTop,
  findSlopes,
  hasClosed,
  hasMoved,
  isWide,
  narrow,
  openCone,
  setCone,
  slopeHigh,
  slopeLow,
} from "./line-cone";
import {
  cheapestMove,
  cheapestSlope,
  priceGoesOn,
  priceMagnitude,
  priceRows,
  priceSlope,
  priceStart,
  ROWS_CLASS,
} from "./line-prices";
import {
  beginWays,
  bestWay,
  cheapestBeyond,
  KIND_FIRST,
  KIND_OPEN,
  keepFarthest,
  limits,
  relax,
  UNREACHED,
  WAY_COST,
  WAY_NEXT,
  WAY_SIGN,
  wayAt,
  waysBytes,
  wordOf,
} from "./line-ways";
import {
  expectedStart,
  extension,
  extensionOf,
  isOnLine,
  LAST_LINE_INDEX,
  lineGrid,
  lineOf,
  lineSign,
  lineValue,
} from "./lines";

/**
 * The cheapest lines of one channel of one block, by dynamic programming over the rows (line-ways.ts). From every way all
 * starts within the bound are tried; from each the cone of slopes that keep every sample within the bound narrows row by
 * row, and ends are tried where a slope of the grid fits. What an end costs at least, its slope unknown, says before any
 * arithmetic of slopes whether it might win.
 */
/** Ends are tried at every row this near, then as often per doubling of the length. */
const DENSE_SHIFT: i32 = 4;
const DENSE_ENDS: i32 = 1 << DENSE_SHIFT;
/** From here on that is not every row. */
const FAR_SPAN: i32 = 2 * DENSE_ENDS;
/** Rows between two looks whether the cone is open still, about. */
const GROUP: i32 = 16;
/** So many shorter ends of the open line are tried. */
const OPEN_ENDS: i32 = 8;
/** A way that costs this much more than one further on is left aside, 1/256 bit: 4 bits. */
export const PRUNE: u32 = 1024;
/** And one that costs this much more than another to the same node: 2 bits. */
export const PRUNE_EQUAL: u32 = 512;

// The block in hand
let config: usize = 0;
let state: usize = 0;
let prices: usize = 0;
let column: usize = 0; // i32 per row: the channel's samples
let lengths: usize = 0; // u32 per number of rows: what a line costs for it, unless it reaches the end
let rows: i32 = 0;
let step: i64 = 0;
let bound: i64 = 0;
let grid: i64 = 0;
/** The way in hand. */
let way: usize = 0;
let wayIndex: u32 = 0;
/** Bytes that planning a block takes: the ways, and two words per row. */
export function planBytes(blockRows: i32, waysKept: i32): usize {
  return (waysBytes(blockRows, waysKept) + 8 * <usize>(blockRows + 1) + 7) & ~7;
}

function sampleAt(t: i32): i64 {
  return <i64>load<i32>(wordOf(column, t));
}

/** Try the first rows of the line that the last block left open. */
function planOpenLine(line: usize): void {
  const index = <i32>load<u16>(line, LINE_INDEX);
  const most = min(rows, <i32>LAST_LINE_INDEX + 1 - index);
  let fits = 0;
  while (fits < most) {
    const miss = <i64>lineValue(config, line, index + fits) - sampleAt(fits);
    if (miss > bound || miss < -bound) break;
    fits++;
  }
  const price = priceGoesOn(state, true);
  for (let length = fits; length > 0 && length >= fits - OPEN_ENDS; length--) {
    const next = expectedStart(config, lineValue(config, line, index + length - 1), extensionOf(line));
    relax(length, price + priceRows(prices, rows, false, length), next, 0, 0, 0, <u32>lineSign(line), KIND_OPEN);
  }
  store<u32>(wayAt(0, 0), priceGoesOn(state, false), WAY_COST);
}

/** Try lines that start with row t at `from`, `steps` of the grid away from where they are expected to. */
function planFrom(t: i32, from: i64, steps: i64): void {
  const cost = load<u32>(way, WAY_COST);
  const sign = <usize>load<u8>(way, WAY_SIGN);
  const left = rows - t;
  const startSign = signOf(steps);
  const short = cost + priceStart(prices, sign, 1, steps);
  const start = <i32>from;
  relax(t + 1, short + priceRows(prices, left, true, 1), start, start, start, t, startSign, wayIndex << 2);
  const long = cost + priceStart(prices, sign, 4, steps);
  const goesShort = priceRows(prices, left, true, 0);
  const reaches = priceRows(prices, left, true, left);
  openCone();
  let lowTop = coneLowTop;
  let lowBottom = coneLowBottom;
  let highTop = coneHighTop;
  let highBottom = coneHighBottom;
  const width = 2 * step;
  const origin = 2 * from + step;
  const samplesFrom = wordOf(column, t);
  const limitsFrom = wordOf(limits, t + 1);
  const lengthsFrom = wordOf(lengths, 1);
  const near = min(left, FAR_SPAN);
  let span: i32 = 1;
  while (span < near) {
    // From here to `until` prices differ by the length alone
    const until = min(near, span < 3 ? 3 : span < 4 ? 4 : span < DENSE_ENDS ? DENSE_ENDS : FAR_SPAN);
    const base = (span < 3 ? short : long) + goesShort;
    let least = base + leastSlope(startSign, span);
    for (; span < until; span++) {
      const under = 2 * <i64>load<i32>(wordOf(samplesFrom, span)) - origin;
      const over = under + width;
      const isLowTighter = under * lowBottom > lowTop * span;
      lowTop = select<i64>(under, lowTop, isLowTighter);
      lowBottom = select<i64>(span, lowBottom, isLowTighter);
      const isHighTighter = over * highBottom < highTop * span;
      highTop = select<i64>(over, highTop, isHighTighter);
      highBottom = select<i64>(span, highBottom, isHighTighter);
      const isLast = span + 1 == left;
      const length = isLast ? reaches - goesShort : load<u32>(wordOf(lengthsFrom, span));
      const limit = load<u32>(wordOf(limitsFrom, span));
      if (least + length >= limit) continue;
      // Once closed it stays so, and only ends that might win ask
      if (highTop * lowBottom <= lowTop * highBottom) return;
      if (!coneIsMoving && hasMoved(lowTop, highTop)) {
        least = base + leastSlope(startSign, span);
        if (least + length >= limit) continue;
      }
      if (findSlopes(from, lowTop, lowBottom, highTop, highBottom, span))
        planEnd(t, span, from, base + length, startSign);
    }
  }
  if (left <= FAR_SPAN) return;
  setCone(lowTop, lowBottom, highTop, highBottom);
  planFar(t, from, long + goesShort, long + reaches, startSign);
}

/** No slope of the cone, after so many rows, costs less. */
function leastSlope(startSign: u32, span: i32): u32 {
  return coneIsMoving ? cheapestMove(prices, startSign, span + 1, coneIsFalling) : cheapestSlope(prices, span + 1);
}

/**
 * Go on with the line in hand from FAR_SPAN rows on, where not every end is tried.
 *
 * @param paid    what it costs beside its length and its slope
 * @param paidToEnd  and what one that reaches the block's end costs beside its slope
 */
function planFar(t: i32, from: i64, paid: u32, paidToEnd: u32, startSign: u32): void {
  const left = rows - t;
  const origin = 2 * from + step;
  const limitsFrom = wordOf(limits, t + 1);
  const lengthsFrom = wordOf(lengths, 1);
  let least = paid + leastSlope(startSign, FAR_SPAN);
  let span = FAR_SPAN - 1;
  // The cone where ends between two that are tried are to be looked for, should it close before the next
  let seen = span;
  let seenLowTop: i64 = coneLowTop;
  let seenLowBottom: i64 = coneLowBottom;
  let seenHighTop: i64 = coneHighTop;
  let seenHighBottom: i64 = coneHighBottom;
  for (;;) {
    let end = span;
    do end = nextTried(end);
    while (
      end + 1 < left &&
      end - span < GROUP &&
      least + load<u32>(wordOf(lengthsFrom, end)) >= load<u32>(wordOf(limitsFrom, end))
    );
    end = min(end, left - 1);
    narrow(t, span + 1, end + 1, origin);
    span = end;
    if (hasClosed()) break;
    if (!coneIsMoving && hasMoved(coneLowTop, coneHighTop)) least = paid + leastSlope(startSign, FAR_SPAN);
    const isLast = span + 1 == left;
    const price = isLast ? paidToEnd : paid + load<u32>(wordOf(lengthsFrom, span));
    if (least - paid + price < load<u32>(wordOf(limitsFrom, span))) {
      if (findSlopes(from, coneLowTop, coneLowBottom, coneHighTop, coneHighBottom, span)) {
        planEnd(t, span, from, price, startSign);
        if (isLast) return;
      } else if (isLast) break;
      else continue;
    } else if (isLast) break;
    seen = span;
    seenLowTop = coneLowTop;
    seenLowBottom = coneLowBottom;
    seenHighTop = coneHighTop;
    seenHighBottom = coneHighBottom;
  }
  setCone(seenLowTop, seenLowBottom, seenHighTop, seenHighBottom);
  // `least` may be of a narrower cone, which has left 0: ends that only a flat slope could win are then left aside. To look at
  // them too makes greedy lines a little cheaper, and those of the programme no better.
  let last = 0;
  for (let at = seen + 1; at < span; at++) {
    if (least + load<u32>(wordOf(lengthsFrom, at)) >= load<u32>(wordOf(limitsFrom, at))) continue;
    narrow(t, seen + 1, at + 1, origin);
    seen = at;
    if (hasClosed()) break;
    if (!isWide(at) && !findSlopes(from, coneLowTop, coneLowBottom, coneHighTop, coneHighBottom, at)) continue;
    last = at;
    seenLowTop = coneLowTop;
    seenLowBottom = coneLowBottom;
    seenHighTop = coneHighTop;
    seenHighBottom = coneHighBottom;
  }
  if (last == 0) return;
  findSlopes(from, seenLowTop, seenLowBottom, seenHighTop, seenHighBottom, last);
  planEnd(t, last, from, paid + load<u32>(wordOf(lengthsFrom, last)), startSign);
}

/** The next span beyond this one whose end is tried: a sixteenth on, or the last multiple of 16 before that. Range: span >= 31. */
function nextTried(span: i32): i32 {
  const next = span + (span >> DENSE_SHIFT);
  const isFarther = next >> DENSE_SHIFT != span >> DENSE_SHIFT;
  return isFarther ? (next >> DENSE_SHIFT) << DENSE_SHIFT : next;
}

/** Try one end with one or two of the slopes found. `paid`: the way to the start, the start, and the length. */
function planEnd(t: i32, span: i32, from: i64, paid: u32, startSign: u32): void {
  const small = slopeLow > 0 ? slopeLow : slopeHigh < 0 ? slopeHigh : 0;
  const middle = (slopeLow + slopeHigh) >> 1;
  // Nobody goes on from the block's end but the line itself, which the middle serves best
  const isLast = t + span + 1 == rows;
  if (!isLast) planSlope(t, span, from, small, paid, startSign);
  if (isLast || middle != small) planSlope(t, span, from, middle, paid, startSign);
}

function planSlope(t: i32, span: i32, from: i64, slope: i64, paid: u32, startSign: u32): void {
  const cost = paid + priceSlope(prices, startSign, span + 1, slope);
  if (cost >= load<u32>(wordOf(limits, t + span + 1))) return;
  const to = <i32>(from + slope * grid);
  const next = expectedStart(config, to, extension(<i32>from, to, span));
  relax(t + span + 1, cost, next, <i32>from, to, t, signOf(slope), wayIndex << 2);
}

/** Try all lines that start with row t from the way in hand. */
function planWay(t: i32): void {
  const expected = <i64>load<i32>(way, WAY_NEXT);
  const most = min<i64>(sampleAt(t) + bound, i32.MAX_VALUE);
  let steps = ceilDivide(max<i64>(sampleAt(t) - bound, i32.MIN_VALUE) - expected, grid);
  for (let from = expected + steps * grid; from <= most; from += grid) planFrom(t, from, steps++);
}

/**
 * Plan the lines of channel c.
 *
 * @param st  at the block's start
 * @param samples  i32 (blockRows, channels), row-major
 * @param firstRow  1 when the block's first row holds the channel's base, else 0
 * @param waysKept  ways to each node, 1..63; 0 takes the longest line from every start instead of the cheapest way
 * @param priceTables  filled by fillPrices from the same state
 * @param work  planBytes(blockRows, max(waysKept, 1))
 * @returns what they cost, the block's header left out, in 1/256 bit
 */
export function planLines(
  cfg: usize,
  st: usize,
  c: i32,
  samples: usize,
  channels: i32,
  blockRows: i32,
  firstRow: i32,
  waysKept: i32,
  priceTables: usize,
  work: usize,
): u32 {
  config = channelConfig(cfg, c);
  const channel = channelState(cfg, st, c);
  const line = lineOf(flagsOf(cfg, channel));
  state = st;
  prices = priceTables;
  const ways = max(waysKept, 1);
  column = beginWays(work, blockRows, ways);
  lengths = wordOf(column, blockRows);
  rows = blockRows;
  step = <i64>load<i32>(config, CHANNEL_STEP);
  bound = <i64>load<i32>(config, CHANNEL_BOUND);
  grid = <i64>lineGrid(config);
  let isFarInside = true;
  for (let t = 0; t < blockRows; t++) {
    const sample = load<i32>(samples + ((<usize>(t * channels + c)) << 2));
    isFarInside = isFarInside && sample - step >= i32.MIN_VALUE && sample + step <= i32.MAX_VALUE;
    store<i32>(wordOf(column, t), sample);
    store<u32>(wordOf(lengths, t + 1), priceMagnitude(prices, ROWS_CLASS, t + 1));
  }
  beginCones(column, step, grid, isFarInside);
  wayIndex = 0;
  const last = firstRow > 0 ? baseOf(config, baseBin(config, <i32>sampleAt(0))) : load<i32>(channel, LAST);
  relax(firstRow, 0, expectedStart(config, last, extensionOf(line)), 0, 0, 0, <u32>lineSign(line), KIND_FIRST);
  if (firstRow == 0 && isOnLine(line)) planOpenLine(line);
  for (let t = firstRow; t < blockRows; t++) {
    const best = load<u32>(bestWay(t), WAY_COST);
    if (best == UNREACHED) continue;
    const limit = min<u64>(<u64>best + PRUNE_EQUAL, <u64>cheapestBeyond(t) + PRUNE);
    for (let k = 0; k < ways; k++) {
      way = wayAt(t, k);
      wayIndex = k;
      const cost = load<u32>(way, WAY_COST);
      if (cost != UNREACHED && cost <= limit) planWay(t);
    }
    if (waysKept == 0) keepFarthest(t);
  }
  return load<u32>(bestWay(blockRows), WAY_COST);
}
