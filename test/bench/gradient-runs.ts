import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkRunConfig, RECIPES, type RunConfig, rehearse } from "@lockstep/cloud-node/lab";
import type { GradientCase } from "./gradient-plan.ts";

/** Workers of every run. */
const WORKERS = 2;
/** Batches that the figure of a run is taken over: half of what TinyShakespeare keeps to judge by. */
const LAST_EVAL_BATCHES = 100;
/** Where results are kept: a bench that was stopped goes on there. */
const FOLDER = fileURLToPath(new URL("../../.lockstep/gradient/", import.meta.url));

/** The training that methods are compared in. */
export const SCALES = {
  full: { name: "nanogpt-cpu", seeds: [1, 2], config: { ...RECIPES["nanogpt-cpu"], steps: 1000, evalEvery: 100 } },
  quick: {
    name: "small",
    seeds: [1],
    config: {
      model: { layers: 2, heads: 2, width: 64, context: 32 },
      data: { rows: 12 },
      schedule: { warmup: 40 },
      optimizer: { learningRate: 2e-3 },
      ...{ steps: 400, evalEvery: 100, evalBatches: 10 },
    },
  },
} as const;

export type Scale = (typeof SCALES)[keyof typeof SCALES];

/** What a method came to with one seed. */
export interface GradientRun {
  readonly method: string;
  readonly seed: number;
  readonly parameters: number;
  readonly bytesPerStep: number;
  readonly valLoss: number;
  readonly curve: readonly { readonly step: number; readonly valLoss: number }[];
  /** Of the whole process, training and all workers included. */
  readonly cpuSeconds: number;
}

/** The result of a run: read where it was kept, made and kept where not. */
export async function runOf(scale: Scale, { name, createMethod }: GradientCase, seed: number, text: string) {
  const file = runFile(scale, name, seed);
  const kept = keptRun(scale, name, seed);
  if (kept !== undefined) return kept;
  const config: RunConfig = checkRunConfig({ ...scale.config, seed });
  const start = process.cpuUsage();
  const result = await rehearse({ config, text, workers: WORKERS, createMethod, lastEvalBatches: LAST_EVAL_BATCHES });
  const { user, system } = process.cpuUsage(start);
  const run: GradientRun = { method: name, seed, ...result, cpuSeconds: (user + system) / 1e6 };
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(`${file}.new`, JSON.stringify(run));
  renameSync(`${file}.new`, file);
  return run;
}

/** What was measured before, if it was. */
export function keptRun(scale: Scale, method: string, seed: number): GradientRun | undefined {
  const file = runFile(scale, method, seed);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as GradientRun) : undefined;
}

function runFile(scale: Scale, method: string, seed: number): string {
  return join(FOLDER, `${scale.name}.${method.toLowerCase().replaceAll(" ", "-")}.${seed}.json`);
}
