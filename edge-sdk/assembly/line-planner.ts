import { ceilDivide, signOf } from "./fixed-point";
import { baseBin, baseOf } from "./keyframe";
import { CHANNEL_BOUND, CHANNEL_STEP, channelConfig, channelState, flagsOf, LAST, LINE_INDEX } from "./layout";
import { DENSE_ENDS, HOPES_BETWEEN, HOPES_NONE, HOPES_TRIED, hopesOf, isTried, lastHope, TRIED } from "./line-hopes";
import {
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
  GROUP,
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
 * row, and ends are tried where a slope of the grid fits.
 *
 * The cone's edges are fractions of integers, compared by cross products. With i counted from the start, D the bin
 * width and 2 (x - from) - D <= 2 (to - from) i / span < 2 (x - from) + D, the rounded line is within the bound.
 */
const GROUP_MASK: i32 = GROUP - 1;
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
let lengths: usize = 0; // u32 per number of rows: what a line costs for it, unless it reaches the end; see line-hopes.ts
/** No value within the bound of a sample is outside int32. */
let isFarInside: bool = false;
let rows: i32 = 0;
let step: i64 = 0;
let bound: i64 = 0;
let grid: i64 = 0;
/** The way in hand. */
let way: usize = 0;
let wayIndex: u32 = 0;
/** A cone of slopes: its edges, as fractions. */
let coneLowTop: i64 = 0;
let coneLowBottom: i64 = 1;
let coneHighTop: i64 = 0;
let coneHighBottom: i64 = 1;
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
  const long = cost + priceStart(prices, sign, 4, steps);
  const start = <i32>from;
  relax(t + 1, short + priceRows(prices, left, true, 1), start, start, start, t, startSign, wayIndex << 2);
  const goesShort = priceRows(prices, left, true, 0);
  const reaches = priceRows(prices, left, true, left) - (load<u32>(wordOf(lengths, left)) >> 1);
  // slopes 2 (to - from) / span: low <= slope < high, as fractions; what the edges are at the span, times their bottoms
  let lowTop: i64 = i64.MIN_VALUE >> 20;
  let lowBottom: i64 = 1;
  let highTop: i64 = i64.MAX_VALUE >> 20;
  let highBottom: i64 = 1;
  const width = 2 * step;
  const origin = 2 * from + step;
  // The last end that fits between two that are tried, and the cone before the group that it is in, or there
  let lastSpan: i32 = 0;
  let isGroup = false;
  let lastLowTop: i64 = 0;
  let lastLowBottom: i64 = 1;
  let lastHighTop: i64 = 0;
  let lastHighBottom: i64 = 1;
  const samplesFrom = wordOf(column, t);
  const limitsFrom = wordOf(limits, t + 1);
  const lengthsFrom = wordOf(lengths, 1);
  let span: i32 = 1;
  while (span < left) {
    // From here to `until` prices differ by the length alone
    const isLast = span + 1 == left;
    const until = isLast ? left : min(span < 3 ? 3 : span < 4 ? 4 : span < DENSE_ENDS ? DENSE_ENDS : left, left - 1);
    const base = (span < 3 ? short : long) + (isLast ? reaches : goesShort);
    const least = base + cheapestSlope(prices, span + 1);
    for (; span < until; span++) {
      if (((t + span) & GROUP_MASK) == GROUP_MASK && span >= 2 * GROUP && span + GROUP <= until) {
        const hopes = hopesOf(lengths, t, span, least);
        if (hopes != HOPES_TRIED) {
          coneLowTop = lowTop;
          coneLowBottom = lowBottom;
          coneHighTop = highTop;
          coneHighBottom = highBottom;
          narrow(t, span, span + GROUP, origin);
          const opening = coneHighTop * coneLowBottom - coneLowTop * coneHighBottom;
          const isFitting = isFarInside && opening * span >= 2 * grid * coneLowBottom * coneHighBottom;
          if (hopes == HOPES_NONE && opening <= 0) {
            span = left;
            break;
          }
          // A cone this wide has slopes of the grid at every row of the group, which need not be known yet
          if (hopes == HOPES_BETWEEN && isFitting) {
            isGroup = true;
            lastSpan = span;
            lastLowTop = lowTop;
            lastLowBottom = lowBottom;
            lastHighTop = highTop;
            lastHighBottom = highBottom;
          }
          if (hopes == HOPES_NONE || isFitting) {
            lowTop = coneLowTop;
            lowBottom = coneLowBottom;
            highTop = coneHighTop;
            highBottom = coneHighBottom;
            span += GROUP - 1;
            continue;
          }
        }
      }
      const under = 2 * <i64>load<i32>(wordOf(samplesFrom, span)) - origin;
      const over = under + width;
      const isLowTighter = under * lowBottom > lowTop * span;
      lowTop = select<i64>(under, lowTop, isLowTighter);
      lowBottom = select<i64>(span, lowBottom, isLowTighter);
      const isHighTighter = over * highBottom < highTop * span;
      highTop = select<i64>(over, highTop, isHighTighter);
      highBottom = select<i64>(span, highBottom, isHighTighter);
      const length = load<u32>(wordOf(lengthsFrom, span));
      if (least + (length >> 1) >= load<u32>(wordOf(limitsFrom, span))) continue;
      // Once closed it stays so, and only ends that might win ask
      const opening = highTop * lowBottom - lowTop * highBottom;
      if (opening <= 0) {
        span = left;
        break;
      }
      if (isLast || (length & TRIED) != 0) {
        const low = lowestSlope(from, lowTop, lowBottom, span);
        const high = highestSlope(from, highTop, highBottom, span);
        if (low > high) continue;
        lastSpan = 0;
        planEnd(t, span, from, low, high, base + (length >> 1), startSign);
      } else {
        if (
          !(isFarInside && opening * span >= 2 * grid * lowBottom * highBottom) &&
          lowestSlope(from, lowTop, lowBottom, span) > highestSlope(from, highTop, highBottom, span)
        )
          continue;
        isGroup = false;
        lastSpan = span;
        lastLowTop = lowTop;
        lastLowBottom = lowBottom;
        lastHighTop = highTop;
        lastHighBottom = highBottom;
      }
    }
  }
  if (lastSpan == 0) return;
  const base = (lastSpan < 3 ? short : long) + goesShort;
  if (isGroup) {
    const first = lastSpan;
    lastSpan = lastHope(lengths, t, first, base + cheapestSlope(prices, first + 1));
    coneLowTop = lastLowTop;
    coneLowBottom = lastLowBottom;
    coneHighTop = lastHighTop;
    coneHighBottom = lastHighBottom;
    narrow(t, first, lastSpan + 1, origin);
    lastLowTop = coneLowTop;
    lastLowBottom = coneLowBottom;
    lastHighTop = coneHighTop;
    lastHighBottom = coneHighBottom;
  }
  const low = lowestSlope(from, lastLowTop, lastLowBottom, lastSpan);
  const high = highestSlope(from, lastHighTop, lastHighBottom, lastSpan);
  planEnd(t, lastSpan, from, low, high, base + (load<u32>(wordOf(lengths, lastSpan + 1)) >> 1), startSign);
}

