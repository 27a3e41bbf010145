import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { LanguageModelError } from "../../workloads/language-model/language-model-error.ts";
import { parseRunConfig } from "../../workloads/language-model/parse-run-config.ts";
import type { RunConfig } from "../../workloads/language-model/run-config.ts";
import { decodeText } from "../../workloads/language-model/text-split.ts";
import type { Tokenizer } from "../../workloads/language-model/tokenizer.ts";
import { CommandError } from "../command-error.ts";
import { checkFiles } from "../partial-file.ts";

/** A text of more than this would take most of a small machine's memory before training begins. */
const MOST_TEXT_BYTES = 1 << 29;

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
    if (!(error instanceof LanguageModelError) || error.code !== "bad-config") throw error;
    throw new CommandError("usage", error.problem, error.remedy, { cause: error });
  }
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

/** @throws {LanguageModelError} `empty-text`, `not-utf8`; {CommandError} `file` */
export async function readText(path: string): Promise<string> {
  await checkFiles(path, undefined);
  const bytes = await readFile(path);
  if (bytes.length > MOST_TEXT_BYTES) {
    const problem = `${path} has ${bytes.length} bytes, and a text may have ${MOST_TEXT_BYTES}`;
    throw new CommandError("file", problem, "give a part of it: small models learn no more from more");
  }
  return decodeText(bytes, path);
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
