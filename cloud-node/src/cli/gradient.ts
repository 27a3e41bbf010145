import { type Command, Option } from "commander";
import { PRESETS, type Preset } from "../workloads/gradient/method.ts";
import { QUEUE_HELP } from "./jobs/open-door.ts";
import { configOptions, type TrainCommandOptions } from "./lm.ts";
import { CA_HELP, TOKEN_FILE_HELP } from "./node-token.ts";
import { parsePositive, parsePositiveCount } from "./option-values.ts";
import type { Surroundings } from "./surroundings.ts";

/** What `gradient train` takes: what `lm train` does, but for where it is computed. */
export interface GradientTrainOptions extends Omit<TrainCommandOptions, "engine" | "backend" | "threads"> {
  readonly workers: number;
  readonly compress: Preset;
  readonly patience: number;
  readonly queue?: string;
  readonly tokenFile?: string;
  readonly ca?: string;
}

const TRAIN_HELP = `
Each worker learns from its share of every batch, and what they learned is sent, put
together and applied by all: the same bits everywhere. Recipes and options are those
of lockstep lm train; data.rows has to be a multiple of the workers.

Without --queue all workers are threads of this process. With it the run is a job,
done by workers (lockstep worker) that wait on any machine: a thread for each. One
that dies is gone on without, and whoever takes its place is brought up to date.

RUN gets what lockstep lm train leaves, and exchange.json and .csv: every byte sent.

Examples:
  $ lockstep gradient train book.txt --out run --recipe tiny
  $ lockstep gradient train book.txt --out run --workers 3 --steps 1000
  $ lockstep gradient train book.txt --out run --workers 4 --queue nats://queue:4222`;

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
    .option("--workers <N>", "how many learn together", parsePositiveCount, 2)
    .addOption(new Option("--compress <PRESET>", "how what they send is compressed").choices(PRESETS).default("none"))
    .option("--patience <SECONDS>", "a step waits so long for a worker, and goes on without it", parsePositive, 10)
    .option("--queue <URL>", `hand the run in as a job: ${QUEUE_HELP}`)
    .option("--token-file <FILE>", TOKEN_FILE_HELP)
    .option("--ca <FILE>", CA_HELP)
    .option("--resume", "go on with the run that was stopped in RUN")
    .option("--force", "write over a run that is in RUN")
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", TRAIN_HELP)
    .action(async (text: string, options: GradientTrainOptions) => {
      const { runTrain } = await import("./gradient/run-train.ts");
      await runTrain(surroundings, text, options);
    });
}
