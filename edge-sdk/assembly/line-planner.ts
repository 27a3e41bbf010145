import { baseBin, baseOf } from "./keyframe";
import { CHANNEL_BOUND, CHANNEL_STEP, channelConfig, channelState, flagsOf, LAST, LINE_INDEX } from "./layout";
import { PLAN_FROM, PLAN_LINE_BYTES, PLAN_OPEN_ROWS, PLAN_ROWS, PLAN_TO } from "./line-plan";
import { cheapestSlope, priceGoesOn, priceRows, priceSlope, priceStart } from "./line-prices";
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
 * The cheapest lines of one channel of one block, by dynamic programming over the rows: node t is the cheapest known way
 * to have the rows before t covered. From every node all starts within the bound are tried; from each the cone of
 * slopes that keep every sample within the bound narrows row by row, and ends are tried where a slope of the grid fits.
 *
 * The cone's edges are fractions of integers, compared by cross products. With i counted from the start, D the bin
 * width and 2 (x - from) - D <= 2 (to - from) i / span < 2 (x - from) + D, the rounded line is within the bound.
 */
const NODE_BYTES: usize = 24;
const NODE_COST: usize = 0; // u32, 1/256 bit
const NODE_VALUE: usize = 4; // i32: last reconstruction
const NODE_FROM: usize = 8; // i32: the line that ends here, its first value
const NODE_TO: usize = 12; // i32: and its last
const NODE_START: usize = 16; // u16: the node it starts from
const NODE_SIGN: usize = 18; // u8: sign of the value coded last
const NODE_KIND: usize = 19; // u8: how it was reached
const KIND_NEW: u32 = 0;
const KIND_OPEN: u32 = 1;
const KIND_FIRST: u32 = 2;
const UNREACHED: u32 = u32.MAX_VALUE;

/** Ends are tried at every row this near, then as often per doubling of the length. */
const DENSE_ENDS: i32 = 16;
/** So many shorter ends of the open line are tried. */
const OPEN_ENDS: i32 = 8;
/** A node that costs this much more than one further on is left aside, 1/256 bit. */
export const PRUNE: u32 = 1024;

// The block in hand
let state: usize = 0;
let prices: usize = 0;
let nodes: usize = 0;
let column: usize = 0;
let rows: i32 = 0;
let step: i64 = 0;
let grid: i64 = 0;
/** The cheapest node reached beyond the one in hand. */
let aheadCost: u32 = 0;
let aheadAt: i32 = 0;
let farthest: i32 = 0;

/** Bytes that planning a block takes: nodes and one channel's samples. */
export function planBytes(blockRows: i32): usize {
  return ((NODE_BYTES + 4) * <usize>(blockRows + 1) + 7) & ~7;
}

function nodeAt(t: i32): usize {
  return nodes + NODE_BYTES * <usize>t;
}

function sampleAt(t: i32): i64 {
  return <i64>load<i32>(column + ((<usize>t) << 2));
}

/** Keep a way to node t if it is the cheapest so far. */
function relax(t: i32, cost: u32, value: i32, from: i32, to: i32, start: i32, sign: u32, kind: u32): void {
  const node = nodeAt(t);
  farthest = max(farthest, t);
  if (cost >= load<u32>(node, NODE_COST)) return;
  store<u32>(node, cost, NODE_COST);
  store<i32>(node, value, NODE_VALUE);
  store<i32>(node, from, NODE_FROM);
  store<i32>(node, to, NODE_TO);
  store<u16>(node, <u16>start, NODE_START);
  store<u8>(node, <u8>sign, NODE_SIGN);
  store<u8>(node, <u8>kind, NODE_KIND);
  if (cost <= aheadCost) {
    aheadCost = cost;
    aheadAt = t;
  }
}

function signOf(value: i64): u32 {
  return u32(value < 0) | (u32(value > 0) << 1);
}

/** ceil(a / b). Range: b > 0, |a| < 2^62. */
function ceilDivide(a: i64, b: i64): i64 {
  const q = a / b;
  return q * b < a ? q + 1 : q;
}

