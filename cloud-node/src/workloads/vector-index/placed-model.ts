import { GROUP_DIMS, type IndexModel } from "./model.ts";
import { VectorIndexError } from "./vector-index-error.ts";
import type { VectorKernel } from "./vector-kernel.ts";

/** Depths that the coder knows: with a trellis, and without. */
const CODED_BITS = [1, 2, 3, 4, 5];
const PLAIN_BITS = 8;

/** Where the arrays of a model are in a kernel's memory. */
export interface PlacedModel {
  readonly model: IndexModel;
  /** What every instance that shares the memory is told. */
  readonly shape: readonly [dimensions: number, plain: number, coded: number, bits: number];
  /** Bytes of a row's code. */
  readonly codeBytes: number;
  /** Unit of a row's term: a power of two near the mean squared residual, so that terms are near 1. */
  readonly termUnit: number;
  readonly mean: number;
  readonly rotation: number;
  readonly anchors: number;
  readonly deviations: number;
  /** (D) f32: what one level is worth in each dimension. */
  readonly weights: number;
}

/** Bytes of a row's code: 16 dimensions of b bits are 2 b bytes. */
export function codeBytesOf(model: IndexModel): number {
  return model.groups.reduce((sum, { bits, from, to }) => sum + ((to - from) * bits) / 8, 0);
}

/** A power of two near the sum of the residuals' variances. */
export function termUnitOf(model: IndexModel): number {
  const energy = model.sigma.reduce((sum, sigma) => sum + sigma * sigma, 0);
  return 2 ** Math.round(Math.log2(energy));
}

/**
 * Write a model to a kernel's memory, and tell its instance of the shape.
 *
 * @throws {VectorIndexError} `bad-index` when its arrays or bit groups contradict each other
 */
export function placeModel(kernel: VectorKernel, model: IndexModel): PlacedModel {
  checkModel(model);
  const bits = blockBits(model);
  const plain = bits.filter((depth) => depth === PLAIN_BITS).length;
  const coded = bits.filter((depth) => CODED_BITS.includes(depth)).length;
  const units = Array.from(bits, (depth) => kernel.calls.levelUnit(depth));
  const weights = model.sigma.map((sigma, j) => sigma * (units[Math.floor(j / GROUP_DIMS)] ?? 0));
  const mean = new Float32Array(model.paddedD);
  mean.set(model.mean);
  const shape = [model.paddedD, plain, coded, kernel.place(bits)] as const;
  kernel.calls.setShape(...shape);
  return {
    model,
    shape,
    codeBytes: codeBytesOf(model),
    termUnit: termUnitOf(model),
    mean: kernel.place(mean),
    rotation: kernel.place(model.rotation),
    anchors: kernel.place(model.anchors),
    deviations: kernel.place(model.sigma),
    weights: kernel.place(weights),
  };
}

/** Bits of each block of 16 dimensions. */
function blockBits(model: IndexModel): Uint8Array {
  const bits = new Uint8Array(model.paddedD / GROUP_DIMS);
  for (const group of model.groups) bits.fill(group.bits, group.from / GROUP_DIMS, group.to / GROUP_DIMS);
  return bits;
}

function checkModel(model: IndexModel): void {
  const { d, paddedD, m, mean, rotation, anchors, sigma } = model;
  const isShaped =
    d >= 1 &&
    paddedD >= d &&
    paddedD % GROUP_DIMS === 0 &&
    m >= 1 &&
    mean.length === d &&
    rotation.length === paddedD * paddedD &&
    anchors.length === m * paddedD &&
    sigma.length === paddedD;
  if (!isShaped) throw badModel("its arrays are not of the shapes that d and m ask for");
  if (!sigma.every((value) => value > 0 && value < Infinity)) throw badModel("a standard deviation is not above 0");
  let end = 0;
  let last = Infinity;
  for (const { bits, from, to } of model.groups) {
    const isInPlace = from === end && to > from && to % GROUP_DIMS === 0 && bits <= last;
    if (!isInPlace) throw badModel(`bits of dimensions ${from} to ${to} do not continue those before them`);
    if (bits !== 0 && bits !== PLAIN_BITS && !CODED_BITS.includes(bits)) throw badModel(`${bits} bits are not a depth`);
    end = to;
    last = bits;
  }
  if (end !== paddedD) throw badModel(`bits are given for ${end} of ${paddedD} dimensions`);
}

function badModel(problem: string): VectorIndexError {
  return new VectorIndexError("bad-index", problem, "build the index again");
}
