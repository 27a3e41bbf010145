import { readFileSync } from "node:fs";
import {
  OptimizerSteps,
  openShardedBackend,
  parseRunConfig,
  prepareData,
  type RunConfig,
  settleModel,
  TensorModel,
} from "@lockstep/cloud-node/lab";
import type { BenchGoal } from "./bench.ts";
import { BenchError } from "./bench-error.ts";
import type { PartFindings } from "./bench-part.ts";
import { estimateOf, type Judged, meanNats } from "./lm-judged.ts";
import { type LmPart, type LmPlace, withoutText } from "./lm-part.ts";
import { trainInTorch } from "./lm-torch.ts";

/** A budget at which both sides train in minutes. */
interface Budget {
  readonly model: string;
  readonly settings: readonly string[];
}

const BUDGETS: readonly Budget[] = [
  {
    model: "2 x 2 x 128, T 128, B 8",
    settings: ["model.layers=2", "model.heads=2", "model.width=128", "model.context=128", "data.rows=8", "steps=1000"],
  },
  {
    model: "2 x 1 x 64, T 64, B 8",
    settings: ["model.layers=2", "model.heads=1", "model.width=64", "model.context=64", "data.rows=8", "steps=2000"],
  },
];
const QUICK = "steps=10";
/** Batches that a run is judged by at its end. */
const EVALUATION = "evalBatches=80";
const BACKEND = "wasm-strict";

/** nanochat's recipe at budgets of minutes: bits per byte and time beside the same model in PyTorch. */
export const nanochatPart: LmPart = { name: "nanochat", run: benchNanochat };

interface BudgetRow {
  readonly model: string;
  readonly steps: number;
  readonly bitsPerByte: number;
  readonly torchBitsPerByte: number;
  readonly cpuMs: number;
  readonly torchCpuMs: number;
  readonly tokensPerCpuSecond: number;
}

async function benchNanochat({ text, isQuick, folder, say }: LmPlace): Promise<PartFindings> {
  if (text === undefined) return withoutText("nanochat", "nanochat's recipe", goalsOf(Number.NaN, Number.NaN));
  const content = readFileSync(text, "utf8");
  // A target is a byte then, for the peer too.
  if (/[^\0-\x7f]/.test(content)) throw new BenchError("not-the-same", { text, "must be": "ASCII" });
  const rows: BudgetRow[] = [];
  for (const { model, settings } of BUDGETS) {
    const config = parseRunConfig({
      recipe: "nanochat",
      settings: [...settings, EVALUATION, ...(isQuick ? [QUICK] : [])],
    });
    const judged = estimateOf(config, prepareData(config, content));
    const ours = await trainHere(config, content, judged);
    const torch = await trainInTorch(config, content, [judged], folder);
    rows.push({
      ...{ model, steps: config.steps, bitsPerByte: ours.nats / Math.LN2, cpuMs: ours.cpuMs },
      ...{ torchBitsPerByte: (torch?.judged[0] ?? Number.NaN) / Math.LN2, torchCpuMs: torch?.cpuMs ?? Number.NaN },
      tokensPerCpuSecond: (1000 * config.data.rows * config.model.context) / ours.cpuMs,
    });
    say(model);
  }
  const apart = Math.max(...rows.map((row) => Math.abs(row.bitsPerByte / row.torchBitsPerByte - 1)));
  const ahead = Math.max(...rows.map((row) => row.torchCpuMs / row.cpuMs));
  return {
    tables: [
      {
        title: `nanochat's recipe at small budgets (${BACKEND}, one thread)`,
        columns: [
          "layers x heads x width",
          "steps",
          "bits per byte",
          "PyTorch's",
          "CPU ms a step",
          "PyTorch's",
          "PyTorch / ours",
        ],
        rows: rows.map((row) => [
          ...[row.model, row.steps, row.bitsPerByte.toFixed(4), row.torchBitsPerByte.toFixed(4)],
          ...[row.cpuMs, row.torchCpuMs, row.torchCpuMs / row.cpuMs].map((x) => x.toPrecision(3)),
        ]),
      },
    ],
    goals: goalsOf(100 * apart, ahead),
    notes: [
      `nanochat: recipe \`nanochat\` with ${BUDGETS.map(({ settings }) => settings.join(" ")).join("; ")}, beside the same model with Muon and AdamW in PyTorch (\`test/bench/peers/lm_torch.py\`), whose schedule, groups, scaling of rates and Newton-Schulz steps are written after nanochat's and Muon's sources; the same weights at first, the same batches, the same ${EVALUATION}. Times are means over all steps.`,
    ],
    json: { nanochat: rows },
  };
}

function goalsOf(percentApart: number, ahead: number): BenchGoal[] {
  return [
    {
      what: "nanochat's recipe, bits per byte away from PyTorch's, the furthest",
      ...{ measured: percentApart, unit: "%", must: { atMost: 1 } },
    },
    {
      what: "nanochat's recipe, PyTorch's time over ours, best model",
      ...{ measured: ahead, unit: "x", must: { atLeast: 1 } },
    },
  ];
}

/** Train in this process. @returns nats of what was judged, and CPU time of a step on average */
async function trainHere(
  config: RunConfig,
  text: string,
  judged: Judged,
): Promise<{ readonly nats: number; readonly cpuMs: number }> {
  const data = prepareData(config, text);
  const modelConfig = settleModel(config.model, data.tokenizer.vocabulary);
  const backend = await openShardedBackend({ name: BACKEND, shards: 1, threads: 1 });
  const model = await TensorModel.create(backend, modelConfig, config.data.rows, config.seed);
  const steps = new OptimizerSteps(config, modelConfig);
  const begun = process.cpuUsage();
  for (let step = 0; step < config.steps; step++) await model.train(data.training.next(), steps.at(step));
  const { user, system } = process.cpuUsage(begun);
  const nats = await meanNats(model, judged);
  model.close();
  return { nats, cpuMs: (user + system) / 1000 / config.steps };
}
