import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseRunConfig, prepareData } from "@lockstep/cloud-node/lab";
import type { BenchGoal } from "./bench.ts";
import type { PartFindings } from "./bench-part.ts";
import { estimateOf, meanNatsOf, wholeOf } from "./lm-judged.ts";
import { type LmPart, type LmPlace, withoutText } from "./lm-part.ts";
import { trainInTorch } from "./lm-torch.ts";
import { type TrainedByCommand, trainByCommand } from "./lm-train-command.ts";
import { mean } from "./statistics.ts";

/** The first is the command's own. */
const SEEDS = [1337, 1338, 1339];
const QUICK_STEPS = 20;
const MEGABYTE = 1e6;

/** nanoGPT's run for a laptop, whole: its loss beside that of the same model in PyTorch, and its memory. */
export const nanogptPart: LmPart = { name: "nanogpt", run: benchNanogpt };

/** One seed: nats of ours and of PyTorch, by the run's own estimate and over all of what was not learned from. */
interface SeedRow {
  readonly seed: number;
  readonly ours: TrainedByCommand;
  readonly estimate: number;
  readonly whole: number;
  readonly torchEstimate: number;
  readonly torchWhole: number;
}

async function benchNanogpt(place: LmPlace): Promise<PartFindings> {
  if (place.text === undefined)
    return withoutText("nanogpt", "nanoGPT's CPU recipe", goalsOf(Number.NaN, Number.NaN, Number.NaN));
  const rows: SeedRow[] = [];
  for (const seed of place.isQuick ? SEEDS.slice(0, 1) : SEEDS) rows.push(await trainBoth(place.text, seed, place));
  const [first] = rows as [SeedRow, ...SeedRow[]];
  const { steps, memoryGrowthBytes, peakRssMB } = first.ours;
  const means = (["estimate", "whole", "torchEstimate", "torchWhole"] as const).map((of) =>
    mean(rows.map((row) => row[of])),
  );
  return {
    tables: [
      {
        title: `nanoGPT's CPU recipe, ${steps} steps: loss of what was not learned from, nats`,
        columns: [
          "seed",
          "ours, estimate",
          "PyTorch, estimate",
          "ours, whole part",
          "PyTorch, whole part",
          "steps/s",
          "peak MB",
        ],
        rows: [
          ...rows.map(({ seed, ours, estimate, torchEstimate, whole, torchWhole }) => [
            ...[String(seed), ...nats(estimate, torchEstimate, whole, torchWhole)],
            ...[(ours.steps / ours.seconds).toFixed(1), ours.peakRssMB.toFixed(0)],
          ]),
          ["mean", ...nats(means[0], means[2], means[1], means[3]), "", ""],
        ],
      },
    ],
    goals: goalsOf(first.estimate, 100 * ((means[1] ?? Number.NaN) / (means[3] ?? Number.NaN) - 1), peakRssMB),
    notes: [
      `nanoGPT: \`lockstep lm train input.txt --out run --recipe nanogpt-cpu --threads 1 --set seed=N\`, and the same model in PyTorch (\`test/bench/peers/lm_torch_train.py\`) from the same weights over the same batches, with schedule, groups and clipping after nanoGPT's source. The estimate is upstream's, over 20 random batches: 15,360 tokens; the whole part has 111,540.`,
      `nanoGPT's README says 1.88 of its own run. Memory is the process's at its peak; it grew by ${(memoryGrowthBytes / MEGABYTE).toFixed(1)} MB from the second evaluation to the last.`,
    ],
    json: {
      nanogpt: rows.map(({ ours: { steps: count, seconds, cpuSeconds, peakRssMB }, ...row }) => {
        return { ...row, steps: count, seconds, cpuSeconds, peakRssMB };
      }),
    },
  };
}

/** Both at once: each has a core, and no time is held against a goal. */
async function trainBoth(text: string, seed: number, { isQuick, folder, say }: LmPlace): Promise<SeedRow> {
  const settings = [`seed=${seed}`, ...(isQuick ? [`steps=${QUICK_STEPS}`] : [])];
  const config = parseRunConfig({ recipe: "nanogpt-cpu", settings });
  const content = readFileSync(text, "utf8");
  const data = prepareData(config, content);
  const judged = [estimateOf(config, data), wholeOf(config, data, content)] as const;
  const out = join(folder, String(seed));
  const args = ["--recipe", "nanogpt-cpu", "--threads", "1", ...settings.flatMap((setting) => ["--set", setting])];
  const [ours, torch] = await Promise.all([
    trainByCommand(text, out, args),
    trainInTorch(config, content, judged, folder),
  ]);
  const [torchEstimate = Number.NaN, torchWhole = Number.NaN] = torch?.judged ?? [];
  const row: SeedRow = {
    ...{ seed, ours, torchEstimate, torchWhole },
    estimate: ours.final?.valLoss ?? Number.NaN,
    whole: await meanNatsOf(out, judged[1]),
  };
  say(`seed ${seed}: ${row.estimate.toFixed(4)} nats, PyTorch ${torchEstimate.toFixed(4)}`);
  return row;
}

function goalsOf(estimate: number, percentAbove: number, peakRssMB: number): BenchGoal[] {
  return [
    {
      what: "nanoGPT CPU recipe, 2,000 steps, seed 1337, validation loss by upstream's estimator",
      ...{ measured: estimate, unit: "nats", must: { atMost: 1.92 }, aim: 1.88 },
    },
    {
      what: "the same over the whole validation part, mean of seeds, above PyTorch's",
      ...{ measured: percentAbove, unit: "%", aimedAt: { atMost: 0.5 } },
    },
    { what: "memory of the CPU recipe, peak", measured: peakRssMB, unit: "MB", must: { below: 200 } },
  ];
}

function nats(...losses: readonly (number | undefined)[]): string[] {
  return losses.map((loss = Number.NaN) => (Number.isNaN(loss) ? "" : loss.toFixed(4)));
}
