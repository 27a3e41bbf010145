import type { MaintenancePlan } from "./maintenance-plan.ts";
import type { IndexModel } from "./model.ts";
import type { ResidualCoder } from "./residual-coder.ts";
import type { SearchSegment } from "./search-segment.ts";
import { splitRows } from "./split-rows.ts";
import { readStored, rotateRows } from "./stored-rows.ts";

/** Lists after maintenance. */
export interface RemadeLists {
  /** As before but for its anchors. */
  readonly model: IndexModel;
  /** Shape (n): the list before, and now, of each position of the segment. */
  readonly before: Uint32Array;
  readonly lists: Uint32Array;
  /** Positions whose anchor is another one now, rising. */
  readonly moved: Uint32Array;
}

/** Carry a plan out: which anchors there are, and which rows each has. Nothing is coded yet. */
export function remakeLists(
  segment: SearchSegment,
  coder: ResidualCoder,
  { into, overloaded, mostRows }: MaintenancePlan,
  signal?: AbortSignal,
): RemadeLists {
  const { model, listOffsets, ids } = segment;
  const { paddedD: D, anchors, anchorExponent } = model;
  const before = new Uint32Array(ids.length);
  for (let list = 0; list < model.m; list++) before.fill(list, listOffsets[list], listOffsets[list + 1]);
  const tooLong = new Set(overloaded);
  const lists = new Uint32Array(ids.length);
  const moved: number[] = [];
  const made: Float32Array[] = [];
  for (const [list, members] of membersOf(into, listOffsets)) {
    signal?.throwIfAborted();
    const parts = tooLong.has(list) ? splitList(members) : [];
    const isSplit = parts.length > 1;
    if (!isSplit) {
      for (const position of members) lists[position] = made.length;
      made.push(anchors.subarray(list * D, (list + 1) * D));
    }
    for (const { rows, center } of isSplit ? parts : []) {
      for (const row of rows) lists[members[row] ?? 0] = made.length;
      made.push(center);
    }
    for (const position of members) if (isSplit || before[position] !== list) moved.push(position);
  }
  const all = new Float32Array(made.length * D);
  for (const [list, anchor] of made.entries()) all.set(anchor, list * D);
  return { model: { ...model, m: made.length, anchors: all }, before, lists, moved: Uint32Array.from(moved).sort() };

  function splitList(members: Uint32Array) {
    const { rows } = readStored(segment, coder, before, members);
    const parts = splitRows(rotateRows(rows, model), D, mostRows);
    const unit = 2 ** anchorExponent;
    const rounded = parts.map((part) => ({ ...part, center: part.center.map((x) => Math.f16round(x / unit) * unit) }));
    // An anchor that half precision has no room for is no anchor.
    return rounded.every(({ center }) => center.every(Number.isFinite)) ? rounded : [];
  }
}

/** Lists that stay, and the positions of all rows that are to be theirs, rising. */
function* membersOf(into: Int32Array, listOffsets: Uint32Array): Generator<[number, Uint32Array]> {
  const sources = new Map<number, number[]>();
  for (const [list, target] of into.entries()) {
    if (target === -1) continue;
    const own = sources.get(target);
    if (own === undefined) sources.set(target, [list]);
    else own.push(list);
  }
  for (const list of [...sources.keys()].sort((a, b) => a - b)) {
    const members: number[] = [];
    for (const source of sources.get(list) ?? []) {
      const end = listOffsets[source + 1] ?? 0;
      for (let position = listOffsets[source] ?? 0; position < end; position++) members.push(position);
    }
    yield [list, Uint32Array.from(members)];
  }
}
