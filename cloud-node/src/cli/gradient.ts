import { type Command, InvalidArgumentError, Option } from "commander";
import { WORKER_DEFAULTS } from "../jobs/worker-defaults.ts";
import { PRESETS, type Preset } from "../workloads/gradient/method.ts";
import { DEFAULT_STALENESS, MOST_STALENESS } from "../workloads/gradient/topology-mask.ts";
import { TRAIN_DEFAULTS } from "./gradient/train-defaults.ts";
import { QUEUE_HELP } from "./jobs/open-door.ts";
import type { RunCommandOptions } from "./lm/read-run-options.ts";
import { configOptions, type TrainCommandOptions } from "./lm.ts";
import { CA_HELP, TOKEN_FILE_HELP } from "./node-token.ts";
import { parseMemory, parseNonNegative, parsePositive, parsePositiveCount, parseShare } from "./option-values.ts";
import type { Surroundings } from "./surroundings.ts";

/** What `gradient train` takes: what `lm train` does, but for where it is computed. */
export interface GradientTrainOptions extends Omit<TrainCommandOptions, "engine" | "backend" | "threads"> {
  readonly workers?: number;
  readonly compress?: Preset;
  readonly patience?: number;
  readonly mask?: string;
  readonly memory?: number;
  readonly queue?: string;
  readonly tokenFile?: string;
  readonly ca?: string;
}

/** What `gradient calibrate` takes. */
export interface CalibrateOptions extends RunCommandOptions {
  readonly out: string;
  readonly workers: number;
  readonly calibrationSteps: number;
  readonly share: number;
  readonly threshold?: number;
  readonly staleness: number;
  readonly json?: boolean;
}

