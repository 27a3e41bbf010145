import { type AnnealingPlan, type AnnealingState, annealAnchors, startingState } from "./anneal-anchors.ts";
import { type AssignPlan, assignAll, meanOfAll } from "./assign-all.ts";
import { allocateBits } from "./bit-allocation.ts";
import { CODE_DISTORTION } from "./code-distortion.ts";
import { CounterRandom } from "./counter-random.ts";
import type { AnchorKernels } from "./kernels/anchor-kernels.ts";
import { openKernels } from "./kernels/open-kernels.ts";
import type { IndexModel } from "./model.ts";
import { mixGroups, principalBasis } from "./residual-basis.ts";
import { ResidualCovariance } from "./residual-covariance.ts";
import { fullWeight } from "./robust-weights.ts";
import { rotateAnchors } from "./rotate-anchors.ts";
import { startAnchors } from "./start-anchors.ts";
import { packCheckpoint, trainingMark, unpackCheckpoint } from "./train-checkpoint.ts";
import type { TrainOptions, TrainProgress } from "./train-options.ts";
import { TrainingCore } from "./training-core.ts";
import { drawSample, type TrainingSample } from "./training-sample.ts";
import { VectorIndexError } from "./vector-index-error.ts";
import type { VectorSource } from "./vector-source.ts";

export interface TrainedModel {
  readonly model: IndexModel;
  /** Shape (n): the nearest anchor of each row. */
  readonly lists: Uint32Array;
  /** Anchors that were asked for: more than were made where fewer rows differ, gross ones left out. */
  readonly wantedAnchors: number;
}

/** Of annealing on the sample; one or two over all rows follow. */
export const DEFAULT_ITERATIONS = 8;
/** Rows of the sample for each anchor. */
const SAMPLE_PER_ANCHOR = 24;
/** So few anchors need a larger sample, for the directions of the residuals. */
const LEAST_SAMPLE = 16_384;
const NO_ANCHOR = 2 ** 32 - 1;
/** What each use of the seed draws from. */
const STREAMS = { sample: 0, start: 1, anneal: 2, rotation: 3 } as const;

/**
 * Train anchors and rotation of an index, and give every row its list. Memory is O(m D + n), as the sample is in
 * proportion to m; the source is read three times.
 *
 * @param source  rows as they are to be indexed: of length 1 for `cosine`
 * @throws {VectorIndexError} `too-few` for more anchors than rows, `too-small`, `bad-option`, `no-device`, `bad-checkpoint`, and
 *   what reading throws
 */
export async function trainModel(source: VectorSource, options: TrainOptions): Promise<TrainedModel> {
  const m = anchorCount(source, options);
  const k = Math.min(source.n, Math.max(SAMPLE_PER_ANCHOR * m, LEAST_SAMPLE));
  const core = new TrainingCore();
  const progress = (stage: TrainProgress["stage"], done: number, total: number) =>
    options.progress?.({ stage, done, total });
  const random = (stream: keyof typeof STREAMS) => new CounterRandom(core, options.seed, STREAMS[stream]);
  const sample = await drawSample(core, source, k, random("sample"), fullWeight(options.robust), (done) => {
    options.signal?.throwIfAborted();
    progress("sample", done, source.n);
  });
  const kernels = await openKernels(options.device ?? "cpu", sample.grid);
  try {
    const draws = { start: random("start"), anneal: random("anneal") };
    const state = await trainAnchors(kernels, sample, m, draws, options);
    return await finishModel({ core, kernels, source, sample, m, state, random: random("rotation"), options });
  } finally {
    await kernels.close();
  }
}

function anchorCount({ n, name }: VectorSource, options: TrainOptions): number {
  const m = options.m ?? Math.max(1, Math.min(Math.round(5 * Math.sqrt(n)), n >> 2));
  if (!Number.isInteger(m) || m < 1) {
    throw new VectorIndexError("bad-option", `m is ${m}`, "give a whole number of anchors, 1 at least");
  }
  if (m <= n) return m;
  throw new VectorIndexError("too-few", `${n} rows for ${m} anchors`, `ask for ${n} at most`, { file: name });
}

async function trainAnchors(
  kernels: AnchorKernels,
  sample: TrainingSample,
  m: number,
  random: { readonly start: CounterRandom; readonly anneal: CounterRandom },
  options: TrainOptions,
): Promise<AnnealingState> {
  const { robust, signal, checkpoint, seed } = options;
  const iterations = options.iterations ?? DEFAULT_ITERATIONS;
  const { paddedD } = sample.grid;
  const mark = trainingMark(sample.rows, m, seed, iterations, robust?.kind, robust?.share);
  const saved = await checkpoint?.load();
  options.progress?.({ stage: "start", done: 0, total: m });
  const from =
    saved === undefined
      ? startingState(
          await startAnchors(kernels, sample.rows, paddedD, m, random.start, robust?.share ?? 0),
          iterations,
        )
      : unpackCheckpoint(saved, mark);
  const plan: AnnealingPlan = {
    robust,
    signal,
    log: (step) => options.log?.(step),
    reached: async (state) => {
      options.progress?.({ stage: "anneal", done: state.iteration, total: state.last });
      await checkpoint?.save(packCheckpoint(state, mark));
    },
  };
  return annealAnchors(kernels, sample, from, random.anneal, plan);
}

interface AnnealedAnchors {
  readonly core: TrainingCore;
  readonly kernels: AnchorKernels;
  readonly source: VectorSource;
  readonly sample: TrainingSample;
  /** Anchors that were asked for. */
  readonly m: number;
  readonly state: AnnealingState;
  readonly random: CounterRandom;
  readonly options: TrainOptions;
}

/** The last iterations are over all rows; their residuals then tell how to turn the space, and where bits pay. */
async function finishModel(annealed: AnnealedAnchors): Promise<TrainedModel> {
  const { core, source, sample, m, state, random, options } = annealed;
  const { grid, gross } = sample;
  const { n } = source;
  const plan: AssignPlan = {
    ...annealed,
    grid,
    gross,
    robust: options.robust,
    robustLimit: state.robustLimit,
    signal: options.signal,
    progress: (done) => options.progress?.({ stage: "assign", done, total: n }),
    log: (step) => options.log?.(step),
  };
  const isSampleAll = sample.rows.length === n * grid.paddedD;
  // No row has an anchor yet, unless the sample is all of them: a change is then counted for each.
  const lists = isSampleAll ? state.ids.slice() : new Uint32Array(n).fill(NO_ANCHOR);
  const onGrid = isSampleAll ? state.anchors : await meanOfAll(plan, state.anchors, lists, state.iteration + 1);
  const centred = Float32Array.from(onGrid, (value) => value / grid.perUnit);
  const covariance = new ResidualCovariance(core, grid, n, centred);
  await assignAll(plan, onGrid, lists, state.iteration + (isSampleAll ? 1 : 2), (block) => covariance.add(block));

  options.progress?.({ stage: "rotate", done: 0, total: 1 });
  const basis = principalBasis(core, covariance.close(), grid.paddedD);
  const groups = allocateBits(basis.variances, options.codeBytes, CODE_DISTORTION);
  const { rotation, sigma } = mixGroups(basis, groups, random);
  const model: IndexModel = {
    d: source.d,
    paddedD: grid.paddedD,
    m: onGrid.length / grid.paddedD,
    metric: options.metric,
    seed: options.seed,
    mean: grid.mean,
    rotation,
    ...rotateAnchors(core, centred, rotation, grid.paddedD),
    groups,
    sigma,
  };
  options.progress?.({ stage: "rotate", done: 1, total: 1 });
  return { model, lists, wantedAnchors: m };
}
