import { PLAN_FROM, PLAN_LINE_BYTES, PLAN_OPEN_ROWS, PLAN_ROWS, PLAN_TO } from "./line-plan";

/**
 * What the planner of lines knows so far of the block in hand: node t holds the cheapest known ways to have the rows before
 * t covered, which differ in where the next line is expected to start.
 */
const WAY_BYTES: usize = 20;
export const WAY_COST: usize = 0; // u32, 1/256 bit
export const WAY_NEXT: usize = 4; // i32: where the next line is expected to start
const WAY_FROM: usize = 8; // i32: the line that ends here, its first value
const WAY_TO: usize = 12; // i32: and its last
const WAY_START: usize = 16; // u16: the node it starts from
export const WAY_SIGN: usize = 18; // u8: sign of the value coded last
const WAY_KIND: usize = 19; // u8: which way of that node << 2 | KIND_*
const KIND_NEW: u32 = 0;
export const KIND_OPEN: u32 = 1;
export const KIND_FIRST: u32 = 2;
const KIND_MASK: u32 = 3;
export const UNREACHED: u32 = u32.MAX_VALUE;

let nodes: usize = 0;
/** u32 per node: what a way to it must undercut to be kept. */
export let limits: usize = 0;
let ways: i32 = 0;
let lastNode: i32 = 0;
/** The cheapest node reached beyond the one in hand. */
let aheadCost: u32 = 0;
let aheadAt: i32 = 0;
let farthest: i32 = 0;

/** Bytes of the nodes of a block: so many ways and a word each. */
export function waysBytes(blockRows: i32, waysKept: i32): usize {
  return (WAY_BYTES * <usize>waysKept + 4) * <usize>(blockRows + 1);
}

/** Begin a block with no node reached. @returns the end of its `waysBytes` */
export function beginWays(at: usize, blockRows: i32, waysKept: i32): usize {
  nodes = at;
  ways = waysKept;
  lastNode = blockRows;
  limits = nodes + WAY_BYTES * <usize>(ways * (blockRows + 1));
  aheadCost = UNREACHED;
  aheadAt = 0;
  farthest = 0;
  for (let t = 0; t <= blockRows; t++) forget(t);
  return wordOf(limits, blockRows + 1);
}

/** Way k to node t. */
export function wayAt(t: i32, k: i32): usize {
  return nodes + WAY_BYTES * <usize>(t * ways + k);
}

/** The cheapest way to node t. */
export function bestWay(t: i32): usize {
  let best = wayAt(t, 0);
  for (let k = 1; k < ways; k++) {
    const other = wayAt(t, k);
    if (load<u32>(other, WAY_COST) < load<u32>(best, WAY_COST)) best = other;
  }
  return best;
}

/** Word t of one of the tables that have one per row. */
export function wordOf(table: usize, t: i32): usize {
  return table + ((<usize>t) << 2);
}

/** Keep a way to node t in place of one that leads to the same start, or of the dearest, where it is cheaper. `kind`: as WAY_KIND. */
export function relax(t: i32, cost: u32, next: i32, from: i32, to: i32, start: i32, sign: u32, kind: u32): void {
  farthest = max(farthest, t);
  let place = wayAt(t, 0);
  let highest: u32 = 0;
  for (let k = 0; k < ways; k++) {
    const other = wayAt(t, k);
    const otherCost = load<u32>(other, WAY_COST);
    const isSame = otherCost != UNREACHED && load<i32>(other, WAY_NEXT) == next;
    if (isSame || otherCost > highest) {
      place = other;
      highest = otherCost;
    }
    if (isSame) break;
  }
  if (cost >= highest) return;
  store<u32>(place, cost, WAY_COST);
  store<i32>(place, next, WAY_NEXT);
  store<i32>(place, from, WAY_FROM);
  store<i32>(place, to, WAY_TO);
  store<u16>(place, <u16>start, WAY_START);
  store<u8>(place, <u8>sign, WAY_SIGN);
  store<u8>(place, <u8>kind, WAY_KIND);
  highest = 0;
  for (let k = 0; k < ways; k++) highest = max(highest, load<u32>(wayAt(t, k), WAY_COST));
  store<u32>(wordOf(limits, t), highest);
  if (cost <= aheadCost) {
    aheadCost = cost;
    aheadAt = t;
  }
}

/** What the cheapest node beyond t costs, UNREACHED if there is none. */
export function cheapestBeyond(t: i32): u32 {
  if (aheadAt <= t) lookAhead(t);
  return aheadCost;
}

function lookAhead(t: i32): void {
  aheadCost = UNREACHED;
  aheadAt = lastNode;
  for (let u = t + 1; u <= farthest; u++) {
    const cost = load<u32>(bestWay(u), WAY_COST);
    if (cost <= aheadCost) {
      aheadCost = cost;
      aheadAt = u;
    }
  }
}

/** Forget the nodes between t and the farthest one. */
export function keepFarthest(t: i32): void {
  for (let u = t + 1; u < farthest; u++) forget(u);
}

function forget(t: i32): void {
  store<u32>(wordOf(limits, t), UNREACHED);
  for (let k = 0; k < ways; k++) store<u32>(wayAt(t, k), UNREACHED, WAY_COST);
}

/**
 * Write the cheapest way to the last node.
 *
 * @param entry  the channel's entry of the plan; its PLAN_OPEN_ROWS is set
 * @param end    one past the room for its lines, PLAN_LINE_BYTES each; they are written so as to end there
 * @returns address of the first line
 */
export function writeLines(entry: usize, end: usize): usize {
  store<u32>(entry, 0, PLAN_OPEN_ROWS);
  let at = bestWay(lastNode);
  for (let t = lastNode; t > 0; ) {
    const kind: u32 = load<u8>(at, WAY_KIND);
    if ((kind & KIND_MASK) == KIND_OPEN) store<u32>(entry, t, PLAN_OPEN_ROWS);
    if ((kind & KIND_MASK) != KIND_NEW) break;
    const start = <i32>load<u16>(at, WAY_START);
    end -= PLAN_LINE_BYTES;
    store<u32>(end, t - start, PLAN_ROWS);
    store<i32>(end, load<i32>(at, WAY_FROM), PLAN_FROM);
    store<i32>(end, load<i32>(at, WAY_TO), PLAN_TO);
    t = start;
    at = wayAt(start, kind >> 2);
  }
  return end;
}
