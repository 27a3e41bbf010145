import { setImmediate } from "node:timers/promises";
import type { OptimizerStep } from "../../tensor/optimizer.ts";
import { rateShare } from "../language-model/schedule.ts";
import type { BranchedModel, Snapshot } from "./branched-model.ts";
import type { Lesson } from "./lesson.ts";
import type { PhaseOptions, SpikeOptions } from "./options.ts";
import type { RunHooks } from "./run-hooks.ts";
import { type Rollback, SpikeGuard } from "./spike-guard.ts";

/** AdamW's, of all that learns here. */
const ADAMW = { beta1: 0.9, beta2: 0.98, eps: 1e-8 };
const CLIP = 1;
/** Muon's, of a backbone's matrices. */
const MOMENTUM = 0.95;
/** Steps in which rates rise, as a share of all; from then on they fall evenly, which is exact on every machine. */
const RISE = 0.05;
/** Of the rate, at the last step. */
const LAST_RATE = 0.05;

/** What a phase of learning does. */
export interface LearnRequest {
  readonly model: BranchedModel;
  readonly lessons: readonly Lesson[];
  readonly phase: PhaseOptions;
  readonly anchorWeight: number;
  readonly checkEvery: number;
  readonly spikes: SpikeOptions;
  readonly run: RunHooks;
  /** What the learning rate of a step is multiplied by: for tests of what happens when learning goes wrong. */
  readonly disturb?: ((step: number) => number) | undefined;
}

/** A look at what was learned. */
export interface Look {
  readonly step: number;
  /** Mean of the steps since the last look, nats. */
  readonly loss: number;
  /** By category: the share of the protected subspaces' variance that the student misses. */
  readonly missed: Readonly<Record<string, number>>;
}

/** What a phase of learning was like. */
export interface Learned {
  readonly steps: number;
  readonly finalLoss: number;
  readonly looks: readonly Look[];
  readonly rollbacks: readonly Rollback[];
  readonly trainedParameters: number;
}

/**
 * Learn from some lessons, one batch of each in every step, with a net: where the loss leaps, the last good state is taken back,
 * the anchors' weight rises, and other batches follow.
 *
 * @throws {DistillationError} `loss-not-finite`; and as the run's signal
 */
export async function learn(request: LearnRequest): Promise<Learned> {
  const { model, lessons, phase, run, disturb } = request;
  const guard = new SpikeGuard<Snapshot>(request.spikes, request.anchorWeight);
  const { learning } = model;
  const looks: Look[] = [];
  let [sum, count, finalLoss] = [0, 0, 0];
  for (let step = 0; step < phase.steps; ) {
    // Whoever wants to stop the run gets a turn.
    await setImmediate();
    run.signal.throwIfAborted();
    const before = guard.wants(step) ? await model.snapshot() : undefined;
    // After a spike the same steps are taken with other questions.
    const draw = step + guard.rollbacks.length * phase.steps;
    for (const lesson of lessons) await lesson.teach(model, draw, guard.anchorWeight);
    const update = updateOf(learning, phase, step, disturb?.(draw) ?? 1);
    const { loss, gradientNorm } = await model.train(update);
    run.onLoss(step, loss);
    const good = guard.judge(step, Number.isFinite(gradientNorm) ? loss : Number.NaN, before);
    if (good !== undefined) {
      model.restore(good.state);
      run.onLog(rollbackLine(guard.rollbacks.at(-1) as Rollback));
      step = good.step;
      // Looks at what was undone tell of nothing that is left.
      looks.splice(0, looks.length, ...looks.filter((look) => look.step <= step));
      [sum, count] = [0, 0];
      continue;
    }
    [sum, count, finalLoss] = [sum + loss, count + 1, loss];
    step += 1;
    if (step % request.checkEvery === 0 || step === phase.steps) {
      looks.push({ step, loss: sum / count, missed: await missedBy(model, lessons) });
      [sum, count] = [0, 0];
      run.onProgress(step / phase.steps, `step ${step} of ${phase.steps}, loss ${loss.toFixed(3)}`);
    }
  }
  const rollbacks = guard.rollbacks;
  return { steps: phase.steps, finalLoss, looks, rollbacks, trainedParameters: model.trainedParameters };
}

/** AdamW for all but a backbone's matrices, which Muon is for. */
function updateOf(
  { matrices, others }: BranchedModel["learning"],
  { learningRate, matrixRate, weightDecay, steps }: PhaseOptions,
  step: number,
  factor: number,
): OptimizerStep {
  const warmup = Math.ceil(RISE * steps);
  const schedule = { kind: "trapezoid", warmup, warmdown: 1 - warmup / steps, finalShare: LAST_RATE } as const;
  const rate = factor * rateShare(schedule, step, steps);
  const adamw = {
    kind: "adamw",
    parameters: others,
    learningRate: rate * learningRate,
    ...ADAMW,
    weightDecay,
  } as const;
  const muon = {
    ...({ kind: "muon", parameters: matrices, learningRate: rate * matrixRate } as const),
    ...{ momentum: MOMENTUM, weightDecay: 0 },
  };
  return { step: step + 1, clipNorm: CLIP, groups: matrices.length === 0 ? [adamw] : [adamw, muon] };
}

async function missedBy(model: BranchedModel, lessons: readonly Lesson[]): Promise<Record<string, number>> {
  const missed: Record<string, number> = {};
  for (const lesson of lessons) {
    const share = await lesson.check(model);
    if (share !== undefined) missed[lesson.branch.name] = share;
  }
  return missed;
}

function rollbackLine({ step, loss, expected, to, anchorWeight }: Rollback): string {
  const seen = loss === null ? "no finite loss" : `a loss of ${loss.toFixed(3)}`;
  return `step ${step}: ${seen} where ${expected.toFixed(3)} was expected; back to step ${to}, anchors at ${anchorWeight}`;
}
