import { cpuKernels } from "./kernels/cpu-kernels.ts";
import type { IndexModel } from "./model.ts";
import { rotateBack } from "./rotate-anchors.ts";
import { TrainingCore } from "./training-core.ts";
import { eachBlock, finestRange, type TrainingGrid, toGrid } from "./training-sample.ts";
import type { VectorSource } from "./vector-source.ts";

/** Standard deviations of a residual that the grid reaches beyond the outermost anchor. */
const REACH_SIGMAS = 8;

export interface AssignOptions {
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((rows: number) => void) | undefined;
}

/**
 * The nearest anchor of each row, of several the lowest, by the kernels and in the integers of training. Rows that lie
 * beyond the reach of the grid are assigned as the nearest point on its border is.
 *
 * @param source  rows as the index takes them: of length 1 for `cosine`
 * @returns shape (n)
 */
export async function assignRows(
  source: VectorSource,
  model: IndexModel,
  { signal, progress }: AssignOptions = {},
): Promise<Uint32Array> {
  const core = new TrainingCore();
  const centred = rotateBack(core, model);
  const grid = gridOver(model, centred, source.name);
  const anchors = Int16Array.from(centred, (value) => Math.round(value * grid.perUnit));
  const kernels = cpuKernels(grid);
  const lists = new Uint32Array(source.n);
  await eachBlock(source, async (rows, first, count) => {
    signal?.throwIfAborted();
    await kernels.load(toGrid(core, grid, rows));
    lists.set((await kernels.assign(anchors, count)).ids, first);
    progress?.(first + count);
  });
  return lists;
}

function gridOver({ d, paddedD, mean, sigma }: IndexModel, centred: Float32Array, name: string): TrainingGrid {
  const range = finestRange(paddedD, name);
  const outermost = centred.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const widest = sigma.reduce((most, value) => Math.max(most, value), 0);
  return { d, paddedD, mean, range, perUnit: range / (outermost + REACH_SIGMAS * widest) };
}
