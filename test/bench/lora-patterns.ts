import { statSync } from "node:fs";
import { join } from "node:path";
import type { Comparison } from "@lockstep/cloud-node/lab";
import type { BenchGoal, BenchTable } from "./bench.ts";
import type { BenchPart, PartFindings, PartPlace } from "./bench-part.ts";
import { type LookupFindings, measureLookups } from "./lora-lookups.ts";
import { runLockstep } from "./measured-command.ts";

/** How often each prompt is asked with chance. */
const REPEATS = 2;

/** What `lora base` says. */
interface BaseMade {
  readonly sha256: string;
  readonly parameters: number;
  readonly seconds: number;
}

/** What `lora run-all` says. */
interface RunAllSummary {
  readonly training: {
    readonly steps: number;
    readonly seconds: number;
    readonly trainableShare: number;
    readonly validationLoss: readonly { readonly step: number; readonly loss: number }[];
  };
  readonly comparison: Comparison;
}

/** Our own Llama: made, taught the shipped patterns, asked before and after; and the memory beside it. */
export const patternsPart: BenchPart = { name: "patterns", run: benchPatterns };

async function benchPatterns({ isQuick, folder, say }: PartPlace): Promise<PartFindings> {
  const model = join(folder, "tiny-llama");
  const quick = isQuick ? ["--quick"] : [];
  const made = await runLockstep(["lora", "base", "--out", model, ...quick, "--json"]);
  const base = JSON.parse(made.stdout) as BaseMade;
  say(`the model is made: ${base.sha256}`);
  const out = join(folder, "engram");
  const args = ["lora", "run-all", "--out", out, "--model", model, "--repeats", String(REPEATS), ...quick, "--json"];
  const run = await runLockstep(args);
  const summary = JSON.parse(run.stdout) as RunAllSummary;
  say("patterns are taught and asked");
  const lookups = await measureLookups(model, folder, isQuick);
  const adapterBytes = statSync(join(out, "adapter", "adapter_model.safetensors")).size;
  return {
    tables: [accuracyTable(summary), lookups.table],
    goals: goalsOf(summary, lookups),
    notes: [
      `Model: \`lockstep lora base\`, ${base.parameters} parameters, ${made.cpuSeconds.toFixed(0)} CPU seconds, model.safetensors with SHA-256 ${base.sha256}.`,
      "Accuracy is of exact answers to wordings that training never had, of patterns that it had; intervals are of 95 %, by bootstrap over patterns. Training's seconds are wall time on two cores, on a machine as busy as the table of parts says.",
    ],
    json: jsonOf(summary, adapterBytes, lookups),
  };
}

function accuracyTable({ comparison, training }: RunAllSummary): BenchTable {
  const rows = [...Object.entries(comparison.byCategory), ["all", comparison.overall] as const];
  return {
    title: `Exact answers before and after ${training.steps} updates, in percent`,
    columns: ["category", "patterns", "before", "after", "gain", "from", "to"],
    rows: rows.map(([name, { patterns, ...shares }]) => {
      const { before, after, gain, low, high } = shares;
      return [name, patterns, ...[before, after, gain, low, high].map((share) => (100 * share).toFixed(1))];
    }),
  };
}

/** By how much validation loss fell, in percent. */
function lossFall({ training }: RunAllSummary): number {
  const [first, last] = [
    training.validationLoss[0]?.loss ?? Number.NaN,
    training.validationLoss.at(-1)?.loss ?? Number.NaN,
  ];
  return 100 * (1 - last / first);
}

function goalsOf(summary: RunAllSummary, lookups: LookupFindings): BenchGoal[] {
  const { overall } = summary.comparison;
  return [
    {
      what: "LoRA, exact answers to unseen wordings: gain after 100 updates",
      ...{ measured: 100 * overall.gain, unit: "points", must: { atLeast: 10 }, aim: 30 },
    },
    {
      what: "LoRA, the same: lower end of its interval",
      ...{ measured: 100 * overall.low, unit: "points", must: { atLeast: 0 } },
    },
    {
      what: "LoRA, validation loss: fall",
      ...{ measured: lossFall(summary), unit: "%", must: { atLeast: 50 }, aim: 65 },
    },
    {
      what: "LoRA, seconds of training for that",
      ...{ measured: summary.training.seconds, unit: "s", must: { below: 300 }, aim: 60 },
    },
    ...lookups.goals,
  ];
}

function jsonOf(
  { training, comparison }: RunAllSummary,
  adapterBytes: number,
  lookups: LookupFindings,
): Record<string, unknown> {
  const { overall, byCategory } = comparison;
  return {
    baseline: { accuracy: overall.before },
    tuned: { accuracy: overall.after },
    byCategory: Object.fromEntries(
      Object.entries(byCategory).map(([name, { before, after }]) => [name, { baseline: before, tuned: after }]),
    ),
    interval: [overall.low, overall.high],
    trainSeconds: training.seconds,
    iterations: training.steps,
    adapterBytes,
    trainableShare: training.trainableShare,
    validationLoss: training.validationLoss,
    lookups: lookups.json,
  };
}
