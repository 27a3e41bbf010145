import { appendFile, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { CONFIG_FILE } from "../../workloads/distillation/distillation-config.ts";
import { DistillationError } from "../../workloads/distillation/distillation-error.ts";
import { REGISTRY_FILE } from "../../workloads/distillation/registry-csv.ts";
import { beginRunFolder, isRunBegun, readRunFolder } from "../../workloads/distillation/run-folder.ts";
import type { RunPlan } from "../../workloads/distillation/run-plan.ts";
import { memoryPlan, stepsOf } from "../../workloads/distillation/run-stages.ts";
import { retentionBars, runStatus, statusDiagram } from "../../workloads/distillation/run-status.ts";
import { stepsHere } from "../../workloads/distillation/run-step-here.ts";
import { runSteps } from "../../workloads/distillation/run-steps.ts";
import { STAGES } from "../../workloads/distillation/stages.ts";
import type { Step } from "../../workloads/distillation/step.ts";
import type { StepRunner } from "../../workloads/distillation/step-output.ts";
import { openBackend } from "../../workloads/language-model/open-backend.ts";
import { CommandError } from "../command-error.ts";
import type { RunDistillOptions } from "../distill.ts";
import { vectorBitsOf } from "../lm/vector-bits.ts";
import { ProgressLine } from "../progress-line.ts";
import { writeResult } from "../result-output.ts";
import type { Surroundings } from "../surroundings.ts";
import { openStepJobs } from "./step-jobs.ts";

/** Beside the evidence: what a run said, for people. */
const LOG_FILE = "run.log";
const USUAL_SEED = 42;

/** `lockstep distill run`. */
export async function runDistill(
  surroundings: Surroundings,
  folder: string,
  options: RunDistillOptions,
): Promise<void> {
  const { quick, seed, dryRun, until, queue, json } = options;
  const isBegun = await isRunBegun(folder);
  if (dryRun === true && !isBegun) {
    const problem = `${folder} has not both ${CONFIG_FILE} and ${REGISTRY_FILE}`;
    throw new CommandError("file", problem, "write them, or run without --dry-run");
  }
  if (!isBegun) await beginRunFolder(folder, quick === true ? "quick" : "usual", seed ?? USUAL_SEED);
  const plan = await readRunFolder(folder);
  refuseOthers(folder, plan, options);
  const steps = stepsOf(plan).filter(({ stage }) => isWithin(stage, until));
  if (dryRun === true) {
    await writeDryRun(surroundings, folder, plan, steps, json);
    return;
  }
  checkMemory(plan);
  const told = new Told(surroundings, folder);
  const jobs = queue === undefined ? undefined : await openStepJobs(surroundings, folder, { ...options, queue });
  try {
    const here = runHere(surroundings, plan, told);
    const runner: StepRunner = async (step, ...rest) =>
      await (step.isHere === true ? here : (jobs?.runner ?? here))(step, ...rest);
    await runSteps(folder, steps, runner, {
      // One process computes one step after the other; workers may be as many as there are steps.
      atOnce: jobs === undefined ? 1 : steps.length,
      onStep: (step, isDone) => told.step(step, isDone),
      confirmRemoval: async (paths) => options.yes === true || (await askYes(surroundings, folder, paths)),
    });
  } catch (error) {
    if (!surroundings.interrupt.aborted) throw error;
    const remedy = "the same command goes on from there";
    throw new CommandError("interrupted", `stopped in ${told.place}`, remedy, { cause: error });
  } finally {
    told.clear();
    await jobs?.close();
  }
  const stages = await runStatus(folder, stepsOf(plan));
  const lines = [statusDiagram(stages), ...retentionBars(stages)];
  await writeResult(surroundings, json, { folder, stages }, lines.join("\n"));
}

/** What a folder says is not overruled in silence. @throws {CommandError} `refused` */
function refuseOthers(folder: string, { config }: RunPlan, { quick, seed }: RunDistillOptions): void {
  const path = join(folder, CONFIG_FILE);
  const remedy = "leave the option out, or begin another folder";
  if (seed !== undefined && seed !== config.seed) {
    throw new CommandError("refused", `${path} says seed ${config.seed}, and --seed ${seed}`, remedy);
  }
  if (quick === true && config.preset !== "quick") {
    throw new CommandError("refused", `${path} says preset ${config.preset}, and --quick another`, remedy);
  }
}

function isWithin(stage: Step["stage"], until: Step["stage"] | undefined): boolean {
  const place = (name: Step["stage"] | undefined) => STAGES.findIndex((each) => each.name === name);
  return until === undefined || place(stage) <= place(until);
}

/** @throws {DistillationError} `memory-limit` where a step would take more than the configuration allows */
function checkMemory(plan: RunPlan): void {
  const { memoryMB } = plan.config.limits;
  for (const [stage, estimate] of memoryPlan(plan)) {
    if (estimate <= memoryMB) continue;
    const problem = `stage ${stage} takes about ${estimate} MiB of memory, and ${memoryMB} is its limit`;
    throw new DistillationError("memory-limit", problem, "raise limits.memoryMB, or make batches or models smaller");
  }
}

async function writeDryRun(
  surroundings: Surroundings,
  folder: string,
  plan: RunPlan,
  steps: readonly Step[],
  json: boolean | undefined,
): Promise<void> {
  const memory = memoryPlan(plan);
  const stages = await runStatus(folder, steps);
  const rows = steps.map(({ stage, name, inputs, output, removes }) => {
    const isDone = stages.some(({ evidence }) => evidence.some((found) => found.name === name));
    return { stage, name, inputs, output, isDone, memoryMB: memory.get(stage), removes: removes?.paths ?? [] };
  });
  const lines = rows.flatMap(({ stage, name, inputs, output, isDone, memoryMB, removes }) => [
    `${isDone ? "done " : "to do"} ${stage.padEnd(12)} ${name.padEnd(20)} about ${memoryMB} MiB  -> ${output}`,
    ...(inputs.length === 0 ? [] : [`        reads ${inputs.join(", ")}`]),
    ...(removes.length === 0 ? [] : [`        takes away ${removes.join(", ")}`]),
  ]);
  await writeResult(surroundings, json, { folder, steps: rows }, lines.join("\n"));
}

function runHere({ clock, interrupt, env }: Surroundings, plan: RunPlan, told: Told): StepRunner {
  const vectorBits = vectorBitsOf(env);
  return stepsHere({
    backend: async (shards = 1) => await openBackend({ name: "wasm-strict", shards, threads: 1, vectorBits }),
    nowMs: () => clock.nowMs(),
    residentBytes: () => process.memoryUsage.rss(),
    ...{ signal: interrupt, memoryMB: plan.config.limits.memoryMB },
    onProgress: (_, fraction, note) => told.progress(fraction, note),
    onLog: (step, line) => told.log(step, line),
    onLoss: (_, at, loss) => told.progress(0, `step ${at}, loss ${loss.toFixed(3)}`),
  });
}

/** What a person sees of a run as it goes, and what is kept of it. */
class Told {
  readonly #stderr: Surroundings["stderr"];
  readonly #log: string;
  readonly #line: ProgressLine;
  #step: Step | undefined;

  constructor({ stderr, clock }: Surroundings, folder: string) {
    this.#stderr = stderr;
    this.#log = join(folder, LOG_FILE);
    this.#line = new ProgressLine(stderr, clock, "distill", "");
  }

  get place(): string {
    return this.#step === undefined ? "the beginning" : `stage ${this.#step.stage}, ${this.#step.name}`;
  }

  step(step: Step, isDone: boolean): void {
    this.#step = step;
    this.#line.clear();
    if (isDone) return;
    const stage = STAGES.find(({ name }) => name === step.stage);
    this.#stderr.write(`stage ${stage?.number} ${step.stage}: ${step.name}\n`);
  }

  progress(fraction: number, note: string): void {
    this.#line.name(note);
    this.#line.update(fraction, 1);
  }

  log(step: Step, line: string): void {
    this.#line.clear();
    this.#stderr.write(`${step.name}: ${line}\n`);
    // Nothing waits for it: the log is for people, and what counts is evidence.
    void appendFile(this.#log, `${step.name}: ${line}\n`).catch(() => {});
  }

  clear(): void {
    this.#line.clear();
  }
}

/** Teachers are not given back by anything. */
async function askYes(
  { stdin, stderr, interrupt }: Surroundings,
  folder: string,
  paths: readonly string[],
): Promise<boolean> {
  if (stdin.isTTY !== true) return false;
  for (const path of paths) {
    const place = await realpath(join(folder, path));
    const { mtime } = await stat(place);
    stderr.write(`  ${place}, of ${mtime.toISOString().slice(0, 10)}\n`);
  }
  const lines = createInterface({ input: stdin, output: stderr });
  try {
    const answer = await lines.question("Delete these teachers for good? Type yes: ", { signal: interrupt });
    return answer.trim().toLowerCase() === "yes";
  } finally {
    lines.close();
  }
}