/** What `gradient report` takes. */
export interface ReportOptions {
  readonly out: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** Matrices that are masked where nobody says how many. */
const USUAL_SHARE = 0.3;
/** Gradients after which the order of variances hardly changes any more. */
const CALIBRATION_STEPS = 20;

const TRAIN_HELP = `
Each worker learns from its share of every batch, and what they learned is sent, put
together and applied by all: the same bits everywhere. Recipes and options are those
of lockstep lm train; data.rows has to be a multiple of the workers.

Without --queue all workers are threads of this process. With it the run is a job,
done by workers (lockstep worker) that wait on any machine: a thread for each. One
that dies is gone on without, and whoever takes its place is brought up to date.

RUN gets what lockstep lm train leaves, and exchange.json and .csv: bytes by step and part.

Examples:
  $ lockstep gradient train book.txt --out run --recipe tiny
  $ lockstep gradient train book.txt --out run --workers 3 --steps 1000
  $ lockstep gradient train book.txt --out run --compress sync-50 --mask mask.json
  $ lockstep gradient train book.txt --out run --workers 4 --queue nats://queue:4222`;

const CALIBRATE_HELP = `
One worker's part of the training is made for a few steps, and how much its own
gradients vary from step to step is measured, tensor by tensor. The calmest
matrices become passengers, which are sent in turns; tables, head and gains never
do. Recipes and options are those of the training that the mask is for.

MASK is JSON, to be read and changed; beside it is MASK.svg, variance by layer.

Examples:
  $ lockstep gradient calibrate book.txt --out mask.json --recipe tiny
  $ lockstep gradient calibrate book.txt --out mask.json --threshold 1e-7`;

const REPORT_HELP = `
BASELINE and RUN are folders of lockstep gradient train, BASELINE usually one with
--compress none. Losses are compared at the last step; seconds are those of the
runs, so make them on one machine, and time that lines of some speed would take is
added: at which speed compression pays.

DIR gets loss.svg, links.svg, report.md and report.json.

Example:
  $ lockstep gradient report plain small --out compared`;

/** `lockstep gradient`: one model, trained by several workers. */
export function addGradient(program: Command, surroundings: Surroundings): void {
  const gradient = program
    .command("gradient")
    .summary("one language model, trained by several workers over thin wires")
    .description("Train one language model on several workers that send each other little.")
    .addHelpText("after", "\nExample:\n  $ lockstep gradient train book.txt --out run --workers 2");
  const train = gradient
    .command("train")
    .summary("a model from a text, by several workers")
    .description("Train a model from a text on several workers.")
    .argument("<TEXT>", "text in UTF-8")
    .requiredOption("--out <RUN>", "folder of the run");
  configOptions(train)
    .option("--workers <N>", `how many learn together (default: ${TRAIN_DEFAULTS.workers})`, parsePositiveCount)
    .addOption(
      new Option(
        "--compress <PRESET>",
        `how what they send is compressed (default: ${TRAIN_DEFAULTS.compress})`,
      ).choices(PRESETS),
    )
    .option("--mask <FILE>", "tensors that are sent in turns: what gradient calibrate wrote")
    .option(
      "--patience <SECONDS>",
      `a step waits so long for a worker, and goes on without it (default: ${TRAIN_DEFAULTS.patience})`,
      parsePositive,
    )
    .addOption(
      new Option("--memory <MIB>", `of each worker here, heap and buffers (default: ${WORKER_DEFAULTS.memoryMb})`)
        .argParser(parseMemory)
        .conflicts("queue"),
    )
    .option("--queue <URL>", `hand the run in as a job: ${QUEUE_HELP}`)
    .option("--token-file <FILE>", TOKEN_FILE_HELP)
    .option("--ca <FILE>", CA_HELP)
    .addOption(new Option("--resume", "go on with the run that was stopped in RUN").conflicts("queue"))
    .option("--force", "write over a run that is in RUN")
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", TRAIN_HELP)
    .action(async (text: string, options: GradientTrainOptions) => {
      const { runTrain } = await import("./gradient/run-train.ts");
      await runTrain(surroundings, text, options);
    });
  addCalibrate(gradient, surroundings);
  addReport(gradient, surroundings);
}

function addCalibrate(gradient: Command, surroundings: Surroundings): void {
  const calibrate = gradient
    .command("calibrate")
    .summary("which tensors may be sent in turns, and a plot of why")
    .description("Measure how gradients vary, and choose the tensors that may be sent in turns.")
    .argument("<TEXT>", "text in UTF-8")
    .requiredOption("--out <MASK>", "file of the mask");
  configOptions(calibrate)
    .option("--workers <N>", "how many share a batch", parsePositiveCount, 2)
    .option("--calibration-steps <N>", "gradients that are measured, 2 or more", parsePositiveCount, CALIBRATION_STEPS)
    .option("--share <S>", "of the matrices, the calmest", parseShare, USUAL_SHARE)
    .addOption(
      new Option("--threshold <V>", "matrices of less variance, in place of a share")
        .argParser(parseNonNegative)
        .conflicts("share"),
    )
    .option("--staleness <N>", "each is sent in one of so many rounds", parseStaleness, DEFAULT_STALENESS)
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", CALIBRATE_HELP)
    .action(async (text: string, options: CalibrateOptions) => {
      const { runCalibrate } = await import("./gradient/run-calibrate.ts");
      await runCalibrate(surroundings, text, options);
    });
}

function addReport(gradient: Command, surroundings: Surroundings): void {
  gradient
    .command("report")
    .summary("runs beside each other: losses, bytes, and when compression pays")
    .description("Compare runs with a baseline: losses, bytes by part, and time over lines of some speeds.")
    .argument("<BASELINE>", "folder of a run")
    .argument("<RUN...>", "folders of runs")
    .requiredOption("--out <DIR>", "folder of the report")
    .option("--force", "write over a report that is in DIR")
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", REPORT_HELP)
    .action(async (baseline: string, runs: string[], options: ReportOptions) => {
      const { runReport } = await import("./gradient/run-report.ts");
      await runReport(surroundings, [baseline, ...runs], options);
    });
}

function parseStaleness(text: string): number {
  const rounds = parsePositiveCount(text);
  if (rounds <= MOST_STALENESS) return rounds;
  throw new InvalidArgumentError(`write a whole number up to ${MOST_STALENESS}`);
}