/** Try the first rows of the line that the last block left open. */
function planOpenLine(line: usize): void {
  const index = <i32>load<u16>(line, LINE_INDEX);
  const most = min(rows, <i32>LAST_LINE_INDEX + 1 - index);
  const bound = (step - 1) >> 1;
  let fits = 0;
  while (fits < most) {
    const miss = <i64>lineValue(line, index + fits) - sampleAt(fits);
    if (miss > bound || miss < -bound) break;
    fits++;
  }
  const price = load<u32>(nodeAt(0), NODE_COST) + priceGoesOn(state, true);
  for (let length = fits; length > 0 && length >= fits - OPEN_ENDS; length--) {
    const cost = price + priceRows(prices, rows, false, length);
    relax(length, cost, lineValue(line, index + length - 1), 0, 0, 0, <u32>lineSign(line), KIND_OPEN);
  }
  store<u32>(nodeAt(0), load<u32>(nodeAt(0), NODE_COST) + priceGoesOn(state, false), NODE_COST);
}

/** Try lines that start with row t at `from`, `steps` of the grid away from the reconstruction before. */
function planFrom(t: i32, from: i64, steps: i64): void {
  const node = nodeAt(t);
  const cost = load<u32>(node, NODE_COST);
  const sign = <usize>load<u8>(node, NODE_SIGN);
  const left = rows - t;
  const startSign = signOf(steps);
  const short = cost + priceStart(prices, sign, 1, steps);
  const long = cost + priceStart(prices, sign, 4, steps);
  relax(t + 1, short + priceRows(prices, left, true, 1), <i32>from, <i32>from, <i32>from, t, startSign, KIND_NEW);
  // slopes 2 (to - from) / span: low <= slope < high, as fractions
  let lowTop: i64 = i64.MIN_VALUE >> 20;
  let lowBottom: i64 = 1;
  let highTop: i64 = i64.MAX_VALUE >> 20;
  let highBottom: i64 = 1;
  let lastSpan: i32 = 0;
  let lastPaid: u32 = 0;
  let lastSmall: i64 = 0;
  let lastMiddle: i64 = 0;
  for (let span = 1; span < left; span++) {
    const away = 2 * (sampleAt(t + span) - from);
    if ((away - step) * lowBottom > lowTop * span) {
      lowTop = away - step;
      lowBottom = span;
    }
    if ((away + step) * highBottom < highTop * span) {
      highTop = away + step;
      highBottom = span;
    }
    if (lowTop * highBottom >= highTop * lowBottom) break;
    const isDense = span <= DENSE_ENDS || span + 1 == left;
    const paid = (span < 3 ? short : long) + priceRows(prices, left, true, span + 1);
    if (paid + cheapestSlope(prices, span + 1) >= load<u32>(nodeAt(t + span + 1), NODE_COST)) continue;
    const low = max<i64>(ceilDivide(lowTop * span, 2 * grid * lowBottom), ceilDivide(i32.MIN_VALUE - from, grid));
    const high = min<i64>(ceilDivide(highTop * span, 2 * grid * highBottom) - 1, (<i64>i32.MAX_VALUE - from) / grid);
    if (low > high) continue;
    const small = low > 0 ? low : high < 0 ? high : 0;
    const middle = (low + high) >> 1;
    if (isDense || span % (span / DENSE_ENDS) == 0) {
      lastSpan = 0;
      planEnd(t, span, from, small, middle, paid, startSign);
    } else {
      lastSpan = span;
      lastPaid = paid;
      lastSmall = small;
      lastMiddle = middle;
    }
  }
  if (lastSpan > 0) planEnd(t, lastSpan, from, lastSmall, lastMiddle, lastPaid, startSign);
}

/** Try one end with one or two slopes. `cost`: the way to the start, the start, and the length. */
function planEnd(t: i32, span: i32, from: i64, small: i64, middle: i64, cost: u32, startSign: u32): void {
  // Nobody goes on from the block's end but the line itself, which the middle serves best
  if (t + span + 1 < rows) planSlope(t, span, from, small, cost, startSign);
  if (middle != small || t + span + 1 == rows) planSlope(t, span, from, middle, cost, startSign);
}

function planSlope(t: i32, span: i32, from: i64, slope: i64, paid: u32, startSign: u32): void {
  const cost = paid + priceSlope(prices, startSign, span + 1, slope);
  const to = <i32>(from + slope * grid);
  relax(t + span + 1, cost, to, <i32>from, to, t, signOf(slope), KIND_NEW);
}

/** The extension of the line that ends before row t. `line`: the channel's, at the block's start */
function extensionAt(t: i32, line: usize): i64 {
  const node = nodeAt(t);
  if (load<u8>(node, NODE_KIND) != KIND_NEW) return extensionOf(line);
  return extension(load<i32>(node, NODE_FROM), load<i32>(node, NODE_TO), t - 1 - <i32>load<u16>(node, NODE_START));
}

