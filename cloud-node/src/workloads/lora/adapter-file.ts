import { mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { LanguageModelError } from "../language-model/language-model-error.ts";
import type { ModelConfig } from "../language-model/model-config.ts";
import { type ParameterSpec, parameterSpecs } from "../language-model/parameters.ts";
import { replaceFile } from "../language-model/replace-file.ts";
import { SafetensorsReader, toFloat32 } from "../language-model/safetensors-reader.ts";
import { safetensorsPieces } from "../language-model/safetensors-writer.ts";
import { statIfThere } from "../language-model/stat-if-there.ts";
import { llamaName, ownName, targetOf } from "./llama-names.ts";
import { LoraError } from "./lora-error.ts";
import type { Adapter, LowRankPair } from "./low-rank.ts";

export const ADAPTER_FILE = "adapter_model.safetensors";
export const ADAPTER_CONFIG_FILE = "adapter_config.json";
/** PEFT puts in front of a module's name where it found it: in its own wrapper's model. */
const PREFIX = "base_model.model.";
/** Ranks above it are no low ones to any model that fits here. */
const MOST_RANK = 4096;

const finite = v.pipe(v.number(), v.finite());
const off = <T>(value: T, what: string) => v.optional(v.nullable(v.literal(value as never, what)));
const emptyRecord = v.pipe(
  v.record(v.string(), v.unknown()),
  v.check((held) => Object.keys(held).length === 0, "patterns are not read"),
);
/** What is read of an `adapter_config.json`; what computes otherwise is refused. */
const configSchema = v.looseObject({
  peft_type: v.literal("LORA", "only LORA is read"),
  base_model_name_or_path: v.optional(v.nullable(v.string())),
  r: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MOST_RANK)),
  lora_alpha: finite,
  lora_dropout: v.optional(v.pipe(finite, v.minValue(0), v.ltValue(1)), 0),
  use_rslora: v.optional(v.boolean(), false),
  bias: v.optional(v.literal("none", "biases are not read"), "none"),
  fan_in_fan_out: off(false, "weights stored the other way round are not read"),
  use_dora: off(false, "DoRA is not read"),
  rank_pattern: v.optional(v.nullable(emptyRecord)),
  alpha_pattern: v.optional(v.nullable(emptyRecord)),
});

/**
 * Write an adapter as PEFT does: `adapter_config.json` and `adapter_model.safetensors`, in float32, the weights last.
 *
 * @throws {LanguageModelError} `no-room`; and what the system says
 */
export async function writeAdapter(folder: string, adapter: Adapter): Promise<void> {
  const { rank, alpha, dropout, targets, base, isRankStabilized, pairs } = adapter;
  await mkdir(folder, { recursive: true });
  const config = {
    ...{ peft_type: "LORA", task_type: "CAUSAL_LM", base_model_name_or_path: base, inference_mode: true },
    ...{ r: rank, lora_alpha: alpha, lora_dropout: dropout, use_rslora: isRankStabilized, target_modules: targets },
    ...{ bias: "none", fan_in_fan_out: false, init_lora_weights: true, use_dora: false },
    ...{ modules_to_save: null, layers_to_transform: null, layers_pattern: null, rank_pattern: {}, alpha_pattern: {} },
  };
  await replaceFile(join(folder, ADAPTER_CONFIG_FILE), [`${JSON.stringify(config, undefined, 2)}\n`]);
  const sources = [...pairs].flatMap(([weight, { down, up }]) => [
    { name: peftName(weight, "A"), shape: [rank, down.length / rank], type: "F32" as const, read: () => down },
    { name: peftName(weight, "B"), shape: [up.length / rank, rank], type: "F32" as const, read: () => up },
  ]);
  await replaceFile(join(folder, ADAPTER_FILE), safetensorsPieces(sources, new Map([["format", "pt"]])));
}

/**
 * Mirror of `writeAdapter`; also for adapters of PEFT's own, of these modules.
 *
 * @param config  of the model that it is for
 * @throws {LoraError} `bad-adapter` for what is none, or none of this model; {LanguageModelError} `truncated`, `bad-safetensors`
 */
export async function readAdapter(folder: string, config: ModelConfig): Promise<Adapter> {
  const head = await readConfig(folder);
  const path = join(folder, ADAPTER_FILE);
  if (!(await statIfThere(path))?.isFile()) throw badAdapter(folder, `it has no ${ADAPTER_FILE}`);
  const file = await open(path);
  try {
    const reader = await SafetensorsReader.open(file, path);
    const specs = parameterSpecs(config);
    const weights = new Set<ParameterSpec>();
    for (const { name } of reader.tensors) {
      const own = ownName(/^base_model\.model\.(.+)\.lora_[AB]\.weight$/.exec(name)?.[1] ?? "") ?? "";
      const spec = specs.find((known) => known.name === own && targetOf(own) !== undefined);
      if (spec === undefined)
        throw badAdapter(folder, `the model has nothing for ${JSON.stringify(name.slice(0, 80))}`);
      weights.add(spec);
    }
    if (weights.size === 0) throw badAdapter(folder, "it adapts nothing");
    const pairs = new Map<string, LowRankPair>();
    for (const {
      name,
      shape: [outputs = 0, inputs = 0],
    } of weights) {
      const down = toFloat32(await reader.floats(peftName(name, "A"), [head.r, inputs]));
      const up = toFloat32(await reader.floats(peftName(name, "B"), [outputs, head.r]));
      if (![down, up].every((numbers) => numbers.every(Number.isFinite)))
        throw badAdapter(folder, "numbers are not finite");
      pairs.set(name, { down, up });
    }
    const targets = new Set([...pairs.keys()].map(targetOf).filter((target) => target !== undefined));
    return {
      ...{ rank: head.r, alpha: head.lora_alpha, dropout: head.lora_dropout, isRankStabilized: head.use_rslora },
      ...{ targets: [...targets], base: head.base_model_name_or_path ?? "", pairs },
    };
  } catch (error) {
    if (!(error instanceof LanguageModelError) || error.code !== "foreign-checkpoint") throw error;
    throw badAdapter(folder, error.problem, error);
  } finally {
    await file.close();
  }
}

async function readConfig(folder: string): Promise<v.InferOutput<typeof configSchema>> {
  const path = join(folder, ADAPTER_CONFIG_FILE);
  if (!(await statIfThere(path))?.isFile()) throw badAdapter(folder, `it has no ${ADAPTER_CONFIG_FILE}`);
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    throw badAdapter(folder, `${ADAPTER_CONFIG_FILE} is no JSON`, cause);
  }
  const { output, issues } = v.safeParse(configSchema, json);
  if (issues === undefined) return output;
  throw badAdapter(folder, `${ADAPTER_CONFIG_FILE}, ${v.getDotPath(issues[0]) ?? "all of it"}: ${issues[0].message}`);
}

function peftName(weight: string, factor: "A" | "B"): string {
  return `${PREFIX}${llamaName(weight).replace(/\.weight$/, `.lora_${factor}.weight`)}`;
}

function badAdapter(folder: string, problem: string, cause?: unknown): LoraError {
  const remedy = "give a folder with an adapter of this model, as PEFT or `lockstep lora train` writes it";
  return new LoraError("bad-adapter", `${folder}: ${problem}`, remedy, { cause });
}
