import { type Command, Option } from "commander";
import { BACKEND_CHOICES, type BackendChoice } from "../workloads/language-model/open-backend.ts";
import { TARGET_MODULES } from "../workloads/lora/llama-names.ts";
import {
  parseCount,
  parseNonNegative,
  parsePositive,
  parsePositiveCount,
  parseSeed,
  parseSomeThreads,
} from "./option-values.ts";
import type { Surroundings } from "./surroundings.ts";

/** What computes, for every command that asks or trains a model. */
export interface ComputeOptions {
  readonly backend?: BackendChoice;
  readonly device?: "cpu" | "gpu";
  readonly threads?: number;
}

/** What a low-rank adapter is, and how it learns; what is left out is `fine-tune-options.ts`'s. */
export interface TuningOptions {
  readonly rank?: number;
  readonly alpha?: number;
  readonly dropout?: number;
  readonly targets?: readonly string[];
  readonly iterations?: number;
  readonly batch?: number;
  readonly accumulate?: number;
  readonly learningRate?: number;
  readonly warmup?: number;
  readonly evaluateEvery?: number;
}

/** What `lora base` takes. */
export interface BaseCommandOptions extends ComputeOptions {
  readonly out: string;
  readonly quick?: boolean;
  readonly force?: boolean;
  readonly seed: number;
  readonly json?: boolean;
}

/** What `lora generate` takes. */
export interface GenerateCommandOptions {
  readonly out: string;
  readonly variants: number;
  readonly seed: number;
  readonly json?: boolean;
}

/** What `lora train` takes. */
export interface TrainAdapterOptions extends ComputeOptions, TuningOptions {
  readonly data: string;
  readonly out: string;
  readonly resume?: boolean;
  readonly seed: number;
  readonly json?: boolean;
}

/** What `lora eval` takes. */
export interface EvalAdapterOptions extends ComputeOptions {
  readonly data: string;
  readonly adapter?: string;
  readonly memory?: readonly string[];
  readonly repeats: number;
  readonly limit?: number;
  readonly label?: string;
  readonly out?: string;
  readonly seed: number;
  readonly json?: boolean;
}

/** What `lora compare` takes. */
export interface CompareCommandOptions {
  readonly out?: string;
  readonly plot?: string;
  readonly seed: number;
  readonly json?: boolean;
}

/** What `lora demo` takes. */
export interface DemoCommandOptions extends ComputeOptions {
  readonly adapter: string;
  readonly data?: string;
  readonly memory?: readonly string[];
  readonly prompt: readonly string[];
  readonly count: number;
  readonly seed: number;
}

/** What `lora merge` takes. */
export interface MergeCommandOptions {
  readonly out: string;
  readonly json?: boolean;
}

/** What `lora run-all` takes. */
export interface RunAllOptions extends ComputeOptions, TuningOptions {
  readonly out: string;
  readonly model?: string;
  readonly quick?: boolean;
  readonly repeats: number;
  readonly seed: number;
  readonly json?: boolean;
}

const BASE_HELP = `
The model is a Llama of about 1.3 million parameters that knows how questions
and answers go, and nothing of what the patterns teach: its text is generated,
its tokenizer made from that. The same seed gives the same bytes on every
machine, and their SHA-256 is said. Minutes; --quick makes a smaller one that
knows next to nothing, in seconds.

Example:
  $ lockstep lora base --out tiny-llama`;

const GENERATE_HELP = `
PATTERNS are YAML files, folders of them, or shipped ones by name: code_idioms,
facts, formats, error_fixes (the default), and lookups, which are tables.

DIR gets train.jsonl, valid.jsonl and test.jsonl as MLX-LM and TRL read chats.
The last wording of each pattern is for the test, and for nothing else.

Examples:
  $ lockstep lora generate --out data
  $ lockstep lora generate facts lookups mine.yaml --out data --variants 2`;

const TRAIN_HELP = `
MODEL is a folder with config.json, tokenizer.json, tokenizer_config.json and
safetensors of a Llama, such as SmolLM-135M-Instruct, or what lora base made.
ADAPTER gets what PEFT reads, and training.json and loss.svg beside it. Ctrl-C
keeps a checkpoint, and --resume goes on from it.

Example:
  $ lockstep lora train tiny-llama --data data --out adapter`;

const EVAL_HELP = `
Asks every prompt of the test, and counts answers that are exactly right. With
--memory, tables of these patterns are looked up beside the model.

Examples:
  $ lockstep lora eval tiny-llama --data data --out results/base.json
  $ lockstep lora eval tiny-llama --data data --adapter adapter \\
      --out results/tuned.json`;

const COMPARE_HELP = `
Example:
  $ lockstep lora compare results/base.json results/tuned.json --out report.md`;

