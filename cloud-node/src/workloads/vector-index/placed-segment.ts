import { choosePlanes, effectiveDimensions } from "./coarse-planes.ts";
import { placeModel } from "./placed-model.ts";
import type { SearchSegment } from "./search-segment.ts";
import { VectorIndexError } from "./vector-index-error.ts";
import type { VectorKernel } from "./vector-kernel.ts";

/** Rows that a block of coarse codes holds. */
const BLOCK_ROWS = 16;
/** Rows whose codes are in the kernel's memory at once while they are loaded. */
const LOAD_ROWS = 4096;

/**
 * Where a segment is in memory, and what its kernel's functions are told of it: plain numbers, for threads that share
 * the memory.
 */
export interface PlacedSegment {
  readonly d: number;
  readonly m: number;
  readonly shape: readonly [dimensions: number, plain: number, coded: number, bits: number];
  readonly planes: readonly [planes: number, counts: number, deviations: number, effective: number];
  readonly model: Parameters<VectorKernel["calls"]["setSearchModel"]>;
  readonly rows: Parameters<VectorKernel["calls"]["setRows"]>;
}

/**
 * Write a segment to a kernel's memory, and make its coarse codes.
 *
 * @throws {VectorIndexError} `bad-index` when lengths or offsets contradict each other; `too-large` beyond 4 GB
 */
export function placeSegment(kernel: VectorKernel, segment: SearchSegment): PlacedSegment {
  const { model, listOffsets } = segment;
  const placed = placeModel(kernel, model);
  checkRows(segment, placed.codeBytes);
  const counts = choosePlanes(model);
  const planes = counts.reduce((sum, count) => sum + count, 0);
  const planeCounts = kernel.place(counts);
  const planeShape = [planes, planeCounts, placed.deviations, effectiveDimensions(model, counts)] as const;
  kernel.calls.setPlanes(...planeShape);

  const isInner = model.metric === "ip";
  const rounded = kernel.reserve(kernel.calls.roundedBytes(model.m));
  const norms = kernel.reserve(kernel.calls.normBytes(model.m));
  const anchorUnit = kernel.calls.roundAnchors(placed.anchors, model.m, isInner ? 0 : 1, rounded, norms);

  const blockOffsets = blocksOfLists(listOffsets);
  const records = placeRecords(kernel, segment, placed.codeBytes, isInner ? 0 : placed.termUnit);
  const blockBytes = kernel.calls.coarseBlockBytes();
  const blocks = kernel.reserve((blockOffsets[model.m] ?? 0) * blockBytes);
  const scratch = kernel.reserve(kernel.calls.packScratchBytes());
  for (let list = 0; list < model.m; list++) {
    const from = listOffsets[list] ?? 0;
    kernel.calls.packCoarse(
      (listOffsets[list + 1] ?? 0) - from,
      records + from * kernel.calls.recordBytes(),
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
      model.m,
      rounded,
      norms,
      anchorUnit,
    ],
    rows: [kernel.place(listOffsets), kernel.place(blockOffsets), blocks, records],
  };
}

/** Write a segment's rows to memory, some at a time. @returns the address of the first record */
function placeRecords(kernel: VectorKernel, segment: SearchSegment, codeBytes: number, termUnit: number): number {
  const { ids, codes, scales, terms } = segment;
  const at = {
    codes: kernel.reserve(LOAD_ROWS * codeBytes),
    scales: kernel.reserve(LOAD_ROWS * 2),
    terms: kernel.reserve(LOAD_ROWS * 2),
    ids: kernel.reserve(LOAD_ROWS * 4),
  };
  const recordBytes = kernel.calls.recordBytes();
  const records = kernel.reserve(ids.length * recordBytes);
  for (let from = 0; from < ids.length; from += LOAD_ROWS) {
    const to = Math.min(from + LOAD_ROWS, ids.length);
    kernel.write(at.codes, codes.subarray(from * codeBytes, to * codeBytes));
    kernel.write(at.scales, scales.subarray(from, to));
    kernel.write(at.terms, terms.subarray(from, to));
    kernel.write(at.ids, ids.subarray(from, to));
    const address = records + from * recordBytes;
    kernel.calls.packRecords(to - from, at.codes, codeBytes, at.scales, at.terms, termUnit, at.ids, address);
  }
  return records;
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
