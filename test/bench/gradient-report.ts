import type { BenchGoal, BenchPlot, BenchReport } from "./bench.ts";
import { goalsOf } from "./gradient-goals.ts";
import { linkPlot, linkTable } from "./gradient-links.ts";
import { maskEffect } from "./gradient-mask.ts";
import type { GradientCase } from "./gradient-plan.ts";
import type { GradientRun, Scale } from "./gradient-runs.ts";

/** A method with one seed. */
export interface SeedFigures {
  readonly seed: number;
  readonly valLoss: number;
  /** Above float32's with the same seed, %. */
  readonly degradation: number;
  /** Above that of the best row of float32 with the same seed, %. */
  readonly aboveBest: number;
}

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
  /** The same beside the best row of float32: with the momentum that suits it best. */
  readonly aboveBest: number;
  readonly seeds: readonly SeedFigures[];
  /** Day of its newest run. */
  readonly date: string;
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
  const best = bestFloats(cases, runs);
  const bestName = best[0]?.method ?? "none";
  const methods = cases.flatMap((row) => figuresOf(row, runs, baseline, best));
  const baselineLoss = mean(baseline.map(({ valLoss }) => valLoss));
  const steps = scale.config.steps;
  const isMissing = ({ name, mode }: GradientCase) =>
    mode !== "variant" && !methods.some((method) => method.name === name && method.seeds.length === scale.seeds.length);
  const missing = cases.filter(isMissing).map(({ name }) => name);
  const firstRuns = runs.filter(({ seed }) => seed === scale.seeds[0]);
  const timed = firstRuns.filter(({ method }) => isTimed(method, cases));
  const plots = baseline.length === 0 ? [] : [curves(firstRuns), linkPlot(timed)];
  return {
    title: "Gradients over thin wires",
    columns: [
      ...["method", "mode", "B/step", "of it envelope", "ratio", "val loss", "degradation, %", "by seed, %"],
      ...["above the best float32, %", "measured"],
    ],
    rows: methods.map(({ name, mode, bytesPerStep, envelopeBytesPerStep, ratio, valLoss, ...rest }) => [
      ...[name, mode, Math.round(bytesPerStep), Math.round(envelopeBytesPerStep), ratio.toFixed(1)],
      ...[valLoss.toFixed(4), rest.degradation.toFixed(2)],
      rest.seeds.map(({ degradation }) => degradation.toFixed(2)).join(" "),
      ...[rest.aboveBest.toFixed(2), rest.date],
    ]),
    more: linkTable(timed),
    notes: [
      `${scale.name}: ${baseline[0]?.parameters ?? "no"} parameters, ${steps} steps on TinyShakespeare, 2 workers of half a batch each, seeds ${scale.seeds.join(", ")}; loss over 100 batches of the part that judges.`,
      "Bytes: of one worker, up, as they would be on its connection, the mean over all steps; ratio: against 4 bytes of every parameter. A step of PowerSGD has two rounds, and is counted as one message.",
      "Seconds: computing is the CPU time of one worker's step here, and lines carry what place 0 gets, then what it sends; nothing else is done meanwhile, and what a line takes to answer is not counted.",
      "float32 beta1 B: nothing is compressed, and AdamW has another momentum than the recipe's 0.9. All methods of ours ask for a lower one, 0.5, since error feedback averages as well: these rows say what of that is the momentum's doing.",
      "local-100 and local-1000 go further from round to round than their workers went, which is as if the learning rate were larger. float32 with a larger one is not among the rows: on the small model twice the rate gains it 2 % (seed 3), so these losses hold beside the recipe's rate, and not beside the best one.",
      `The best row of float32, over all seeds, is ${bestName}: the column and goals that name it compare with what float32 comes to when its momentum is chosen as well.`,
      "Goals take ratios rounded to whole numbers: a message has 1/15, 1/50 or 1/100 of float32's bytes, and what is put around it comes on top. Beside a rank of PowerSGD the better one of its rows counts, with either momentum.",
      "Training is chaotic: kernels of another release that differ in the last digits end a run elsewhere, by as much as another seed does. Rows that lie closer to each other than their seeds are not told apart.",
      ...(missing.length === 0 ? [] : [`Not measured yet with all seeds: ${missing.join(", ")}.`]),
      "Runs are kept in .lockstep/gradient, to be removed to begin anew: `npm run bench -- gradient --data DIR --write`; --quick for a small model, --parts sync-50,float32 for some rows, --cases N for so many runs.",
    ],
    goals:
      scale.name === "small"
        ? []
        : [...goalsOf(methods, bestName, scale.seeds.length), ...maskEffect(methods, scale.seeds.length), ...maskGoals],
    plots,
    json: { baselineLoss, methods },
  };
}

/** The baseline and what is compared with it: other momenta and peers take what they take without a coder. */
function isTimed(method: string, cases: readonly GradientCase[]): boolean {
  const row = cases.find(({ name }) => name === method);
  return row === cases[0] || row?.mode === "synchronous" || row?.mode === "local steps" || row?.mode === "masked";
}

/** Runs of the row of float32 that loses least, among those with the most seeds. */
function bestFloats(cases: readonly GradientCase[], runs: readonly GradientRun[]): readonly GradientRun[] {
  const rows = cases.flatMap(({ name, mode }) => {
    return mode === "baseline" ? [runs.filter(({ method }) => method === name)] : [];
  });
  const most = Math.max(...rows.map(({ length }) => length));
  const whole = rows.filter(({ length }) => length === most);
  return whole.toSorted((a, b) => mean(a.map(lossOf)) - mean(b.map(lossOf)))[0] ?? [];
}

function figuresOf(
  { name, mode }: GradientCase,
  runs: readonly GradientRun[],
  baseline: readonly GradientRun[],
  best: readonly GradientRun[],
): MethodFigures[] {
  const own = runs.filter(({ method, seed }) => method === name && baseline.some((base) => base.seed === seed));
  const [first] = own;
  if (first === undefined) return [];
  const bytesPerStep = mean(own.map((run) => run.bytesPerStep));
  const envelopeBytesPerStep = bytesPerStep - mean(own.map((run) => run.messageBytesPerStep));
  const seeds = own.map((run): SeedFigures => {
    const { seed, valLoss } = run;
    return { seed, valLoss, degradation: above(run, baseline), aboveBest: above(run, best) };
  });
  return [
    {
      ...{ name, mode, bytesPerStep, envelopeBytesPerStep, ratio: (4 * first.parameters) / bytesPerStep },
      valLoss: mean(seeds.map(lossOf)),
      degradation: mean(seeds.map(({ degradation }) => degradation)),
      aboveBest: mean(seeds.map(({ aboveBest }) => aboveBest)),
      seeds,
      date:
        own
          .map(({ date }) => date.slice(0, 10))
          .toSorted()
          .at(-1) ?? "",
    },
  ];
}

/** %; no number where there is no run of that seed to compare with. */
function above({ seed, valLoss }: GradientRun, others: readonly GradientRun[]): number {
  const other = others.find((each) => each.seed === seed);
  return 100 * (valLoss / (other?.valLoss ?? Number.NaN) - 1);
}

function lossOf({ valLoss }: { readonly valLoss: number }): number {
  return valLoss;
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
