import { availableParallelism } from "node:os";
import { formatCount, formatQuantity } from "../../api/number-text.ts";
import { Checkpoint } from "../../workloads/language-model/checkpoint.ts";
import { BACKEND_CHOICES, type BackendChoice, openBackend } from "../../workloads/language-model/open-backend.ts";
import { checkpointOf } from "../../workloads/language-model/run-folder.ts";
import type { RunSummary } from "../../workloads/language-model/run-summary.ts";
import { trainModel } from "../../workloads/language-model/train-model.ts";
import { CommandError } from "../command-error.ts";
import type { TrainCommandOptions } from "../lm.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";
import { readRunConfig, readText, readTokenizer } from "./read-run-options.ts";
import { TrainingLine } from "./training-line.ts";
import { checkUnchanged } from "./unchanged-run.ts";
import { vectorBitsOf } from "./vector-bits.ts";

/** `lockstep lm train`. */
export async function runTrain(
  surroundings: Surroundings,
  textName: string,
  options: TrainCommandOptions,
): Promise<void> {
  const { stderr, clock, interrupt } = surroundings;
  const { out, resume, force, json, threads = availableParallelism() } = options;
  const vectorBits = vectorBitsOf(surroundings.env);
  const text = await readText(textName);
  const checkpoint = resume === true ? await openCheckpoint(options) : undefined;
  const line = new TrainingLine(stderr, clock);
  let summary: RunSummary;
  try {
    const config = checkpoint?.config ?? (await readRunConfig(options));
    const backend = backendOf(options, checkpoint, (warning) => line.say(warning));
    const tokenizer = await readTokenizer(options.tokenizer);
    summary = await trainModel({
      ...{ config, text, out, isReplaced: force === true, tokenizer, checkpoint },
      openBackend: (shards) => openBackend({ name: backend, shards, threads, vectorBits }),
      signal: interrupt,
      nowMs: () => clock.nowMs(),
      memoryBytes: () => process.memoryUsage.rss(),
      onStep: (step, loss, tokens) => line.step(step, config.steps, loss, tokens),
      onJudging: (step, done, all) => line.judging(step, config.steps, done, all),
      onEvaluation: (row) => line.evaluation(row),
      onWarning: (warning) => line.say(warning),
    });
  } finally {
    line.clear();
    await checkpoint?.close();
  }
  if (summary.isStopped) {
    const kept = `${out} keeps a checkpoint: go on with --resume`;
    throw new CommandError("interrupted", `stopped after step ${summary.steps} of ${summary.config.steps}`, kept);
  }
  await writeResult(surroundings, json, { run: out, ...summary }, resultText(out, summary));
}

async function openCheckpoint(options: TrainCommandOptions): Promise<Checkpoint> {
  const { out, recipe, config, set, steps, seed, engine, tokenizer, force } = options;
  checkUnchanged(out, { recipe, config, steps, seed, engine, tokenizer, force, set: set[0] });
  return await Checkpoint.open(await checkpointOf(out, "newest"));
}

/** A run goes on with the backend that it had, or else with the one that is asked for, which is then told. */
function backendOf(
  { backend }: TrainCommandOptions,
  checkpoint: Checkpoint | undefined,
  say: (line: string) => void,
): BackendChoice {
  const before = checkpoint === undefined || checkpoint.backend === "scalar" ? undefined : checkpoint.backend;
  if (before !== undefined && backend !== undefined && backend !== before) {
    say(`it was computed by ${before} up to here, and goes on with ${backend}: not with the same bits`);
  }
  return backend ?? before ?? BACKEND_CHOICES[0];
}

function resultText(out: string, summary: RunSummary): string {
  const { parameters, final, best, steps, tokensPerSecond, seconds, memoryBytes } = summary;
  const losses =
    final === null ? "" : `, loss ${final.valLoss.toFixed(4)} nats, ${final.valBitsPerByte.toFixed(4)} bits per byte`;
  const lines = [
    `${out}: ${formatCount(parameters)} parameters, ${formatCount(steps)} steps${losses}`,
    `  ${seconds.toFixed(1)} s of training, ${formatCount(Math.round(tokensPerSecond))} tokens/s, ${formatQuantity(memoryBytes, "B", "up")}`,
  ];
  if (best !== null && final !== null && best.step !== final.step) {
    lines.push(`  best after step ${best.step}: ${best.loss.toFixed(4)} nats`);
  }
  return [...lines, `  lockstep lm sample ${out}`].join("\n");
}