/** The cheapest node beyond t, once the one known is passed. */
function lookAhead(t: i32): void {
  aheadCost = UNREACHED;
  for (let u = t + 1; u <= rows; u++) {
    const cost = load<u32>(nodeAt(u), NODE_COST);
    if (cost <= aheadCost) {
      aheadCost = cost;
      aheadAt = u;
    }
  }
}

/** Forget the nodes between t and the farthest one. */
function keepFarthest(t: i32): void {
  for (let u = t + 1; u < farthest; u++) store<u32>(nodeAt(u), UNREACHED, NODE_COST);
}

/**
 * Plan the lines of channel c, which has no lattice.
 *
 * @param st  at the block's start
 * @param samples  i32 (blockRows, channels), row-major
 * @param priceTables  filled by fillPrices from the same state
 * @param work  planBytes(blockRows)
 * @param isGreedy  take the longest line from every start instead of the cheapest way
 * @param firstRow  1 when the block's first row holds the channel's base, else 0
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
  isGreedy: bool,
  priceTables: usize,
  work: usize,
): u32 {
  const config = channelConfig(cfg, c);
  const channel = channelState(cfg, st, c);
  const line = lineOf(flagsOf(cfg, channel));
  const bound = <i64>load<i32>(config, CHANNEL_BOUND);
  state = st;
  prices = priceTables;
  nodes = work;
  column = work + NODE_BYTES * <usize>(blockRows + 1);
  rows = blockRows;
  step = <i64>load<i32>(config, CHANNEL_STEP);
  grid = <i64>lineGrid(<i32>bound);
  for (let t = 0; t < blockRows; t++) {
    store<i32>(column + ((<usize>t) << 2), load<i32>(samples + ((<usize>(t * channels + c)) << 2)));
  }
  for (let t = 0; t <= blockRows; t++) store<u32>(nodeAt(t), UNREACHED, NODE_COST);
  aheadCost = UNREACHED;
  aheadAt = 0;
  farthest = 0;
  const last = firstRow > 0 ? baseOf(config, baseBin(config, <i32>sampleAt(0))) : load<i32>(channel, LAST);
  relax(firstRow, 0, last, 0, 0, 0, <u32>lineSign(line), KIND_FIRST);
  if (firstRow == 0 && isOnLine(line)) planOpenLine(line);
  for (let t = firstRow; t < blockRows; t++) {
    const node = nodeAt(t);
    const cost = load<u32>(node, NODE_COST);
    if (cost == UNREACHED) continue;
    if (aheadAt <= t) lookAhead(t);
    if (aheadCost != UNREACHED && cost > aheadCost + PRUNE) continue;
    const before = <i64>expectedStart(load<i32>(node, NODE_VALUE), extensionAt(t, line));
    const sample = sampleAt(t);
    const most = min<i64>(sample + bound, i32.MAX_VALUE);
    let steps = ceilDivide(max<i64>(sample - bound, i32.MIN_VALUE) - before, grid);
    for (let from = before + steps * grid; from <= most; from += grid) planFrom(t, from, steps++);
    if (isGreedy) keepFarthest(t);
  }
  return load<u32>(nodeAt(blockRows), NODE_COST);
}

/**
 * Write what `planLines` found last.
 *
 * @param entry  the channel's entry of the plan; its PLAN_OPEN_ROWS is set
 * @param end    one past the room for its lines, PLAN_LINE_BYTES each; they are written so as to end there
 * @returns address of the first line
 */
export function writeLines(entry: usize, end: usize): usize {
  store<u32>(entry, 0, PLAN_OPEN_ROWS);
  let t = rows;
  while (t > 0) {
    const node = nodeAt(t);
    const kind: u32 = load<u8>(node, NODE_KIND);
    if (kind == KIND_OPEN) store<u32>(entry, t, PLAN_OPEN_ROWS);
    if (kind != KIND_NEW) break;
    const start = <i32>load<u16>(node, NODE_START);
    end -= PLAN_LINE_BYTES;
    store<u32>(end, t - start, PLAN_ROWS);
    store<i32>(end, load<i32>(node, NODE_FROM), PLAN_FROM);
    store<i32>(end, load<i32>(node, NODE_TO), PLAN_TO);
    t = start;
  }
  return end;
}
