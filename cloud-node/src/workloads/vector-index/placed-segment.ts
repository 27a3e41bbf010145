import { choosePlanes } from "./coarse-planes.ts";
import { placeModel } from "./placed-model.ts";
import type { SearchSegment } from "./search-segment.ts";
import { VectorIndexError } from "./vector-index-error.ts";
import type { VectorKernel } from "./vector-kernel.ts";

/** Rows that a block of coarse codes holds. */
const BLOCK_ROWS = 16;

/**
 * Where a segment is in memory, and what its kernel's functions are told of it: plain numbers, for threads that share
 * the memory.
 */
export interface PlacedSegment {
  readonly d: number;
  readonly m: number;
  readonly shape: readonly [dimensions: number, plain: number, coded: number, bits: number];
  readonly planes: readonly [planes: number, counts: number, deviations: number];
  readonly model: Parameters<VectorKernel["calls"]["setSearchModel"]>;
  readonly rows: Parameters<VectorKernel["calls"]["setRows"]>;
}

/**
 * Write a segment to a kernel's memory, and make its coarse codes.
 *
 * @throws {VectorIndexError} `bad-index` when lengths or offsets contradict each other; `too-large` beyond 4 GB
 */
export function placeSegment(kernel: VectorKernel, segment: SearchSegment): PlacedSegment {
  const { model, listOffsets, ids, codes, scales, terms } = segment;
  const placed = placeModel(kernel, model);
  checkRows(segment, placed.codeBytes);
  const counts = choosePlanes(model);
  const planes = counts.reduce((sum, count) => sum + count, 0);
  const planeCounts = kernel.place(counts);
  const planeShape = [planes, planeCounts, placed.deviations] as const;
  kernel.calls.setPlanes(...planeShape);

  const rounded = kernel.reserve(model.m * model.paddedD * 2);
  const norms = kernel.reserve(model.m * 4);
  const anchorUnit = kernel.calls.roundAnchors(placed.anchors, model.m, rounded, norms);
  const isInner = model.metric === "ip";
  const ones = kernel.place(new Float32Array(model.paddedD).fill(1));

  const blockOffsets = blocksOfLists(listOffsets);
  const codesAt = kernel.place(codes);
  const scalesAt = kernel.place(scales);
  const blockBytes = kernel.calls.coarseBlockBytes();
  const blocks = kernel.reserve((blockOffsets[model.m] ?? 0) * blockBytes);
  const scratch = kernel.reserve(kernel.calls.packScratchBytes());
  for (let list = 0; list < model.m; list++) {
    const from = listOffsets[list] ?? 0;
    kernel.calls.packCoarse(
      (listOffsets[list + 1] ?? 0) - from,
      codesAt + from * placed.codeBytes,
      placed.codeBytes,
      scalesAt + from * 2,
      placed.anchors + list * model.paddedD * 4,
      isInner ? 0 : 1,
      blocks + (blockOffsets[list] ?? 0) * blockBytes,
      scratch,
    );
  }
  return {
    d: model.d,
    m: model.m,
    shape: placed.shape,
    planes: planeShape,
    model: [
      model.d,
      isInner ? 1 : 0,
      placed.mean,
      placed.rotation,
      placed.anchors,
      placed.deviations,
      placed.weights,
      ones,
      model.m,
      rounded,
      isInner ? 0 : norms,
      anchorUnit,
    ],
    rows: [
      placed.codeBytes,
      placed.termUnit,
      kernel.place(listOffsets),
      kernel.place(blockOffsets),
      blocks,
      codesAt,
      scalesAt,
      kernel.place(terms),
      kernel.place(ids),
    ],
  };
}

/** Tell an instance where a segment is. */
export function useSegment(kernel: VectorKernel, { shape, planes, model, rows }: PlacedSegment): void {
  kernel.calls.setShape(...shape);
  kernel.calls.setPlanes(...planes);
  kernel.calls.setSearchModel(...model);
  kernel.calls.setRows(...rows);
}

/** (m + 1): the first block of each list; every list has blocks of its own. */
function blocksOfLists(listOffsets: Uint32Array): Uint32Array {
  const offsets = new Uint32Array(listOffsets.length);
  for (let list = 0; list + 1 < listOffsets.length; list++) {
    const rows = (listOffsets[list + 1] ?? 0) - (listOffsets[list] ?? 0);
    offsets[list + 1] = (offsets[list] ?? 0) + Math.ceil(rows / BLOCK_ROWS);
  }
  return offsets;
}

function checkRows({ model, listOffsets, ids, codes, scales, terms }: SearchSegment, codeBytes: number): void {
  const n = ids.length;
  const isRising = listOffsets.every((offset, list) => list === 0 || offset >= (listOffsets[list - 1] ?? 0));
  const isWhole = listOffsets.length === model.m + 1 && listOffsets[0] === 0 && listOffsets[model.m] === n;
  if (!isRising || !isWhole) throw badRows(`its list offsets do not lead from 0 to ${n}`);
  if (codes.length !== n * codeBytes || scales.length !== n || terms.length !== n) {
    throw badRows(`codes, scales and terms are not those of ${n} rows`);
  }
}

function badRows(problem: string): VectorIndexError {
  return new VectorIndexError("bad-index", problem, "build the index again");
}
