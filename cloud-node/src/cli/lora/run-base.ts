import { formatCount } from "../../api/number-text.ts";
import { BASE_SIZES, makeBase } from "../../workloads/lora/make-base.ts";
import { CommandError } from "../command-error.ts";
import { TrainingLine } from "../lm/training-line.ts";
import type { BaseCommandOptions } from "../lora.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";
import { computeOf } from "./open-compute.ts";

/** `lockstep lora base`. */
export async function runBase(surroundings: Surroundings, options: BaseCommandOptions): Promise<void> {
  const { out, json } = options;
  const { sha256, run } = await makeBaseHere(surroundings, options);
  const lines = [
    `${out}: ${formatCount(run.parameters)} parameters, ${formatCount(run.vocabulary)} tokens, ${run.seconds.toFixed(1)} s of training`,
    `  model.safetensors has SHA-256 ${sha256}`,
  ];
  await writeResult(surroundings, json, { model: out, sha256, ...run }, lines.join("\n"));
}

/** Make the model, its training told on standard error. @throws {CommandError} `interrupted` */
export async function makeBaseHere(
  surroundings: Surroundings,
  options: Pick<BaseCommandOptions, "out" | "quick" | "force" | "seed" | "backend" | "device" | "threads">,
) {
  const { stderr, clock, interrupt } = surroundings;
  const { out, quick, force, seed } = options;
  const size = quick === true ? BASE_SIZES.quick : BASE_SIZES.usual;
  const { steps } = size.run;
  const line = new TrainingLine(stderr, clock);
  try {
    const made = await makeBase({
      ...{ size, out, seed, isReplaced: force === true, openBackend: computeOf(surroundings, options) },
      signal: interrupt,
      nowMs: () => clock.nowMs(),
      memoryBytes: () => process.memoryUsage.rss(),
      onStep: (step, loss, tokens) => line.step(step, steps, loss, tokens),
      onJudging: (step, done, all) => line.judging(step, steps, done, all),
      onEvaluation: (row) => line.evaluation(row),
      onWarning: (warning) => line.say(warning),
    });
    if (made.sha256 === undefined) throw new CommandError("interrupted", "stopped", "begin again with --force");
    return made;
  } finally {
    line.clear();
  }
}