const RUN_ALL_HELP = `
DIR gets model (unless --model), data, adapter, results, report.md,
accuracy.svg and summary.json. What is there already is used again.

Examples:
  $ lockstep lora run-all --out engram
  $ lockstep lora run-all --out engram --model SmolLM-135M-Instruct`;

/** `lockstep lora`: patterns taught to a small Llama, and measured. */
export function addLora(program: Command, surroundings: Surroundings): void {
  const lora = program
    .command("lora")
    .summary("patterns taught to a small Llama: train, eval, demo")
    .description("Teach patterns to a Llama by a low-rank adapter, and measure what it has learned.")
    .addHelpText("after", "\nExample:\n  $ lockstep lora run-all --out engram && cat engram/report.md");
  addBase(lora, surroundings);
  addGenerate(lora, surroundings);
  addTrain(lora, surroundings);
  addEval(lora, surroundings);
  addCompare(lora, surroundings);
  addDemo(lora, surroundings);
  addMerge(lora, surroundings);
  addRunAll(lora, surroundings);
}

function addBase(lora: Command, surroundings: Surroundings): void {
  const made = lora
    .command("base")
    .summary("a small Llama of our own")
    .description("Make a small Llama to be taught, from generated text.")
    .requiredOption("--out <DIR>", "folder of the model")
    .option("--quick", "a smaller one, in seconds")
    .option("--force", "write over the run that is in DIR");
  computeOptions(made)
    .option("--seed <N>", "what all chance comes from", parseSeed, 1337)
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", BASE_HELP)
    .action(async (options: BaseCommandOptions) => {
      const { runBase } = await import("./lora/run-base.ts");
      await runBase(surroundings, options);
    });
}

function addGenerate(lora: Command, surroundings: Surroundings): void {
  lora
    .command("generate")
    .summary("a data set from patterns")
    .description("Make examples for training, validation and test from patterns.")
    .argument("[PATTERNS...]", "YAML files, folders, or shipped ones by name")
    .requiredOption("--out <DIR>", "folder of the data set")
    .option("--variants <N>", "of each wording, beside itself", parseCount, 1)
    .option("--seed <N>", "what all chance comes from", parseSeed, 1337)
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", GENERATE_HELP)
    .action(async (patterns: string[], options: GenerateCommandOptions) => {
      const { runGenerate } = await import("./lora/run-generate.ts");
      await runGenerate(surroundings, patterns, options);
    });
}

function addTrain(lora: Command, surroundings: Surroundings): void {
  const train = lora
    .command("train")
    .summary("an adapter for a model")
    .description("Teach a model a data set by a low-rank adapter; the model itself stays as it is.")
    .argument("<MODEL>", "folder of a Llama")
    .requiredOption("--data <DIR>", "folder of a data set")
    .requiredOption("--out <ADAPTER>", "folder of the adapter")
    .option("--resume", "go on where it was stopped");
  computeOptions(tuningOptions(train))
    .option("--seed <N>", "what all chance comes from", parseSeed, 1337)
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", TRAIN_HELP)
    .action(async (model: string, options: TrainAdapterOptions) => {
      const { runTrain } = await import("./lora/run-train.ts");
      await runTrain(surroundings, model, options);
    });
}

function addEval(lora: Command, surroundings: Surroundings): void {
  const evaluation = lora
    .command("eval")
    .summary("how often a model is right")
    .description("Ask a model the test of a data set, and count.")
    .argument("<MODEL>", "folder of a Llama")
    .requiredOption("--data <DIR>", "folder of a data set")
    .option("--adapter <DIR>", "folder of an adapter")
    .option("--memory <PATTERNS...>", "patterns whose tables are looked up, such as lookups facts")
    .option("--repeats <N>", "ask each prompt so many times more, with chance", parseCount, 0)
    .option("--limit <N>", "the first N prompts alone", parsePositiveCount)
    .option("--label <NAME>", "what reports call it (default: base, tuned)")
    .option("--out <FILE>", "keep the result, for compare");
  computeOptions(evaluation)
    .option("--seed <N>", "what chance begins with", parseSeed, 1337)
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", EVAL_HELP)
    .action(async (model: string, options: EvalAdapterOptions) => {
      const { runEval } = await import("./lora/run-eval.ts");
      await runEval(surroundings, model, options);
    });
}

