import type { Assignment } from "./kernels/anchor-kernels.ts";

/** Rows of each anchor: those of anchor a are rows[offsets[a]] … rows[offsets[a + 1] − 1]. */
interface Cells {
  readonly offsets: Uint32Array;
  readonly rows: Uint32Array;
}

/** A cell cut in two: what its energy falls by, and the means of the halves. */
interface Split {
  readonly anchor: number;
  readonly gain: number;
  readonly near: Float64Array;
  readonly far: Float64Array;
}

/** What is known of the rows that were assigned. */
export interface AssignedRows extends Assignment {
  /** Shape (k, D) at least. */
  readonly values: Int16Array;
  /** Squared distance beyond which a row is an outlier: no anchor is moved for its sake. */
  readonly limit: number;
}

/** The share of all cells that are tried: those with the most energy. */
const TRIED_SHARE = 0.25;
/** Power iterations towards the direction in which a cell is widest. */
const DIRECTION_STEPS = 2;

/**
 * Move anchors from where they are missed least to where they help most.
 *
 * To take anchor v away costs Σ (second − nearest) over its rows, and to cut the cell of u in two, along the direction
 * in which it is widest, saves n1 n2 / (n1 + n2) |c1 − c2|²; v is moved into the cell of u where the saving, times
 * `1 + heat`, exceeds the cost. Lloyd's steps cannot make such a move, whatever they start from.
 *
 * @param anchors  shape (m, D), means of the rows assigned; changed in place
 * @param heat  ≥ 0: how much worse a move may look, by analogy with annealing, and still be made
 * @param pick  a number for an anchor, drawn at random
 * @returns moves made
 * @see Patané and Russo 2001, "The enhanced LBG algorithm", for utility and shifts
 */
export function relocateAnchors(
  anchors: Int16Array,
  paddedD: number,
  assigned: AssignedRows,
  heat: number,
  pick: (anchor: number) => number,
): number {
  const m = anchors.length / paddedD;
  const { energies, costs } = tally(assigned, m);
  const cells = cellsOf(assigned, m);
  const splits = byFalling(energies)
    .subarray(0, Math.ceil(m * TRIED_SHARE))
    .reduce<Split[]>((found, u) => {
      const split = splitCell(u, cells, assigned.values, anchors, paddedD, pick(u));
      if (split !== undefined) found.push(split);
      return found;
    }, []);
  splits.sort((a, b) => b.gain - a.gain || a.anchor - b.anchor);
  const candidates = byFalling(costs).reverse();
  const before = anchors.slice();
  const used = new Uint8Array(m);
  let moves = 0;
  let next = 0;
  for (const { anchor, gain, near, far } of splits) {
    if (used[anchor] === 1) continue;
    let heir = -1;
    for (; next < m; next++) {
      const candidate = candidates[next] ?? 0;
      if (used[candidate] === 1 || candidate === anchor) continue;
      heir = nearestOther(candidate, before, paddedD);
      if (used[heir] !== 1 && heir !== anchor) break;
    }
    const moved = candidates[next];
    if (moved === undefined || gain * (1 + heat) <= (costs[moved] ?? 0)) break;
    // What is left behind falls to the heir, whose own cost and cell are no longer those that were tallied.
    for (const touched of [moved, anchor, heir]) used[touched] = 1;
    anchors.set(rounded(far), moved * paddedD);
    anchors.set(rounded(near), anchor * paddedD);
    moves++;
  }
  return moves;
}

function nearestOther(anchor: number, anchors: Int16Array, D: number): number {
  const own = anchors.subarray(anchor * D, (anchor + 1) * D);
  let nearest = -1;
  let least = Number.POSITIVE_INFINITY;
  for (let other = 0; other * D < anchors.length; other++) {
    if (other === anchor) continue;
    let distance = 0;
    for (let j = 0; j < D && distance < least; j++) distance += ((anchors[other * D + j] ?? 0) - (own[j] ?? 0)) ** 2;
    if (distance < least) {
      least = distance;
      nearest = other;
    }
  }
  return nearest;
}

