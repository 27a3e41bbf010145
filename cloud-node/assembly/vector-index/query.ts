/**
 * The nearest rows of a query: its lists by anchor, a lower bound for each of their rows from its coarse code, and the
 * distance from the whole code where the bound leaves it open.
 *
 * A row's rank is the larger of distance and bound. The bound may be too high for a rare row; chosen by rank, what is
 * found depends on the query, the row and the lists visited alone, not on the order in which rows are met. What is found
 * is then sorted by the distances themselves.
 *
 *   l2   |q - x^|^2 = |q' - c|^2 + term - 2 a <q', u>     q' = P (q - mean)
 *   ip   -<q, x^>   = -<q, mean> - <q', c> - a <q', u>    q' = P q
 */
import { chooseLists, roundForChoice } from "./anchor-choice";
import { coarseBlockBytes, planes, ROWS } from "./coarse-code";
import { boundBlock, buildTables, tableBytes } from "./coarse-scan";
import { dotNarrow, roundVector } from "./integer-query";
import { ENTRY_BYTES, keyAt, numberOf, orderOf, pushKey, replaceLargest, sortHeap, valueAt } from "./key-heap";
import { paddedD } from "./model-shape";
import { rotate, rotationScratchBytes, total } from "./rotation";
import { levelCount, recordBytes } from "./row-record";

/** How many spreads a bound lies below its estimate: one row in some thousands of those nearest has its bound too high. */
const SLACK: f32 = 2.5;
/** Queries that are rotated together. */
const QUERIES: i32 = 8;
/** Levels are up to 127. */
const LEVEL_REACH: f32 = 128;

let d: i32 = 0;
let isInner: bool = false;
let mean: usize = 0;
let rotation: usize = 0;
let anchors: usize = 0;
let deviations: usize = 0;
let weights: usize = 0;
let m: i32 = 0;
let rounded: usize = 0;
let norms: usize = 0;
let anchorUnit: f32 = 0;

let listOffsets: usize = 0;
let blockOffsets: usize = 0;
let blocks: usize = 0;
let records: usize = 0;

let rotated: usize = 0;
let weighted: usize = 0;
let coarseQuery: usize = 0;
let tables: usize = 0;
let integers: usize = 0;
let bounds: usize = 0;
let space: usize = 0;
let listKeys: usize = 0;
let rowKeys: usize = 0;

/** Of the rows' heap, whose keys are ranks and whose values are distances: how many there are, and may be. */
let found: i32 = 0;
let wanted: i32 = 0;
let limit: f32 = 0;

/** Bytes that `searchRows` needs for itself, for up to `probes` lists and `k` rows. */
export function queryScratchBytes(probes: i32, k: i32): i32 {
  return (
    QUERIES * paddedD * 4 +
    paddedD * 4 +
    planes * 64 +
    tableBytes() +
    paddedD * 2 +
    64 +
    rotationScratchBytes() +
    ENTRY_BYTES * (probes + k)
  );
}

export function setSearchModel(
  dimensions: i32,
  inner: i32,
  means: usize,
  matrix: usize,
  references: usize,
  standard: usize,
  levelWeights: usize,
  count: i32,
  roundedAnchors: usize,
  squaredLengths: usize,
  unit: f32,
): void {
  d = dimensions;
  isInner = inner !== 0;
  mean = means;
  rotation = matrix;
  anchors = references;
  deviations = standard;
  weights = levelWeights;
  m = count;
  rounded = roundedAnchors;
  norms = squaredLengths;
  anchorUnit = unit;
}

/**
 * @param offsets          (m + 1) u32: rows of each list
 * @param offsetsOfBlocks  (m + 1) u32: blocks of coarse codes of each list
 */
export function setRows(offsets: usize, offsetsOfBlocks: usize, coarse: usize, rowRecords: usize): void {
  listOffsets = offsets;
  blockOffsets = offsetsOfBlocks;
  blocks = coarse;
  records = rowRecords;
}

function setScratch(scratch: usize, probes: i32): void {
  const D = <usize>paddedD;
  rotated = scratch;
  weighted = rotated + <usize>QUERIES * 4 * D;
  coarseQuery = weighted + 4 * D;
  tables = coarseQuery + ((<usize>planes) << 6);
  integers = tables + tableBytes();
  bounds = integers + 2 * D;
  space = bounds + 64;
  listKeys = space + rotationScratchBytes();
  rowKeys = listKeys + <usize>ENTRY_BYTES * probes;
}

/**
 * Search.
 *
 * @param queries    (count, d) f32, finite
 * @param k          1 …
 * @param probes     1 to m
 * @param outIds     (count, k) u32, overwritten; 0xFFFFFFFF where there are no more
 * @param distances  (count, k) f32, overwritten; infinity there
 * @param ranks      (count, k) f32, overwritten; infinity there
 * @param scratch    queryScratchBytes(probes, k), 16-byte aligned
 */
