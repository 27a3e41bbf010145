import * as v from "valibot";
import { LanguageModelError } from "./language-model-error.ts";
import { DEFAULT_RECIPE, RECIPES } from "./recipes.ts";
import { type RunConfig, runSchema } from "./run-config.ts";

type Branch = { [name: string]: unknown };

/** What helps with most of what can be wrong with options. */
export const ALL_OPTIONS_REMEDY = "see `config.json` of a run for all options";

/** Where options of a run come from, each over the one before it. */
export interface ConfigSources {
  /** A name of `RECIPES`; the default one unless given, or none where there is a file. */
  readonly recipe?: string | undefined;
  /** What a configuration file says. */
  readonly file?: unknown;
  /** `model.width=64`, one after the other. */
  readonly settings?: readonly string[];
}

/**
 * The configuration of a run, every default in.
 *
 * @throws {LanguageModelError} `bad-config`, with the field's name
 */
export function parseRunConfig({ recipe, file, settings = [] }: ConfigSources): RunConfig {
  const name = recipe ?? (file === undefined ? DEFAULT_RECIPE : undefined);
  let options = name === undefined ? {} : recipeNamed(name);
  if (file !== undefined) {
    if (!isBranch(file)) throw badConfig("the configuration file is no table of options");
    options = merged(options, file);
  }
  for (const setting of settings) options = merged(options, branchOf(setting));
  return checkRunConfig(options);
}

/** @throws {LanguageModelError} `bad-config` */
export function checkRunConfig(options: unknown): RunConfig {
  const { output, issues } = v.safeParse(runSchema, options);
  if (issues !== undefined) {
    const [issue] = issues;
    const isUnknown = issue.type === "strict_object" && issue.expected === "never";
    throw badConfig(
      `${v.getDotPath(issue) ?? "configuration"}: ${isUnknown ? "there is no such option" : issue.message}`,
    );
  }
  const { engine, model, optimizer, data } = output;
  if (data.rows % (data.shards ?? 1) !== 0) throw badConfig("data.rows: it must be a multiple of data.shards");
  if (engine === "scalar" && optimizer.kind !== "adamw")
    throw badConfig("optimizer.kind: the scalar engine has AdamW alone");
  if (engine === "scalar" && model.dropout > 0) throw badConfig("model.dropout: the scalar engine leaves nothing out");
  if (model.kind === "bigram" && optimizer.kind === "muon")
    throw badConfig("optimizer.kind: a bigram has no matrix for Muon");
  return output;
}

function recipeNamed(name: string): Branch {
  const recipe = Object.hasOwn(RECIPES, name) ? RECIPES[name] : undefined;
  if (recipe === undefined)
    throw badConfig(`there is no recipe "${name}"`, `choose of ${Object.keys(RECIPES).join(", ")}`);
  return recipe as Branch;
}

/** `model.width=64` as a table of tables; a value is JSON, or else a word. */
function branchOf(setting: string): Branch {
  const [, path, text] = /^([a-zA-Z0-9.]+)=(.*)$/s.exec(setting) ?? [];
  if (path === undefined || text === undefined) {
    throw badConfig(`"${setting}" is no setting`, "write it like model.width=64");
  }
  return path.split(".").reduceRight<unknown>((value, name) => ({ [name]: value }), jsonOrWord(text)) as Branch;
}

function jsonOrWord(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function merged(below: Branch, above: Branch): Branch {
  const out: Branch = { ...below };
  for (const [name, value] of Object.entries(above)) {
    const before = Object.hasOwn(below, name) ? below[name] : undefined;
    out[name] = isBranch(before) && isBranch(value) ? merged(before, value) : value;
  }
  return out;
}

function isBranch(value: unknown): value is Branch {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function badConfig(problem: string, remedy = ALL_OPTIONS_REMEDY): LanguageModelError {
  return new LanguageModelError("bad-config", problem, remedy);
}
