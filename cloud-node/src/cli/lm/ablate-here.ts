import { availableParallelism } from "node:os";
import { join } from "node:path";
import { formatCounted } from "../../api/number-text.ts";
import type { CellResult, FinishedCell } from "../../workloads/language-model/ablation.ts";
import { Checkpoint } from "../../workloads/language-model/checkpoint.ts";
import { LanguageModelError } from "../../workloads/language-model/language-model-error.ts";
import { BACKEND_CHOICES, type BackendChoice, openBackend } from "../../workloads/language-model/open-backend.ts";
import type { RunConfig } from "../../workloads/language-model/run-config.ts";
import { checkpointOf } from "../../workloads/language-model/run-folder.ts";
import type { RunSummary } from "../../workloads/language-model/run-summary.ts";
import type { Tokenizer } from "../../workloads/language-model/tokenizer.ts";
import { trainModel } from "../../workloads/language-model/train-model.ts";
import { CommandError } from "../command-error.ts";
import type { AblateCommandOptions } from "../lm.ts";
import type { Surroundings } from "../surroundings.ts";
import { readText, readTokenizer } from "./read-run-options.ts";
import type { PlannedCell } from "./run-ablate.ts";
import { TrainingLine } from "./training-line.ts";
import { vectorBitsOf } from "./vector-bits.ts";

/** Train run after run, each in a folder of its own. What an ablation before it finished is not done again. */
export async function ablateHere(
  surroundings: Surroundings,
  textName: string,
  cells: readonly PlannedCell[],
  options: AblateCommandOptions,
): Promise<CellResult[]> {
  const { stderr, clock, interrupt } = surroundings;
  const text = await readText(textName);
  const tokenizer = await readTokenizer(options.tokenizer);
  const { threads = availableParallelism(), backend = BACKEND_CHOICES[0] } = options;
  const vectorBits = vectorBitsOf(surroundings.env);
  const line = new TrainingLine(stderr, clock);
  const results: CellResult[] = [];
  try {
    for (const [index, { cell, config }] of cells.entries()) {
      line.begin(`${index + 1}/${cells.length} ${cell.name}`);
      const out = join(options.out, cell.name);
      const checkpoint = options.force === true ? undefined : await begunRun(out, { config, backend, tokenizer });
      try {
        const summary = await trainModel({
          // Where there is no checkpoint, nothing is lost with what else a run left.
          ...{ config, text, out, isReplaced: checkpoint === undefined, tokenizer, checkpoint },
          openBackend: (shards) => openBackend({ name: backend, shards, threads, vectorBits }),
          signal: interrupt,
          nowMs: () => clock.nowMs(),
          memoryBytes: () => process.memoryUsage.rss(),
          onStep: (step, loss, tokens) => line.step(step, config.steps, loss, tokens),
          onJudging: (step, done, all) => line.judging(step, config.steps, done, all),
          onWarning: (warning) => line.say(warning),
        });
        if (summary.isStopped) throw stopped(index);
        results.push({ cell, ...resultOf(summary) });
      } catch (error) {
        if (!(error instanceof LanguageModelError) || error.code !== "loss-not-finite") throw error;
        line.say(`${cell.name}: ${error.problem}`);
        results.push({ cell, divergence: error.problem });
      } finally {
        await checkpoint?.close();
      }
    }
  } finally {
    line.clear();
  }
  return results;
}

/** What makes two runs of an ablation comparable, and one the same as another. */
interface RunIdentity {
  readonly config: RunConfig;
  readonly backend: BackendChoice;
  readonly tokenizer: Tokenizer | undefined;
}

/** The run of an ablation before, where there is one that is the same. @throws {CommandError} `usage` */
async function begunRun(out: string, { config, backend, tokenizer }: RunIdentity): Promise<Checkpoint | undefined> {
  const isSame = (checkpoint: Checkpoint): boolean =>
    JSON.stringify(checkpoint.config) === JSON.stringify(config) &&
    checkpoint.backend === (config.engine === "scalar" ? "scalar" : backend) &&
    (tokenizer === undefined || JSON.stringify(checkpoint.tokenizer.toJson()) === JSON.stringify(tokenizer.toJson()));
  try {
    const checkpoint = await Checkpoint.open(await checkpointOf(out, "newest"));
    if (isSame(checkpoint)) return checkpoint;
    await checkpoint.close();
  } catch (error) {
    if (error instanceof LanguageModelError && error.code === "no-checkpoint") return undefined;
    throw error;
  }
  throw new CommandError(
    "usage",
    `${out} has a run with other options, or of another backend or tokenizer`,
    "name another folder, or add --force",
  );
}

function stopped(done: number): CommandError {
  const kept = "the same command goes on with them";
  return new CommandError("interrupted", `stopped after ${formatCounted(done, "run")}`, kept);
}

function resultOf({ parameters, tokensPerSecond, final }: RunSummary): Omit<FinishedCell, "cell"> {
  const { trainLoss, valLoss, valBitsPerByte } = final ?? {
    trainLoss: Number.NaN,
    valLoss: Number.NaN,
    valBitsPerByte: Number.NaN,
  };
  return { parameters, tokensPerSecond, trainLoss, valLoss, valBitsPerByte };
}
