import type { CoderMode } from "./coder-mode.ts";
import type { GradientCore } from "./gradient-core.ts";
import { GradientError } from "./gradient-error.ts";
import type { PlacedTensor } from "./gradient-layout.ts";
import { bfloatAbove, bfloatBelow, bfloatOf } from "./gradient-message.ts";

const LEAST_STEP = 2 ** -60;
const MOST_STEP = 2 ** 60;

/** Values that lie in a kernel's memory, and what is to become of them. */
export interface StepQuestion {
  readonly core: GradientCore;
  /** Address of u32 for each magnitude. */
  readonly counts: number;
  readonly tensors: readonly PlacedTensor[];
  /** Addresses of f32, (N); weights 0: all are 1. */
  readonly values: number;
  readonly weights: number;
  /** Steps that were given, where the mode needs them. */
  readonly given: Float32Array | undefined;
  readonly included: readonly boolean[];
}

/**
 * The step of every tensor that is included, as it travels: given, or chosen by how large values are.
 *
 * @returns bfloat16, per tensor; 0 where it is not included
 * @throws {GradientError} `bad-control`, `not-finite`
 */
export function chooseSteps(question: StepQuestion, mode: CoderMode): Float32Array {
  if (mode.kind === "top-k") return thresholds(question, mode.share, mode.of);
  const { tensors, given, included } = question;
  return Float32Array.from(tensors, (tensor, t) => {
    if (included[t] !== true) return 0;
    return mode.kind === "stochastic" ? spread(question, tensor, mode.bits) : givenStep(given, t);
  });
}

function givenStep(steps: Float32Array | undefined, tensor: number): number {
  const step = steps?.[tensor] ?? Number.NaN;
  if (step >= LEAST_STEP && step <= MOST_STEP) return bfloatBelow(step);
  const problem = steps === undefined ? "this mode needs steps" : `the step of tensor ${tensor} is ${step}`;
  throw new GradientError("bad-control", problem, "give a step from 2^-60 to 2^60 for each tensor");
}

/** The step with which the largest value has the largest code. */
function spread(question: StepQuestion, tensor: PlacedTensor, bits: number): number {
  const largest = question.core.calls.largestMagnitude(...placeOf(question, tensor));
  if (!(largest < MOST_STEP)) {
    const problem = `the largest value, in units of its weight, is ${largest}`;
    throw new GradientError("not-finite", problem, "leave this step out, or lower the learning rate");
  }
  return bfloatAbove(Math.max(LEAST_STEP, largest / (2 ** (bits - 1) - 1)));
}

/** Thresholds that let about a share of the values through. */
function thresholds(question: StepQuestion, share: number, of: "tensor" | "message"): Float32Array {
  const { core, counts, tensors, included } = question;
  const { calls } = core;
  const steps = new Float32Array(tensors.length);
  let counted = 0;
  const clear = () => {
    core.bytes(counts, 4 * Number(calls.MAGNITUDES.value)).fill(0);
    counted = 0;
  };
  const threshold = () => {
    const bits = calls.thresholdFor(counts, Math.max(1, Math.round(share * counted)));
    return Math.min(MOST_STEP, Math.max(LEAST_STEP, bfloatOf(bits)));
  };
  clear();
  for (const [t, tensor] of tensors.entries()) {
    if (included[t] !== true) continue;
    calls.countMagnitudes(...placeOf(question, tensor), counts);
    counted += tensor.count;
    if (of === "message") continue;
    steps[t] = threshold();
    clear();
  }
  return of === "tensor" ? steps : steps.fill(threshold());
}

function placeOf(
  { values, weights }: StepQuestion,
  { from, count }: PlacedTensor,
): [values: number, weights: number, count: number] {
  return [values + 4 * from, weights === 0 ? 0 : weights + 4 * from, count];
}