function tally({ ids, distances, seconds, limit }: AssignedRows, m: number) {
  const energies = new Float64Array(m);
  const costs = new Float64Array(m);
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i] ?? 0;
    const distance = distances[i] ?? 0;
    if (distance > limit) continue;
    energies[id] = (energies[id] ?? 0) + distance;
    costs[id] = (costs[id] ?? 0) + (seconds[i] ?? 0) - distance;
  }
  return { energies, costs };
}

function byFalling(values: Float64Array): Uint32Array {
  return Uint32Array.from(values.keys()).sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b);
}

/** Rows by anchor, outliers left out. */
function cellsOf({ ids, distances, limit }: AssignedRows, m: number): Cells {
  const offsets = new Uint32Array(m + 1);
  const isIn = (i: number) => (distances[i] ?? 0) <= limit;
  for (let i = 0; i < ids.length; i++) {
    if (isIn(i)) offsets[(ids[i] ?? 0) + 1] = (offsets[(ids[i] ?? 0) + 1] ?? 0) + 1;
  }
  for (let a = 0; a < m; a++) offsets[a + 1] = (offsets[a + 1] ?? 0) + (offsets[a] ?? 0);
  const next = offsets.slice();
  const rows = new Uint32Array(offsets[m] ?? 0);
  for (let i = 0; i < ids.length; i++) {
    if (!isIn(i)) continue;
    const at = next[ids[i] ?? 0] ?? 0;
    rows[at] = i;
    next[ids[i] ?? 0] = at + 1;
  }
  return { offsets, rows };
}

function splitCell(
  anchor: number,
  { offsets, rows }: Cells,
  values: Int16Array,
  anchors: Int16Array,
  D: number,
  pick: number,
): Split | undefined {
  const members = rows.subarray(offsets[anchor], offsets[anchor + 1]);
  if (members.length < 2) return undefined;
  const centre = anchors.subarray(anchor * D, (anchor + 1) * D);
  const direction = new Float64Array(D);
  const first = (members[pick % members.length] ?? 0) * D;
  for (let j = 0; j < D; j++) direction[j] = (values[first + j] ?? 0) - (centre[j] ?? 0);
  let halves = halve(members, values, centre, direction);
  for (let step = 0; step < DIRECTION_STEPS; step++) {
    const more = halves.farCount - halves.nearCount;
    for (let j = 0; j < D; j++) {
      direction[j] = (halves.far[j] ?? 0) - (halves.near[j] ?? 0) - more * (centre[j] ?? 0);
    }
    halves = halve(members, values, centre, direction);
  }
  const { near, far, nearCount, farCount } = halves;
  if (nearCount === 0 || farCount === 0) return undefined;
  let apart = 0;
  for (let j = 0; j < D; j++) {
    near[j] = (near[j] ?? 0) / nearCount;
    far[j] = (far[j] ?? 0) / farCount;
    apart += ((near[j] ?? 0) - (far[j] ?? 0)) ** 2;
  }
  const gain = ((nearCount * farCount) / (nearCount + farCount)) * apart;
  return { anchor, gain, near, far };
}

/** Sums of the rows on either side of the plane through the centre. */
function halve(members: Uint32Array, values: Int16Array, centre: Int16Array, direction: Float64Array) {
  const D = direction.length;
  const near = new Float64Array(D);
  const far = new Float64Array(D);
  let farCount = 0;
  let offset = 0;
  for (let j = 0; j < D; j++) offset += (centre[j] ?? 0) * (direction[j] ?? 0);
  for (const row of members) {
    const from = row * D;
    let along = -offset;
    for (let j = 0; j < D; j++) along += (values[from + j] ?? 0) * (direction[j] ?? 0);
    const side = along > 0 ? far : near;
    if (along > 0) farCount++;
    for (let j = 0; j < D; j++) side[j] = (side[j] ?? 0) + (values[from + j] ?? 0);
  }
  return { near, far, nearCount: members.length - farCount, farCount };
}

function rounded(values: Float64Array): Int16Array {
  return Int16Array.from(values, Math.round);
}