export function searchRows(
  queries: usize,
  count: i32,
  k: i32,
  probes: i32,
  outIds: usize,
  distances: usize,
  ranks: usize,
  scratch: usize,
): void {
  setScratch(scratch, probes);
  for (let first = 0; first < count; first += QUERIES) {
    const some = min(QUERIES, count - first);
    rotate(queries + ((<usize>first * d) << 2), some, d, isInner ? 0 : mean, rotation, rotated, space);
    for (let i = 0; i < some; i++) {
      const query = queries + ((<usize>(first + i) * d) << 2);
      const offset = isInner ? -meanProduct(query) : 0;
      searchOne(rotated + ((<usize>i * paddedD) << 2), offset, k, probes);
      const at = (<usize>(first + i) * k) << 2;
      writeRows(k, outIds + at, distances + at, ranks + at);
    }
  }
}

/** <q, mean>. */
function meanProduct(query: usize): f32 {
  let sum: f32 = 0;
  for (let i = 0; i < d << 2; i += 4) sum += load<f32>(query + i) * load<f32>(mean + i);
  return sum;
}

function searchOne(query: usize, offset: f32, k: i32, probes: i32): void {
  const factor: f32 = isInner ? -1 : -2;
  roundForChoice(query, integers);
  const visited = chooseLists(integers, factor, m, rounded, norms, anchorUnit, probes, listKeys);
  const queryStep = factor * roundVector(query, weights, LEVEL_REACH, weighted, integers);
  buildTables(query, deviations, coarseQuery, tables);
  const length = isInner ? sqrt(squaredLength(query)) : 0;
  found = 0;
  wanted = k;
  limit = Infinity;
  for (let i = 0; i < visited; i++) {
    const list = <usize>(<u32>keyAt(listKeys, i));
    const from = load<u32>(listOffsets + (list << 2));
    const to = load<u32>(listOffsets + (list << 2), 4);
    if (from === to) continue;
    const anchor = anchors + ((list * paddedD) << 2);
    const base = isInner ? offset - product(query, anchor) : squaredDistance(query, anchor);
    const slack = SLACK * (isInner ? length : 2 * sqrt(base));
    scanList(
      from,
      to,
      blocks + <usize>load<u32>(blockOffsets + (list << 2)) * coarseBlockBytes(),
      base,
      factor,
      slack,
      queryStep,
    );
  }
}

function scanList(from: u32, to: u32, block: usize, base: f32, factor: f32, slack: f32, queryStep: f32): void {
  for (let row = from; row < to; row += ROWS) {
    let open = boundBlock(block, tables, base, factor, slack, limit, bounds);
    while (open !== 0) {
      const lane = ctz(open);
      open &= open - 1;
      const bound = load<f32>(bounds + (lane << 2));
      if (bound <= limit) rankRow(records + <usize>(row + lane) * recordBytes(), base, bound, queryStep);
    }
    block += coarseBlockBytes();
  }
}

function rankRow(record: usize, base: f32, bound: f32, queryStep: f32): void {
  const count = levelCount();
  const dot = <f32>dotNarrow(integers, record, count);
  const side = record + count;
  const distance = base + load<f32>(side, 4) + load<f32>(side) * (queryStep * dot);
  const rank = max(distance, bound);
  // Not the other way round: what is no number is not found.
  if (!(rank <= limit)) return;
  const key = keyOf(rank, load<u32>(side, 8));
  if (found < wanted) {
    pushKey(rowKeys, found, key, distance);
    found++;
  } else if (key < keyAt(rowKeys, 0)) replaceLargest(rowKeys, wanted, key, distance);
  if (found === wanted) limit = numberOf(<u32>(keyAt(rowKeys, 0) >> 32));
}

function keyOf(x: f32, id: u32): u64 {
  return ((<u64>orderOf(x)) << 32) | id;
}

function writeRows(k: i32, outIds: usize, distances: usize, ranks: usize): void {
  for (let i = 0; i < found; i++) {
    const key = keyAt(rowKeys, i);
    pushKey(rowKeys, i, keyOf(valueAt(rowKeys, i), <u32>key), numberOf(<u32>(key >> 32)));
  }
  sortHeap(rowKeys, found);
  for (let i = 0; i < k << 2; i += 4) {
    const isRow = i < found << 2;
    const key = keyAt(rowKeys, i >> 2);
    store<u32>(outIds + i, isRow ? <u32>key : u32.MAX_VALUE);
    store<f32>(distances + i, isRow ? numberOf(<u32>(key >> 32)) : Infinity);
    store<f32>(ranks + i, isRow ? valueAt(rowKeys, i >> 2) : Infinity);
  }
}

function squaredDistance(x: usize, y: usize): f32 {
  let sum = f32x4.splat(0);
  for (let j = 0; j < paddedD << 2; j += 16) {
    const off = f32x4.sub(v128.load(x + j), v128.load(y + j));
    sum = f32x4.add(sum, f32x4.mul(off, off));
  }
  return total(sum);
}

function product(x: usize, y: usize): f32 {
  let sum = f32x4.splat(0);
  for (let j = 0; j < paddedD << 2; j += 16) sum = f32x4.add(sum, f32x4.mul(v128.load(x + j), v128.load(y + j)));
  return total(sum);
}

function squaredLength(x: usize): f32 {
  return product(x, x);
}
