import { type Command, Option } from "commander";
import { BACKEND_CHOICES, type BackendChoice } from "../workloads/language-model/open-backend.ts";
import { DEFAULT_RECIPE, RECIPES } from "../workloads/language-model/recipes.ts";
import { QUEUE_HELP } from "./jobs/open-door.ts";
import { CA_HELP, TOKEN_FILE_HELP } from "./node-token.ts";
import { parseNonNegative, parsePositiveCount, parseSeed, parseShare, parseSomeThreads } from "./option-values.ts";
import type { Surroundings } from "./surroundings.ts";

/** With more of them the line would be longer than a terminal is wide. */
const RECIPES_ON_FIRST_LINE = 4;

/** What `lm train` takes. */
export interface TrainCommandOptions {
  readonly out: string;
  readonly recipe?: string;
  readonly config?: string;
  readonly set: readonly string[];
  readonly tokenizer?: string;
  readonly steps?: number;
  readonly seed?: number;
  readonly engine?: "tensor" | "scalar";
  readonly backend?: BackendChoice;
  readonly threads?: number;
  readonly resume?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** What `lm sample` takes. */
export interface SampleCommandOptions {
  readonly prompt: string;
  readonly tokens: number;
  readonly count: number;
  readonly temperature: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly stop: readonly string[];
  readonly newest?: boolean;
  readonly backend?: BackendChoice;
  readonly seed: number;
  readonly json?: boolean;
}

/** What `lm ablate` takes. */
export interface AblateCommandOptions extends Omit<TrainCommandOptions, "resume"> {
  readonly vary: readonly string[];
  readonly seeds: number;
  readonly queue?: string;
  readonly tokenFile?: string;
  readonly ca?: string;
}

/** Names of recipes, a few on a line. */
function recipeLines(): string {
  const names = Object.keys(RECIPES).map((name) => (name === DEFAULT_RECIPE ? `${name} (default)` : name));
  const [first, rest] = [names.slice(0, RECIPES_ON_FIRST_LINE), names.slice(RECIPES_ON_FIRST_LINE)];
  return `Recipes: ${first.join(", ")},\n${rest.join(", ")}.`;
}

const TRAIN_HELP = `
TEXT is a file in UTF-8; nine tenths of it are learned from, the rest judges.
${recipeLines()}
A file of options (YAML or JSON, as RUN/config.json has them) and --set change
any of them.

RUN gets checkpoints in safetensors, config.json, metrics.csv and .jsonl,
summary.json and .md, and loss.svg. In front of every evaluation there is a
checkpoint. Ctrl-C keeps one, and --resume goes on from it with the backend that
it had, bit for bit (with js nearly). --backend ort is ONNX Runtime, which
npm run onnxruntime fetches; webgpu takes a graphics processor, and the optional
npm package webgpu.

Examples:
  $ lockstep lm train book.txt --out run --recipe tiny
  $ lockstep lm train book.txt --out run --set model.width=64 --steps 500
  $ lockstep lm train book.txt --out run --resume`;

const SAMPLE_HELP = `
RUN is the folder of a run, of which the checkpoint that foresaw best is taken,
or a checkpoint. What is written goes to standard output as it comes.

Examples:
  $ lockstep lm sample run --prompt "Shall I" --tokens 200
  $ lockstep lm sample run --temperature 0.8 --top-k 20 --stop "\\n\\n" --count 3`;

const ABLATE_HELP = `
NAME=A,B,... is an option of a run, and the values to be tried: every
combination is trained with every seed, and the table says mean and standard
deviation. Without --vary: model.tied=true,false and model.norm=rms-plain,none.

Runs that are done are not done again: the same command goes on where it was
stopped. A run whose loss is no number any more is told in the table, and the
others go on. With --queue every run is a job, done by whichever worker has
room.

Examples:
  $ lockstep lm ablate book.txt --out study --recipe tiny --steps 300
  $ lockstep lm ablate book.txt --out study --vary model.layers=1,2 --seeds 5`;

/** `lockstep lm`: small language models, trained and asked. */
export function addLm(program: Command, surroundings: Surroundings): void {
  const lm = program
    .command("lm")
    .summary("small language models: train, sample, ablate")
    .description("Train small language models from a text file, and let them write.")
    .addHelpText(
      "after",
      "\nExample:\n  $ lockstep lm train book.txt --out run --recipe tiny && lockstep lm sample run",
    );
  const train = lm
    .command("train")
    .summary("a model from a text")
    .description("Train a model from a text, or go on with it.")
    .argument("<TEXT>", "text in UTF-8")
    .requiredOption("--out <RUN>", "folder of the run");
  runOptions(train)
    .option("--resume", "go on from the newest checkpoint in RUN")
    .option("--force", "write over a run that is in RUN")
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", TRAIN_HELP)
    .action(async (text: string, options: TrainCommandOptions) => {
      const { runTrain } = await import("./lm/run-train.ts");
      await runTrain(surroundings, text, options);
    });
  addSample(lm, surroundings);
  addAblate(lm, surroundings);
}

function addAblate(lm: Command, surroundings: Surroundings): void {
  const ablate = lm
    .command("ablate")
    .summary("what options do: every combination, repeated")
    .description("Train a model once for every combination of options and every seed, and compare.")
    .argument("<TEXT>", "text in UTF-8")
    .requiredOption("--out <DIR>", "folder of the runs and their comparison")
    .option("--vary <NAME=A,B,...>", "an option and its values; may be repeated", addText, [])
    .option("--seeds <N>", "runs of each combination, with seeds from --seed on", parsePositiveCount, 3);
  runOptions(ablate)
    .option("--queue <URL>", `hand the runs in as jobs: ${QUEUE_HELP}`)
    .option("--token-file <FILE>", TOKEN_FILE_HELP)
    .option("--ca <FILE>", CA_HELP)
    .option("--force", "write over runs that are in DIR")
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", ABLATE_HELP)
    .action(async (text: string, options: AblateCommandOptions) => {
      const { runAblate } = await import("./lm/run-ablate.ts");
      await runAblate(surroundings, text, options);
    });
}

function addSample(lm: Command, surroundings: Surroundings): void {
  lm.command("sample")
    .summary("text that a model writes")
    .description("Let a model go on with a prompt.")
    .argument("<RUN>", "folder of a run, or a checkpoint")
    .option("--prompt <TEXT>", "what it goes on with (default: the beginning of a line or a document)", "")
    .option("--tokens <N>", "tokens at most", parsePositiveCount, 500)
    .option("--count <N>", "samples", parsePositiveCount, 1)
    .option(
      "--temperature <T>",
      "0: the likeliest token, always; below 1: bolder than it learned",
      parseNonNegative,
      0.8,
    )
    .option("--top-k <K>", "among the K likeliest tokens alone", parsePositiveCount)
    .option("--top-p <P>", "among the likeliest that have the share P together, above 0 to 1", parseShare)
    .option("--stop <TEXT>", "end in front of this; \\n is a line's end; may be repeated", addText, [])
    .option("--newest", "take the newest checkpoint, and not the best one")
    .option("--seed <N>", "what chance begins with", parseSeed, 1337)
    .addOption(backendOption())
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", SAMPLE_HELP)
    .action(async (run: string, options: SampleCommandOptions) => {
      const { runSample } = await import("./lm/run-sample.ts");
      await runSample(surroundings, run, options);
    });
}

/** What every command that trains takes. */
function runOptions(command: Command): Command {
  return configOptions(command)
    .addOption(new Option("--engine <NAME>", "tensor: fast; scalar: number by number").choices(["tensor", "scalar"]))
    .addOption(backendOption())
    .option(
      "--threads <N>",
      "of the tensor engine; the result is the same (default: one for each core)",
      parseSomeThreads,
    );
}

/** What a run is, for every command that trains one. */
export function configOptions(command: Command): Command {
  return command
    .option("--recipe <NAME>", "a known run (default: nanogpt-cpu)")
    .option("--config <FILE>", "options of the run, YAML or JSON")
    .option("--set <NAME=VALUE>", "one option, such as model.width=64; may be repeated", addText, [])
    .option("--tokenizer <FILE>", "tokenizer.json of Hugging Face")
    .option("--steps <N>", "updates (default: the recipe's)", parsePositiveCount)
    .option("--seed <N>", "what all chance comes from (default: 1337)", parseSeed);
}

function backendOption(): Option {
  const usual = `of the tensor engine (default: ${BACKEND_CHOICES[0]}, the same bits on every machine)`;
  return new Option("--backend <NAME>", usual).choices(BACKEND_CHOICES);
}

function addText(text: string, before: readonly string[]): string[] {
  return [...before, text];
}
