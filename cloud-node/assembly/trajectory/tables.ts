import { getBits, getGolomb, putBits, putGolomb } from "./bits";
import { CONTEXTS } from "./contexts";
import { logarithm } from "./logarithm";
import { CLASSES } from "./schedule";
import { STATUS_DAMAGED } from "./status";
import { TOKENS } from "./tokens";

/**
 * Frequency tables: per class of frames up to eight, one for each context or for several that look alike.
 *
 * A table adds up to 2^12. In a block: for each class in use, the scale of its contexts (2 bits), which contexts have
 * a table of their own (7 bits), and each table as its number of tokens, then gap and frequency of each but the last
 * frequency, which is what is left.
 */
export const PROBABILITY_BITS: u32 = 12;
export const TOTAL: u32 = 1 << PROBABILITY_BITS;
/** Of one table. */
const TABLE_BYTES: usize = TOKENS * 4;
const TABLE_COUNT: i32 = CLASSES * CONTEXTS;
/** Price of a table and of one of its tokens, bits: near what they are. */
const TABLE_PRICE: f64 = 12;
const TOKEN_PRICE: f64 = 9;

/** Counts are kept in so many lanes: one that is raised twice in a row waits for itself. */
export const LANES: i32 = 4;
const COUNT_BYTES: usize = TABLE_COUNT * TOKENS * 4;

const COUNTS: usize = memory.data(TABLE_COUNT * TOKENS * 4 * LANES, 16);
const SCALES: usize = memory.data(CLASSES, 16);
const DIVIDERS: usize = memory.data(CLASSES * 4, 16);
const MERGED: usize = memory.data(TOKENS * 4, 16);
const BEST: usize = memory.data((CONTEXTS + 1) * 8, 16);
const FROM: usize = memory.data((CONTEXTS + 1) * 4, 16);

/** Counts, then frequencies, of one table: u32 for each token. */
export function tableAt(kind: i32, context: i32): usize {
  return COUNTS + <usize>((kind * CONTEXTS + context) * TOKENS) * 4;
}

/** The same table in a lane, 0 … LANES - 1: `joinLanes` adds all up in the first. */
export function laneAt(kind: i32, lane: i32): usize {
  return tableAt(kind, 0) + COUNT_BYTES * <usize>lane;
}

export function joinLanes(): void {
  for (let o: usize = 0; o < COUNT_BYTES; o += 4) {
    let sum: u32 = 0;
    for (let lane = 0; lane < LANES; lane++) sum += load<u32>(COUNTS + o + COUNT_BYTES * <usize>lane);
    store<u32>(COUNTS + o, sum);
  }
}

export function clearCounts(): void {
  memory.fill(COUNTS, 0, COUNT_BYTES * LANES);
}

/** How far the bounds of a class's contexts are shifted. Range: 0 … 3. */
export function scaleOf(kind: i32): i32 {
  return load<u8>(SCALES + kind);
}

export function setScale(kind: i32, scale: i32): void {
  store<u8>(SCALES + kind, <u8>scale);
}

/** Bit k: context k begins a table. Bit 0 is always set. */
export function dividersOf(kind: i32): u32 {
  return load<u32>(DIVIDERS + ((<usize>kind) << 2));
}

/** Choose which contexts of a class share a table, merge their counts, and make frequencies of them. */
export function buildTables(kind: i32): void {
  store<f64>(BEST, 0);
  for (let end = 1; end <= CONTEXTS; end++) {
    let best: f64 = Infinity;
    memory.fill(MERGED, 0, TOKENS * 4);
    for (let begin = end - 1; begin >= 0; begin--) {
      addCounts(tableAt(kind, begin));
      const price = load<f64>(BEST + ((<usize>begin) << 3)) + priceOfMerged();
      if (price < best) {
        best = price;
        store<i32>(FROM + ((<usize>end) << 2), begin);
      }
    }
    store<f64>(BEST + ((<usize>end) << 3), best);
  }
  let dividers: u32 = 0;
  for (let end = CONTEXTS; end > 0; ) {
    const begin = load<i32>(FROM + ((<usize>end) << 2));
    dividers |= 1 << begin;
    for (let context = begin + 1; context < end; context++) mergeInto(tableAt(kind, begin), tableAt(kind, context));
    toFrequencies(tableAt(kind, begin));
    for (let context = begin + 1; context < end; context++) {
      memory.copy(tableAt(kind, context), tableAt(kind, begin), TOKENS * 4);
    }
    end = begin;
  }
  store<u32>(DIVIDERS + ((<usize>kind) << 2), dividers);
}

