/**
 * The nearest anchor of every row, exactly, in integers: a matrix product of i16 whose result is not kept.
 *
 * Anchors lie in panels of 8, two dimensions of each beside one another, so that one multiply-add takes a pair of a
 * row's dimensions to four anchors and no sum is ever taken across a register:
 *
 *   panel   dims 0,1: | a0 a0 a1 a1 a2 a2 a3 a3 | a4 a4 a5 a5 a6 a6 a7 a7 |  dims 2,3: …  (i16)
 *   row     dims 0,1: | x0 x1 x0 x1 x0 x1 x0 x1 |
 *
 * A panel stays in the first-level cache while a tile of rows passes by; lane l of a row's state is the best of
 * anchors l, l + 4, l + 8, … so far. Ties go to the lower number.
 */
export const PANEL_ANCHORS: i32 = 8;
const TILE_ROWS: i32 = 64;
/** What stands for the norm of a missing anchor: farther than any. */
const NO_ANCHOR: i32 = i32.MAX_VALUE;
/** Best score, its anchor, second best score: three registers. */
const STATE_BYTES: usize = 48;
const STATES: usize = memory.data(TILE_ROWS * 48, 64);

/** Bytes of the panels of m anchors with their norms. */
export function panelBytes(m: i32, D: i32): usize {
  return panels(m) * (panelSize(D) + (PANEL_ANCHORS << 2));
}

function panels(m: i32): usize {
  return <usize>((m + PANEL_ANCHORS - 1) / PANEL_ANCHORS);
}

function panelSize(D: i32): usize {
  return (<usize>D * PANEL_ANCHORS) << 1;
}

/**
 * Lay anchors out in panels.
 *
 * @param anchors  i16, shape (m, D), D a multiple of 2
 * @param out  panelBytes(m, D), aligned to 16: all panels, then the squared norms, i32
 */
export function packPanels(anchors: usize, m: i32, D: i32, out: usize): void {
  const norms: usize = out + panels(m) * panelSize(D);
  const slots: i32 = <i32>panels(m) * PANEL_ANCHORS;
  for (let a: i32 = 0; a < slots; a++) {
    const panel: usize = out + <usize>(a / PANEL_ANCHORS) * panelSize(D) + ((<usize>(a % PANEL_ANCHORS)) << 2);
    const from: usize = anchors + ((<usize>a * D) << 1);
    for (let j: i32 = 0; j < D; j += 2) {
      const pair: u32 = a < m ? load<u32>(from + ((<usize>j) << 1)) : 0;
      store<u32>(panel + ((<usize>j) << 4), pair);
    }
    store<i32>(norms + ((<usize>a) << 2), a < m ? squaredNorm(from, D) : NO_ANCHOR);
  }
}

function squaredNorm(row: usize, D: i32): i32 {
  let sum: i32 = 0;
  for (let j: i32 = 0; j < D; j++) {
    const x: i32 = load<i16>(row + ((<usize>j) << 1));
    sum += x * x;
  }
  return sum;
}

/**
 * Give every row its nearest anchor.
 *
 * @param rows  i16, shape (k, D)
 * @param packed  what packPanels wrote of m anchors
 * @param ids  u32, shape (k): the nearest anchor, of several the lowest
 * @param distances  i32, shape (k): squared distance to it
 * @param seconds  i32, shape (k): squared distance to the next one; i32.MAX_VALUE if m is 1
 */
export function assignRows(
  rows: usize,
  k: i32,
  D: i32,
  packed: usize,
  m: i32,
  ids: usize,
  distances: usize,
  seconds: usize,
): void {
  for (let from: i32 = 0; from < k; from += TILE_ROWS) {
    const count: i32 = min(TILE_ROWS, k - from);
    clearStates();
    scanTile(rows + ((<usize>from * D) << 1), count, D, packed, m);
    for (let i: i32 = 0; i < count; i++) {
      const at: usize = (<usize>(from + i)) << 2;
      const norm: i32 = squaredNorm(rows + ((<usize>(from + i) * D) << 1), D);
      settle(STATES + <usize>i * STATE_BYTES, norm, ids + at, distances + at, seconds + at);
    }
  }
}

function clearStates(): void {
  const none: v128 = i32x4.splat(NO_ANCHOR);
  for (let i: i32 = 0; i < TILE_ROWS; i++) {
    const state: usize = STATES + <usize>i * STATE_BYTES;
    v128.store(state, none);
    v128.store(state, none, 16);
    v128.store(state, none, 32);
  }
}

