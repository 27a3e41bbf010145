import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  calibrate,
  checkRunConfig,
  RECIPES,
  type RehearsalResult,
  type RunConfig,
  rehearse,
  TopologyMask,
} from "@lockstep/cloud-node/lab";
import { runDigest } from "./gradient-digest.ts";
import type { GradientCase } from "./gradient-plan.ts";

/** Workers of every run. */
export const WORKERS = 2;
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

/** Of what is kept: results of another format are made anew. */
const FORMAT = 2;
/** Steps that a mask is chosen after. */
const CALIBRATION_STEPS = 20;

/** What a method came to with one seed. */
export interface GradientRun extends RehearsalResult {
  readonly format: typeof FORMAT;
  readonly method: string;
  readonly seed: number;
  /** Of what it was made: another row's, or another version's, counts for nothing. */
  readonly digest: string;
  /** ISO 8601, when it ended. */
  readonly date: string;
  /** Of the whole process, training and all workers included. */
  readonly cpuSeconds: number;
}

/** The result of a run: read where it was kept, made and kept where not. */
export async function runOf(scale: Scale, row: GradientCase, seed: number, text: string): Promise<GradientRun> {
  const { name } = row;
  const file = runFile(scale, name, seed);
  const kept = keptRun(scale, row, seed);
  if (kept !== undefined) return kept;
  const config: RunConfig = checkRunConfig({ ...scale.config, seed });
  const begun = cpuSeconds();
  const mask = await maskOf(row, config, text);
  const result = await rehearse({
    ...{ config, text, workers: WORKERS, lastEvalBatches: LAST_EVAL_BATCHES, cpuSeconds },
    createMethod: (layout, options) => row.createMethod(layout, { ...options, mask }),
  });
  const about = { digest: digestOf(scale, row, seed), date: new Date().toISOString() };
  const spent = cpuSeconds() - begun;
  const run: GradientRun = { format: FORMAT, method: name, seed, ...about, ...result, cpuSeconds: spent };
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(`${file}.new`, JSON.stringify(run));
  renameSync(`${file}.new`, file);
  return run;
}

/** What was measured before with the same configuration, method and kernels, if it was. */
export function keptRun(scale: Scale, row: GradientCase, seed: number): GradientRun | undefined {
  const file = runFile(scale, row.name, seed);
  if (!existsSync(file)) return undefined;
  const run = JSON.parse(readFileSync(file, "utf8")) as GradientRun;
  return run.format === FORMAT && run.digest === digestOf(scale, row, seed) ? run : undefined;
}

/** Of all that a run's figures depend on, but for the text. */
function digestOf({ config: settled }: Scale, { name, maskShare, settings }: GradientCase, seed: number): string {
  const config = checkRunConfig({ ...settled, seed });
  const mask = maskShare === undefined ? undefined : { share: maskShare, steps: CALIBRATION_STEPS };
  return runDigest({ name, settings, mask, config, workers: WORKERS, lastEvalBatches: LAST_EVAL_BATCHES });
}

/** The calmest matrices of the training that is to be made, where a row has a mask. */
async function maskOf({ maskShare }: GradientCase, config: RunConfig, text: string): Promise<TopologyMask | undefined> {
  if (maskShare === undefined) return undefined;
  const variances = await calibrate({ config, text, workers: WORKERS, steps: CALIBRATION_STEPS });
  return variances && TopologyMask.ofShare(variances, maskShare);
}

/** Of this process until now. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function runFile(scale: Scale, method: string, seed: number): string {
  return join(FOLDER, `${scale.name}.${method.toLowerCase().replaceAll(" ", "-")}.${seed}.json`);
}