function addCounts(table: usize): void {
  mergeInto(MERGED, table);
}

function mergeInto(into: usize, table: usize): void {
  for (let o: usize = 0; o < TABLE_BYTES; o += 4) store<u32>(into + o, load<u32>(into + o) + load<u32>(table + o));
}

function priceOfMerged(): f64 {
  return priceOf(MERGED) + TABLE_PRICE;
}

/** Bits that the tokens of a table of counts take, with the table itself. */
export function priceOf(table: usize): f64 {
  let all: u32 = 0;
  let price: f64 = 0;
  for (let o: usize = 0; o < TABLE_BYTES; o += 4) {
    const count = load<u32>(table + o);
    if (count == 0) continue;
    all += count;
    price += TOKEN_PRICE - <f64>count * logarithm(count);
  }
  return all == 0 ? 0 : price + <f64>all * logarithm(all);
}

/** Counts to frequencies that add up to TOTAL, none of a token in use 0; an empty table gives all to token 0. */
function toFrequencies(table: usize): void {
  let all: u64 = 0;
  for (let o: usize = 0; o < TABLE_BYTES; o += 4) all += load<u32>(table + o);
  if (all == 0) {
    store<u32>(table, TOTAL);
    return;
  }
  let sum: u32 = 0;
  for (let o: usize = 0; o < TABLE_BYTES; o += 4) {
    const count = load<u32>(table + o);
    if (count == 0) continue;
    const frequency = max<u32>(1, <u32>((<u64>count * TOTAL + (all >> 1)) / all));
    store<u32>(table + o, frequency);
    sum += frequency;
  }
  while (sum != TOTAL) {
    const most = largestOf(table);
    const frequency = load<u32>(most);
    if (sum < TOTAL) {
      store<u32>(most, frequency + TOTAL - sum);
      return;
    }
    const less = min(sum - TOTAL, max<u32>(1, frequency >> 3));
    store<u32>(most, frequency - less);
    sum -= less;
  }
}

function largestOf(table: usize): usize {
  let most = table;
  for (let o: usize = 4; o < TABLE_BYTES; o += 4) if (load<u32>(table + o) > load<u32>(most)) most = table + o;
  return most;
}

/** Write the tables of a class. */
export function putTables(kind: i32): void {
  putBits(scaleOf(kind), 2);
  const dividers = dividersOf(kind);
  putBits(dividers >> 1, 7);
  for (let context = 0; context < CONTEXTS; context++) {
    if ((dividers >> context) & 1) putTable(tableAt(kind, context));
  }
}

function putTable(table: usize): void {
  let used: u32 = 0;
  for (let token = 0; token < TOKENS; token++) used += <u32>(load<u32>(table + ((<usize>token) << 2)) > 0);
  putGolomb(used - 1, 2);
  let next = 0;
  for (let token = 0; token < TOKENS; token++) {
    const frequency = load<u32>(table + ((<usize>token) << 2));
    if (frequency == 0) continue;
    putGolomb(token - next, 0);
    next = token + 1;
    used -= 1;
    if (used > 0) putGolomb(frequency - 1, 3);
  }
}

/** Read the tables of a class. @returns STATUS_DAMAGED or 0 */
export function getTables(kind: i32): i32 {
  setScale(kind, getBits(2));
  const dividers = (getBits(7) << 1) | 1;
  store<u32>(DIVIDERS + ((<usize>kind) << 2), dividers);
  for (let context = 0; context < CONTEXTS; context++) {
    if (((dividers >> context) & 1) == 0) continue;
    const status = getTable(tableAt(kind, context));
    if (status < 0) return status;
  }
  return 0;
}

function getTable(table: usize): i32 {
  memory.fill(table, 0, TOKENS * 4);
  const used = getGolomb(2) + 1;
  if (used > <u32>TOKENS) return STATUS_DAMAGED;
  let next: u32 = 0;
  let left = TOTAL;
  for (let i: u32 = 0; i < used; i++) {
    const gap = getGolomb(0);
    if (gap >= <u32>TOKENS) return STATUS_DAMAGED;
    const token = next + gap;
    if (token >= <u32>TOKENS || left == 0) return STATUS_DAMAGED;
    const read = i + 1 < used ? getGolomb(3) : left - 1;
    if (read >= left) return STATUS_DAMAGED;
    const frequency = read + 1;
    store<u32>(table + ((<usize>token) << 2), frequency);
    left -= frequency;
    next = token + 1;
  }
  return left == 0 ? 0 : STATUS_DAMAGED;
}