function scanTile(rows: usize, count: i32, D: i32, packed: usize, m: i32): void {
  const all: usize = panels(m);
  const size: usize = panelSize(D);
  const norms: usize = packed + all * size;
  const rowBytes: usize = (<usize>D) << 1;
  for (let p: usize = 0; p < all; p++) {
    const panel: usize = packed + p * size;
    const panelNorms: usize = norms + (p << 5);
    const first: i32 = <i32>p * PANEL_ANCHORS;
    let i: i32 = 0;
    for (; i + 4 <= count; i += 4) {
      scanFour(rows + <usize>i * rowBytes, rowBytes, D, panel, panelNorms, first, STATES + <usize>i * STATE_BYTES);
    }
    for (; i < count; i++) {
      scanFour(rows + <usize>i * rowBytes, 0, D, panel, panelNorms, first, STATES + <usize>i * STATE_BYTES);
    }
  }
}

/** Four rows against the eight anchors of a panel; with a stride of 0, one row, four times over. */
function scanFour(row: usize, stride: usize, D: i32, panel: usize, norms: usize, first: i32, state: usize): void {
  const row1: usize = row + stride;
  const row2: usize = row1 + stride;
  const row3: usize = row2 + stride;
  const end: usize = (<usize>D) << 1;
  let a0: v128 = i32x4.splat(0);
  let b0: v128 = a0;
  let a1: v128 = a0;
  let b1: v128 = a0;
  let a2: v128 = a0;
  let b2: v128 = a0;
  let a3: v128 = a0;
  let b3: v128 = a0;
  for (let at: usize = 0; at < end; at += 4) {
    const left: v128 = v128.load(panel);
    const right: v128 = v128.load(panel, 16);
    panel += 32;
    const x0: v128 = v128.load32_splat(row + at);
    a0 = i32x4.add(a0, i32x4.dot_i16x8_s(x0, left));
    b0 = i32x4.add(b0, i32x4.dot_i16x8_s(x0, right));
    const x1: v128 = v128.load32_splat(row1 + at);
    a1 = i32x4.add(a1, i32x4.dot_i16x8_s(x1, left));
    b1 = i32x4.add(b1, i32x4.dot_i16x8_s(x1, right));
    const x2: v128 = v128.load32_splat(row2 + at);
    a2 = i32x4.add(a2, i32x4.dot_i16x8_s(x2, left));
    b2 = i32x4.add(b2, i32x4.dot_i16x8_s(x2, right));
    const x3: v128 = v128.load32_splat(row3 + at);
    a3 = i32x4.add(a3, i32x4.dot_i16x8_s(x3, left));
    b3 = i32x4.add(b3, i32x4.dot_i16x8_s(x3, right));
  }
  enter(state, norms, first, a0, b0);
  if (stride === 0) return;
  enter(state + STATE_BYTES, norms, first, a1, b1);
  enter(state + 2 * STATE_BYTES, norms, first, a2, b2);
  enter(state + 3 * STATE_BYTES, norms, first, a3, b3);
}

/** Let the eight anchors of a panel into a row's state: scores are |c|² − 2 <x, c>. */
function enter(state: usize, norms: usize, first: i32, left: v128, right: v128): void {
  const lanes: v128 = i32x4(0, 1, 2, 3);
  let best: v128 = v128.load(state);
  let id: v128 = v128.load(state, 16);
  let second: v128 = v128.load(state, 32);
  let score: v128 = i32x4.sub(v128.load(norms), i32x4.shl(left, 1));
  let isBetter: v128 = i32x4.lt_s(score, best);
  second = i32x4.min_s(second, i32x4.max_s(score, best));
  best = i32x4.min_s(best, score);
  id = v128.bitselect(i32x4.add(i32x4.splat(first), lanes), id, isBetter);
  score = i32x4.sub(v128.load(norms, 16), i32x4.shl(right, 1));
  isBetter = i32x4.lt_s(score, best);
  second = i32x4.min_s(second, i32x4.max_s(score, best));
  best = i32x4.min_s(best, score);
  id = v128.bitselect(i32x4.add(i32x4.splat(first + 4), lanes), id, isBetter);
  v128.store(state, best);
  v128.store(state, id, 16);
  v128.store(state, second, 32);
}

/** The best of four lanes, and the second best of all. */
function settle(state: usize, norm: i32, idAt: usize, distanceAt: usize, secondAt: usize): void {
  let best: i32 = NO_ANCHOR;
  let id: i32 = 0;
  let second: i32 = NO_ANCHOR;
  for (let lane: usize = 0; lane < 16; lane += 4) {
    const score: i32 = load<i32>(state + lane);
    const anchor: i32 = load<i32>(state + lane, 16);
    if (score < best || (score === best && anchor < id)) {
      second = min(second, best);
      best = score;
      id = anchor;
    } else {
      second = min(second, score);
    }
    second = min(second, load<i32>(state + lane, 32));
  }
  store<i32>(idAt, id);
  store<i32>(distanceAt, norm + best);
  store<i32>(secondAt, second === NO_ANCHOR ? NO_ANCHOR : norm + second);
}
