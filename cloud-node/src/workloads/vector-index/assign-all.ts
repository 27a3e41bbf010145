import { type GrossLimit, isGross } from "./gross-rows.ts";
import type { AnchorKernels } from "./kernels/anchor-kernels.ts";
import { robustWeights } from "./robust-weights.ts";
import type { AnnealingStep, RobustMean } from "./train-options.ts";
import type { TrainingCore } from "./training-core.ts";
import { eachBlock, type TrainingGrid, toGrid } from "./training-sample.ts";
import type { VectorSource } from "./vector-source.ts";

/** A block of rows that was assigned; views that do not last. */
export interface AssignedBlock {
  /** Shape (count, d), as read. */
  readonly rows: Float32Array;
  readonly first: number;
  readonly count: number;
  /** Shape (count). */
  readonly ids: Uint32Array;
  /** Shape (count): 0 for a row that training leaves out. */
  readonly weights: Uint8Array;
}

export interface AssignPlan {
  readonly core: TrainingCore;
  readonly kernels: AnchorKernels;
  readonly source: VectorSource;
  readonly grid: TrainingGrid;
  readonly gross: GrossLimit;
  readonly robust: RobustMean | undefined;
  readonly robustLimit: number;
  readonly signal: AbortSignal | undefined;
  /** Called after every block. */
  progress(rows: number): void;
  log(step: AnnealingStep): void;
}

/**
 * Give every row its nearest anchor, a block at a time.
 *
 * @param anchors  shape (m, D), on the grid
 * @param lists  shape (n): what each row had before; overwritten with the nearest anchor of each
 * @param use  called with every block, after the kernels have assigned it
 */
export async function assignAll(
  { core, kernels, source, grid, gross, robust, robustLimit, signal, progress, log }: AssignPlan,
  anchors: Int16Array,
  lists: Uint32Array,
  iteration: number,
  use: (block: AssignedBlock) => void | Promise<void>,
): Promise<void> {
  let energy = 0;
  let counted = 0;
  let changes = 0;
  await eachBlock(source, async (rows, first, count) => {
    signal?.throwIfAborted();
    await kernels.load(toGrid(core, grid, rows));
    const { ids, distances } = await kernels.assign(anchors, count);
    const weights = robustWeights(distances, robust, robustLimit);
    for (let i = 0; i < count; i++) {
      if (isGross(rows, i, gross)) weights[i] = 0;
      else {
        energy += distances[i] ?? 0;
        counted++;
      }
      if (lists[first + i] !== ids[i]) changes++;
    }
    lists.set(ids, first);
    await use({ rows, first, count, ids, weights });
    progress(first + count);
  });
  log({ iteration, rows: source.n, temperature: 0, energy: energy / counted / grid.perUnit ** 2, changes });
}

/**
 * One iteration over all rows instead of the sample: assign, and move each anchor to the mean of its rows.
 *
 * @returns shape (m, D): the anchors moved, on the grid
 */
export async function meanOfAll(
  plan: AssignPlan,
  anchors: Int16Array,
  lists: Uint32Array,
  iteration: number,
): Promise<Int16Array> {
  const sums = new Float64Array(anchors.length);
  const counts = new Float64Array(anchors.length / plan.grid.paddedD);
  await assignAll(plan, anchors, lists, iteration, async ({ weights }) => {
    const block = await plan.kernels.reduce(weights);
    for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] ?? 0) + (block.sums[i] ?? 0);
    for (let a = 0; a < counts.length; a++) counts[a] = (counts[a] ?? 0) + (block.counts[a] ?? 0);
  });
  return anchors.map((value, i) => {
    const count = counts[Math.floor(i / plan.grid.paddedD)] ?? 0;
    return count === 0 ? value : Math.round((sums[i] ?? 0) / count);
  });
}