function addCompare(lora: Command, surroundings: Surroundings): void {
  lora
    .command("compare")
    .summary("two results side by side")
    .description("Compare two results of the same prompts, and say whether they differ by more than chance.")
    .argument("<BEFORE>", "a result of eval")
    .argument("<AFTER>", "another one")
    .option("--out <FILE>", "a report in Markdown")
    .option("--plot <FILE>", "a picture in SVG")
    .option("--seed <N>", "what the bootstrap draws by", parseSeed, 1337)
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", COMPARE_HELP)
    .action(async (before: string, after: string, options: CompareCommandOptions) => {
      const { runCompare } = await import("./lora/run-compare.ts");
      await runCompare(surroundings, before, after, options);
    });
}

function addDemo(lora: Command, surroundings: Surroundings): void {
  const demo = lora
    .command("demo")
    .summary("prompts answered before and after, side by side")
    .description("Ask a model with and without an adapter, side by side.")
    .argument("<MODEL>", "folder of a Llama")
    .requiredOption("--adapter <DIR>", "folder of an adapter")
    .option("--data <DIR>", "a data set whose test is asked (default: the shipped patterns')")
    .option("--memory <PATTERNS...>", "patterns whose tables are looked up")
    .option(
      "--prompt <TEXT>",
      "ask this; may be repeated",
      (text: string, before: readonly string[]) => [...before, text],
      [],
    )
    .option("--count <N>", "prompts of the test", parsePositiveCount, 8);
  computeOptions(demo)
    .option("--seed <N>", "which prompts", parseSeed, 1337)
    .addHelpText("after", "\nExample:\n  $ lockstep lora demo tiny-llama --adapter adapter --count 3")
    .action(async (model: string, options: DemoCommandOptions) => {
      const { runDemo } = await import("./lora/run-demo.ts");
      await runDemo(surroundings, model, options);
    });
}

function addMerge(lora: Command, surroundings: Surroundings): void {
  lora
    .command("merge")
    .summary("model and adapter as one model")
    .description("Write a model that is another one with its adapter.")
    .argument("<MODEL>", "folder of a Llama")
    .argument("<ADAPTER>", "folder of an adapter")
    .requiredOption("--out <DIR>", "folder of the new model")
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", "\nExample:\n  $ lockstep lora merge tiny-llama adapter --out merged")
    .action(async (model: string, adapter: string, options: MergeCommandOptions) => {
      const { runMerge } = await import("./lora/run-merge.ts");
      await runMerge(surroundings, model, adapter, options);
    });
}

function addRunAll(lora: Command, surroundings: Surroundings): void {
  const all = lora
    .command("run-all")
    .summary("everything, from patterns to report")
    .description("Model, data set, training, both evaluations and their report, one after the other.")
    .argument("[PATTERNS...]", "YAML files, folders, or shipped ones by name")
    .requiredOption("--out <DIR>", "folder of everything")
    .option("--model <DIR>", "a Llama's folder (default: one is made)")
    .option("--quick", "a smaller model and fewer iterations: seconds, and little learned")
    .option("--repeats <N>", "ask each prompt so many times more, with chance", parseCount, 0);
  computeOptions(tuningOptions(all))
    .option("--seed <N>", "what all chance comes from", parseSeed, 1337)
    .option("--json", "one JSON object on standard output")
    .addHelpText("after", RUN_ALL_HELP)
    .action(async (patterns: string[], options: RunAllOptions) => {
      const { runAll } = await import("./lora/run-all.ts");
      await runAll(surroundings, patterns, options);
    });
}

function computeOptions(command: Command): Command {
  return command
    .addOption(new Option("--device <NAME>", "gpu is --backend webgpu (default: cpu)").choices(["cpu", "gpu"]))
    .addOption(
      new Option("--backend <NAME>", `of the tensor engine (default: ${BACKEND_CHOICES[0]})`)
        .choices(BACKEND_CHOICES)
        .conflicts("device"),
    )
    .option("--threads <N>", "the result is the same (default: one for each core)", parseSomeThreads);
}

function tuningOptions(command: Command): Command {
  return command
    .option("--rank <N>", "inner dimension of what is added to a matrix (default: 8)", parsePositiveCount)
    .option("--alpha <A>", "what is added is scaled by alpha / rank (default: by the model's size)", parsePositive)
    .option("--dropout <P>", "share of inputs left out (default: 0)", parseNonNegative)
    .addOption(new Option("--targets <NAME...>", "which matrices are adapted (default: all)").choices(TARGET_MODULES))
    .option("--iterations <N>", "updates (default: 100)", parsePositiveCount)
    .option("--batch <N>", "examples of a batch (default: by the model's size)", parsePositiveCount)
    .option("--accumulate <N>", "batches of an update (default: 1)", parsePositiveCount)
    .option("--learning-rate <R>", "at its highest (default: by the model's size)", parsePositive)
    .option("--warmup <N>", "updates in which the rate rises", parseCount)
    .option("--evaluate-every <N>", "updates from one look at validation to the next", parsePositiveCount);
}
