import { join } from "node:path";
import type { BenchPart, PartFindings, PartPlace } from "./bench-part.ts";
import { runLockstep } from "./measured-command.ts";

/** What a part of this benchmark is given. */
export interface TrainPlace extends PartPlace {
  /** Path of the text. */
  readonly text: string;
}

interface Way {
  readonly name: string;
  readonly args: readonly string[];
}

interface Speed {
  readonly name: string;
  /** Of training, without evaluations and starts; the fastest round. */
  readonly stepMs: number;
  /** Of the whole process, in the round that took least. */
  readonly cpuSeconds: number;
  readonly peakRssMB: number;
}

const LM = "lm train, 2 threads";
const NONE = "none";
const WAYS: readonly Way[] = [
  { name: LM, args: ["lm", "train", "--threads", "2", "--set", "data.shards=2"] },
  ...[NONE, "sync-15", "sync-50", "sync-100", "local-100", "local-1000"].map((name): Way => {
    return { name, args: ["gradient", "train", "--workers", "2", "--compress", name] };
  }),
];
/** All ways in turn, so that each meets what else the machine does. */
const ROUNDS = 3;
/** Enough that what is compiled on the way, and the first few steps, whose thresholds are chosen anew, weigh little. */
const STEPS = 150;
const QUICK_STEPS = 20;

/** Steps a second with two workers on this machine, compressed and not, beside two threads that share their memory. */
export const speedPart: BenchPart<TrainPlace> = { name: "speed", run: measureSpeed };

async function measureSpeed({ text, folder, isQuick, say }: TrainPlace): Promise<PartFindings> {
  const steps = isQuick ? QUICK_STEPS : STEPS;
  const best = new Map<string, Speed>();
  for (let round = 0; round < (isQuick ? 1 : ROUNDS); round += 1) {
    for (const way of WAYS) {
      const speed = await speedOf(way, text, join(folder, `${way.name}-${round}`), steps);
      say(`${way.name}: ${speed.stepMs.toFixed(1)} ms`);
      const before = best.get(way.name) ?? speed;
      best.set(way.name, {
        name: way.name,
        stepMs: Math.min(before.stepMs, speed.stepMs),
        cpuSeconds: Math.min(before.cpuSeconds, speed.cpuSeconds),
        peakRssMB: Math.max(before.peakRssMB, speed.peakRssMB),
      });
    }
  }
  const rows = [...best.values()];
  const msOf = (name: string) => best.get(name)?.stepMs ?? Number.NaN;
  const compressed = rows.filter(({ name }) => name !== LM && name !== NONE);
  return {
    tables: [
      {
        title: `A step of nanoGPT's CPU recipe by two workers of one machine, fastest of ${isQuick ? 1 : ROUNDS} rounds of ${steps} steps`,
        columns: ["way", "ms", "steps/s", "of none's speed, %", "of two threads' speed, %", "CPU s, all", "peak MB"],
        rows: rows.map(({ name, stepMs, cpuSeconds, peakRssMB }) => [
          ...[name, stepMs.toFixed(1), (1000 / stepMs).toFixed(1)],
          ...[msOf(NONE), msOf(LM)].map((ms) => ((100 * ms) / stepMs).toFixed(0)),
          ...[cpuSeconds.toFixed(1), peakRssMB.toFixed(0)],
        ]),
      },
    ],
    goals: [
      ...compressed.map(({ name, stepMs }) => ({
        what: `training speed with ${name}, over none`,
        ...{ measured: (100 * msOf(NONE)) / stepMs, unit: "%", must: { atLeast: 85 } },
      })),
      {
        what: "steps a second with two workers, slowest way",
        measured: Math.min(...compressed.map(({ stepMs }) => 1000 / stepMs)),
        ...{ unit: "", must: { atLeast: 5 } },
      },
      {
        what: "memory of the process with both workers, at most",
        measured: Math.max(...compressed.map(({ peakRssMB }) => peakRssMB)),
        ...{ unit: "MB", must: { below: 1000 } },
      },
    ],
    notes: [
      "Speed: the ways are run in turn; a step's time is that of training alone. *none* sends every number to the other worker, *lm train* has both halves of the batch in one memory and sends nothing.",
    ],
    json: { speed: { steps, rows } },
  };
}

async function speedOf({ name, args }: Way, text: string, out: string, steps: number): Promise<Speed> {
  const [command = "", what = "", ...options] = args;
  const recipe = ["--recipe", "nanogpt-cpu", "--steps", `${steps}`, "--set", `evalEvery=${steps}`];
  const run = await runLockstep([
    ...[command, what, text, "--out", out, ...options, ...recipe],
    ...["--set", "evalBatches=1", "--json"],
  ]);
  const { seconds } = JSON.parse(run.stdout) as { readonly seconds: number };
  return { name, stepMs: (1000 * seconds) / steps, cpuSeconds: run.cpuSeconds, peakRssMB: run.peakRssMB };
}
