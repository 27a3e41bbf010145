import type { BenchGoal, BenchPlot, BenchReport } from "./bench.ts";
import { goalsOf } from "./gradient-goals.ts";
import { linkPlot, linkTable } from "./gradient-links.ts";
import { maskEffect } from "./gradient-mask.ts";
import type { GradientCase } from "./gradient-plan.ts";
import type { GradientRun, Scale } from "./gradient-runs.ts";

/** A method over all of its seeds. */
export interface MethodFigures {
  readonly name: string;
  readonly mode: GradientCase["mode"];
  /** Of one worker, up, over all steps. */
  readonly bytesPerStep: number;
  /** Of that, what is no message of the method: envelopes, frames, codes. */
  readonly envelopeBytesPerStep: number;
  /** 4 bytes of every parameter over all of them. */
  readonly ratio: number;
  /** Mean over seeds, nats. */
  readonly valLoss: number;
  /** Mean over seeds of what the loss is above that of float32 with the same seed, %. */
  readonly degradation: number;
  /** Of each seed, %. */
  readonly degradations: readonly number[];
}

/**
 * @param runs  those that there are; a method counts with the seeds that float32 has, too
 * @param maskGoals  what a mask takes; nothing where it was not measured
 */
export function reportOf(
  scale: Scale,
  cases: readonly GradientCase[],
  runs: readonly GradientRun[],
  maskGoals: readonly BenchGoal[],
): BenchReport {
  const baseline = runs.filter(({ method }) => method === cases[0]?.name);
  const methods = cases.flatMap((row) => figuresOf(row, runs, baseline));
  const baselineLoss = mean(baseline.map(({ valLoss }) => valLoss));
  const steps = scale.config.steps;
  const firstRuns = runs.filter(({ seed }) => seed === scale.seeds[0]);
  const timed = firstRuns.filter(({ method }) => isTimed(method, cases));
  const plots = baseline.length === 0 ? [] : [curves(firstRuns), linkPlot(timed)];
  return {
    title: "Gradients over thin wires",
    columns: ["method", "mode", "B/step", "of it envelope", "ratio", "val loss", "degradation, %", "by seed, %"],
    rows: methods.map(({ name, mode, bytesPerStep, envelopeBytesPerStep, ratio, valLoss, ...rest }) => [
      ...[name, mode, Math.round(bytesPerStep), Math.round(envelopeBytesPerStep), ratio.toFixed(1)],
      ...[valLoss.toFixed(4), rest.degradation.toFixed(2)],
      rest.degradations.map((each) => each.toFixed(2)).join(" "),
    ]),
    more: linkTable(timed),
    notes: [
      `${scale.name}: ${baseline[0]?.parameters ?? "no"} parameters, ${steps} steps on TinyShakespeare, 2 workers of half a batch each, seeds ${scale.seeds.join(", ")}; loss over 100 batches of the part that judges.`,
      "Bytes: of one worker, up, as they would be on its connection, the mean over all steps; ratio: against 4 bytes of every parameter. A step of PowerSGD has two rounds, and is counted as one message.",
      "Seconds: computing is the CPU time of one worker's step here, and lines carry what place 0 gets, then what it sends; nothing else is done meanwhile, and what a line takes to answer is not counted.",
      "float32 beta1 B: nothing is compressed, and AdamW has another momentum than the recipe's 0.9. Methods named sync-R ask for a lower one, since error feedback averages as well: these rows say what of that is the momentum's doing.",
      "Runs are kept in .lockstep/gradient, to be removed to begin anew: `npm run bench -- gradient --data DIR --write`; --quick for a small model, --parts sync-50,float32 for some rows, --cases N for so many runs.",
    ],
    goals:
      scale.name === "small" ? [] : [...goalsOf(methods, scale.seeds.length), ...maskEffect(methods), ...maskGoals],
    plots,
    json: { baselineLoss, methods },
  };
}

/** The baseline and what is compared with it: other momenta and peers take what they take without a coder. */
function isTimed(method: string, cases: readonly GradientCase[]): boolean {
  const row = cases.find(({ name }) => name === method);
  return row === cases[0] || row?.mode === "synchronous" || row?.mode === "local steps" || row?.mode === "masked";
}

function figuresOf(
  { name, mode }: GradientCase,
  runs: readonly GradientRun[],
  baseline: readonly GradientRun[],
): MethodFigures[] {
  const pairs = runs.flatMap((run) => {
    const base = baseline.find(({ seed }) => seed === run.seed);
    return run.method === name && base !== undefined ? [{ run, base }] : [];
  });
  const [first] = pairs;
  if (first === undefined) return [];
  const bytesPerStep = mean(pairs.map(({ run }) => run.bytesPerStep));
  const envelopeBytesPerStep = bytesPerStep - mean(pairs.map(({ run }) => run.messageBytesPerStep));
  const degradations = pairs.map(({ run, base }) => 100 * (run.valLoss / base.valLoss - 1));
  const ratio = (4 * first.run.parameters) / bytesPerStep;
  const valLoss = mean(pairs.map(({ run }) => run.valLoss));
  const bytes = { bytesPerStep, envelopeBytesPerStep, ratio };
  return [{ name, mode, ...bytes, valLoss, degradation: mean(degradations), degradations }];
}

function curves(runs: readonly GradientRun[]): BenchPlot {
  const values = runs.flatMap(({ method, curve }) => curve.slice(1).map((point) => ({ method, ...point })));
  return {
    name: "gradient-curves",
    caption: "Validation loss by step: what exchanges with compression cost beside float32.",
    spec: {
      data: { values },
      width: 560,
      height: 340,
      mark: { type: "line", point: true },
      encoding: {
        x: { field: "step", type: "quantitative", title: "step" },
        y: { field: "valLoss", type: "quantitative", title: "validation loss, nats", scale: { zero: false } },
        color: { field: "method", type: "nominal", title: null, sort: null },
      },
    },
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