/** Narrow the cone by a few rows; it may close. `origin`: 2 from + step. */
function narrow(t: i32, span: i32, until: i32, origin: i64): void {
  let lowTop = coneLowTop;
  let lowBottom = coneLowBottom;
  let highTop = coneHighTop;
  let highBottom = coneHighBottom;
  const width = 2 * step;
  let at = wordOf(column, t + span);
  for (; span < until; span++) {
    const under = 2 * <i64>load<i32>(at) - origin;
    at += 4;
    const over = under + width;
    const isLowTighter = under * lowBottom > lowTop * span;
    const isHighTighter = over * highBottom < highTop * span;
    lowTop = select<i64>(under, lowTop, isLowTighter);
    lowBottom = select<i64>(span, lowBottom, isLowTighter);
    highTop = select<i64>(over, highTop, isHighTighter);
    highBottom = select<i64>(span, highBottom, isHighTighter);
  }
  coneLowTop = lowTop;
  coneLowBottom = lowBottom;
  coneHighTop = highTop;
  coneHighBottom = highBottom;
}

/** The lowest slope of the grid within the cone's lower edge, that ends inside int32. */
function lowestSlope(from: i64, top: i64, bottom: i64, span: i64): i64 {
  const low = ceilDivide(top * span, 2 * grid * bottom);
  return from + low * grid >= i32.MIN_VALUE ? low : ceilDivide(i32.MIN_VALUE - from, grid);
}

/** And the highest. */
function highestSlope(from: i64, top: i64, bottom: i64, span: i64): i64 {
  const high = ceilDivide(top * span, 2 * grid * bottom) - 1;
  return from + high * grid <= i32.MAX_VALUE ? high : (<i64>i32.MAX_VALUE - from) / grid;
}

/** Try one end with one or two slopes. `paid`: the way to the start, the start, and the length. */
function planEnd(t: i32, span: i32, from: i64, low: i64, high: i64, paid: u32, startSign: u32): void {
  const small = low > 0 ? low : high < 0 ? high : 0;
  const middle = (low + high) >> 1;
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
  isFarInside = true;
  for (let t = 0; t < blockRows; t++) {
    const sample = load<i32>(samples + ((<usize>(t * channels + c)) << 2));
    isFarInside = isFarInside && sample - step >= i32.MIN_VALUE && sample + step <= i32.MAX_VALUE;
    store<i32>(wordOf(column, t), sample);
    store<u32>(wordOf(lengths, t + 1), (priceMagnitude(prices, ROWS_CLASS, t + 1) << 1) | u32(isTried(t)));
  }
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
