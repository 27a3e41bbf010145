import type { CounterRandom } from "./counter-random.ts";
import type { AnchorKernels, Assignment } from "./kernels/anchor-kernels.ts";
import { relocateAnchors } from "./relocate-anchors.ts";
import { robustLimit, robustWeights } from "./robust-weights.ts";
import type { AnnealingStep, RobustMean } from "./train-options.ts";
import type { TrainingSample } from "./training-sample.ts";

/** Where annealing stands after an iteration: all that the next one depends on. */
export interface AnnealingState {
  /** Iterations done. */
  readonly iteration: number;
  /** Shape (m, D), on the grid. */
  readonly anchors: Int16Array;
  /** Shape (k): the anchor of each row of the sample in the last iteration; empty before the first. */
  readonly ids: Uint32Array;
  /** Squared distance, in grid steps, from which on a row counts less; infinity where each counts in full. */
  readonly robustLimit: number;
  /** The iteration that is to be the last. */
  readonly last: number;
}

/** Before the first iteration. @param anchors  shape (m, D), on the grid @param last  iterations to be done at most */
export function startingState(anchors: Int16Array, last: number): AnnealingState {
  return { iteration: 0, anchors, ids: new Uint32Array(0), robustLimit: Number.POSITIVE_INFINITY, last };
}

export interface AnnealingPlan {
  readonly robust: RobustMean | undefined;
  readonly signal: AbortSignal | undefined;
  log(step: AnnealingStep): void;
  /** Called after every iteration. */
  reached(state: AnnealingState): Promise<void>;
}

/** Of the temperature, from one iteration to the next. */
const COOLING = 0.7;
/** Standard deviation of the noise at temperature 1, as a share of the data's in the same dimension. */
const NOISE_SHARE = 0.2;
/** How much worse a relocation may look at temperature 1, and still be made. */
const HEAT = 0.5;
/** Iterations at the end that only settle: no noise, and none is moved. */
const SETTLING_ITERATIONS = 2;
/** Nothing moves any more: so few rows changed their anchor. */
const STABLE_SHARE = 0.001;
/** What one standard deviation of the kernels' noise is in its own units, over 2^16. */
const BELL_UNIT = 65_536 / 147.8;
const LARGEST_AMPLITUDE = 2 ** 22 - 1;
/** What the draws of an iteration are counted from: seeds of noise, and one number for each anchor. */
const NOISE_COUNT = 0;
const PICK_COUNT = 2 ** 16;

/**
 * Anneal anchors on the sample: assign, mean, noise that cools exponentially, relocation.
 *
 * @param from  where to go on from
 * @returns the state after the last iteration, which comes early where nothing moves any more
 */
export async function annealAnchors(
  kernels: AnchorKernels,
  sample: TrainingSample,
  from: AnnealingState,
  random: CounterRandom,
  plan: AnnealingPlan,
): Promise<AnnealingState> {
  const { rows, grid } = sample;
  const k = rows.length / grid.paddedD;
  const m = from.anchors.length / grid.paddedD;
  const deviations = deviationsOf(rows, grid.paddedD);
  await kernels.load(rows);
  let state = from;
  while (state.iteration < state.last) {
    plan.signal?.throwIfAborted();
    const iteration = state.iteration + 1;
    const isSettling = iteration > state.last - SETTLING_ITERATIONS;
    const temperature = isSettling ? 0 : COOLING ** (iteration - 1);
    const assignment = await kernels.assign(state.anchors, k);
    const changes = countChanges(assignment.ids, state.ids);
    plan.log({ iteration, rows: k, temperature, energy: meanEnergy(assignment, grid.perUnit), changes });

    const limit = robustLimit(assignment.distances, plan.robust);
    await kernels.reduce(robustWeights(assignment.distances, plan.robust, limit));
    const amplitudes = Int32Array.from(deviations, (deviation) => amplitudeOf(temperature * NOISE_SHARE * deviation));
    const anchors = await kernels.update({ seed: random.at(NOISE_COUNT + iteration), amplitudes });
    const assigned = { ...assignment, values: rows, limit };
    const moves = isSettling
      ? 0
      : relocateAnchors(anchors, grid.paddedD, assigned, HEAT * temperature, (anchor) =>
          random.at(PICK_COUNT + iteration * m + anchor),
        );
    const isStable = moves === 0 && changes <= k * STABLE_SHARE;
    const last = isStable ? Math.min(state.last, iteration + SETTLING_ITERATIONS) : state.last;
    state = { iteration, anchors, ids: assignment.ids, robustLimit: limit, last };
    await plan.reached(state);
  }
  return state;
}

/** Mean squared distance in the square of the data's unit. */
export function meanEnergy({ distances }: Assignment, perUnit: number): number {
  let sum = 0;
  for (const distance of distances) sum += distance;
  return sum / distances.length / perUnit ** 2;
}

function countChanges(ids: Uint32Array, before: Uint32Array): number {
  let changes = 0;
  for (let i = 0; i < ids.length; i++) if (ids[i] !== before[i]) changes++;
  return changes;
}

function amplitudeOf(gridSteps: number): number {
  return Math.min(LARGEST_AMPLITUDE, Math.round(gridSteps * BELL_UNIT));
}

/** Standard deviation of the sample in every dimension, in grid steps. */
function deviationsOf(rows: Int16Array, paddedD: number): Float64Array {
  const k = rows.length / paddedD;
  const sums = new Float64Array(paddedD);
  const squares = new Float64Array(paddedD);
  for (let from = 0; from < rows.length; from += paddedD) {
    for (let j = 0; j < paddedD; j++) {
      const x = rows[from + j] ?? 0;
      sums[j] = (sums[j] ?? 0) + x;
      squares[j] = (squares[j] ?? 0) + x * x;
    }
  }
  return squares.map((square, j) => Math.sqrt(Math.max(0, square / k - ((sums[j] ?? 0) / k) ** 2)));
}
