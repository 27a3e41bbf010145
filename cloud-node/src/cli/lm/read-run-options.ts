import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { LanguageModelError } from "../../workloads/language-model/language-model-error.ts";
import { ALL_OPTIONS_REMEDY, parseRunConfig } from "../../workloads/language-model/parse-run-config.ts";
import type { RunConfig } from "../../workloads/language-model/run-config.ts";
import type { Tokenizer } from "../../workloads/language-model/tokenizer.ts";
import { readTrainingText, type TrainingText } from "../../workloads/language-model/training-text.ts";
import { CommandError } from "../command-error.ts";
import { checkFiles } from "../partial-file.ts";

/** What commands that train take alike. */
export interface RunCommandOptions {
  readonly recipe?: string;
  readonly config?: string;
  readonly set: readonly string[];
  readonly tokenizer?: string;
  readonly steps?: number;
  readonly seed?: number;
  readonly engine?: "tensor" | "scalar";
}

/**
 * The configuration that options on the command line and a file make together.
 *
 * @throws {CommandError} `usage`, with the option's name
 */
export async function readRunConfig(options: RunCommandOptions, settings: readonly string[] = []): Promise<RunConfig> {
  const { recipe, config, set, tokenizer, steps, seed, engine } = options;
  const own = [
    ...set,
    ...(tokenizer === undefined ? [] : ["data.tokenizer=hf"]),
    ...Object.entries({ steps, seed, engine }).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}=${value}`],
    ),
  ];
  const file = config === undefined ? undefined : await readOptions(config);
  try {
    return parseRunConfig({ recipe, file, settings: [...own, ...settings] });
  } catch (error) {
    throw asUsageError(error);
  }
}

/** Options that are no configuration; the line says where help is, which is remedy enough where there is no other. */
export function asUsageError(error: unknown): unknown {
  if (!(error instanceof LanguageModelError) || error.code !== "bad-config") return error;
  const remedy = error.remedy === ALL_OPTIONS_REMEDY ? "" : error.remedy;
  return new CommandError("usage", error.problem, remedy, { cause: error });
}

/** JSON is YAML, too. */
async function readOptions(path: string): Promise<unknown> {
  await checkFiles(path, undefined);
  const text = await readFile(path, "utf8");
  try {
    return parse(text);
  } catch (cause) {
    const [problem = ""] = cause instanceof Error ? cause.message.split("\n") : [];
    throw new CommandError("file", `${path} is no YAML: ${problem}`, "mend it, or write JSON", { cause });
  }
}

/** @throws {LanguageModelError} `text-too-long`, `empty-text`, `not-utf8`; {CommandError} `file` */
export async function readText(path: string): Promise<TrainingText> {
  await checkFiles(path, undefined);
  return await readTrainingText(path, path);
}

/** @throws {LanguageModelError} `bad-tokenizer`; {CommandError} `file` */
export async function readTokenizer(path: string | undefined): Promise<Tokenizer | undefined> {
  if (path === undefined) return undefined;
  await checkFiles(path, undefined);
  const text = await readFile(path, "utf8");
  const { HfTokenizer } = await import("../../workloads/language-model/hf-tokenizer.ts");
  return new HfTokenizer(parsedJson(text, path));
}

function parsedJson(text: string, path: string): object {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null) return parsed;
  } catch (cause) {
    throw new CommandError("file", `${path} is no JSON`, "give a tokenizer.json", { cause });
  }
  throw new CommandError("file", `${path} is no JSON object`, "give a tokenizer.json");
}
