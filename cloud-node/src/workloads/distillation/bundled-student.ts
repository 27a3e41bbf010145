import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { HfTokenizer } from "../language-model/hf-tokenizer.ts";
import { SafetensorsReader, toFloat32 } from "../language-model/safetensors-reader.ts";
import { ChatTemplate } from "../lora/chat-template.ts";
import type { AnswerModel } from "../lora/generator.ts";
import { readLlamaConfig } from "../lora/llama-config.ts";
import type { Adapter } from "../lora/low-rank.ts";
import { TOKENIZER_CONFIG_FILE, TOKENIZER_FILE } from "../lora/model-folder.ts";
import type { Category } from "./capability.ts";
import { DistillationError } from "./distillation-error.ts";
import { readChecked } from "./evidence.ts";
import type { RunHooks } from "./run-hooks.ts";
import { ROUTER_FILE, STUDENT_FILE, studentPlanSchema } from "./student.ts";
import { StudentAnswerer } from "./student-answerer.ts";
import { bundledGains, bundledMatrices, bundledRouterSchema, turned, WEIGHTS_FILE } from "./student-bundle.ts";

/**
 * Open a bundled student from its folder, and from nothing else.
 *
 * @throws {DistillationError} `bad-bundle`; {LoraError} and {LanguageModelError} of its parts
 */
export async function openBundledStudent(
  folder: string,
  run: Pick<RunHooks, "backend" | "nowMs">,
): Promise<StudentAnswerer> {
  const path = join(folder, "config.json");
  const { model: config, ends: configEnds } = readLlamaConfig(await readJson(path), path);
  const plan = await readChecked(join(folder, STUDENT_FILE), studentPlanSchema, "bad-bundle");
  const named = await readChecked(join(folder, ROUTER_FILE), bundledRouterSchema, "bad-bundle");
  const tokenizer = new HfTokenizer((await readJson(join(folder, TOKENIZER_FILE))) as object);
  const chatPath = join(folder, TOKENIZER_CONFIG_FILE);
  const chat = new ChatTemplate((await readJson(chatPath)) as object, chatPath, tokenizer);
  const tensors = await readTensors(join(folder, WEIGHTS_FILE));
  const take = taking(tensors, join(folder, WEIGHTS_FILE));
  const held = new Map<string, Float32Array<ArrayBuffer>>();
  const pairs = new Map<Category, Map<string, { down: Float32Array; up: Float32Array }>>();
  for (const { name, part, category, rows, columns } of bundledMatrices(config, plan.adapters)) {
    const values = take.rows(rows, columns);
    if (category === undefined) {
      held.set(name, values);
      continue;
    }
    const own = pairs.get(category) ?? new Map();
    pairs.set(category, own);
    const pair = own.get(name) ?? { down: values, up: values };
    own.set(name, part === "down" ? { ...pair, down: values } : { ...pair, up: turned(values, rows, columns) });
  }
  for (const { name, count } of bundledGains(config)) held.set(name, take.gains(count));
  const [count, width] = [named.categories.length, named.alphabet.length];
  for (const name of ["router.bias", "router.weights"]) {
    if (tensors.get(name)?.every(Number.isFinite) === false)
      throw bad(join(folder, WEIGHTS_FILE), `${name} is not finite`);
  }
  const router = {
    ...({ format: "lockstep router", version: 1, categories: named.categories, alphabet: named.alphabet } as const),
    bias: [...take.whole("router.bias", count)],
    weights: chunks(take.whole("router.weights", count * width), width),
  };
  take.end();
  const adapters = new Map(
    plan.adapters.map(({ category, rank, alpha, targets }): [Category, Adapter] => [
      category,
      {
        ...{ rank, alpha, targets, dropout: 0, isRankStabilized: false, base: "" },
        pairs: pairs.get(category) ?? new Map(),
      },
    ]),
  );
  const model: AnswerModel = {
    ...{ config, tokenizer, ends: new Set([...configEnds, ...(chat.end === undefined ? [] : [chat.end])]) },
    weights: { floats: (name) => Promise.resolve(Float32Array.from(held.get(name) ?? [])) },
    chatTokens: (prompt) => tokenizer.encodeMarked(chat.question(prompt)),
  };
  return await StudentAnswerer.of(model, { router, adapters }, await run.backend(), () => run.nowMs());
}

async function readTensors(path: string): Promise<Map<string, Float32Array>> {
  const file = await open(path);
  try {
    const reader = await SafetensorsReader.open(file, path);
    const tensors = new Map<string, Float32Array>();
    for (const { name, shape } of reader.tensors) tensors.set(name, toFloat32(await reader.floats(name, shape)));
    return tensors;
  } finally {
    await file.close();
  }
}

/** Hands out tensors front to back; what is too short, or left over, is no bundle of this student. */
function taking(tensors: ReadonlyMap<string, Float32Array>, path: string) {
  const at = new Map<string, number>();
  const next = (name: string, count: number): Float32Array => {
    const from = at.get(name) ?? 0;
    const values = tensors.get(name) ?? new Float32Array();
    if (from + count > values.length) throw bad(path, `${name} has ${values.length} numbers, and needs more`);
    at.set(name, from + count);
    return values.subarray(from, from + count);
  };
  return {
    rows: (rows: number, columns: number): Float32Array<ArrayBuffer> => {
      const scales = next("scales", rows);
      const codes = next("codes", rows * columns);
      return Float32Array.from(codes, (code, place) => code * (scales[Math.floor(place / columns)] as number));
    },
    gains: (count: number) => Float32Array.from(next("gains", count)),
    whole: (name: string, count: number) => next(name, count),
    end: () => {
      for (const [name, values] of tensors) {
        if (at.get(name) !== values.length)
          throw bad(path, `${name} has ${values.length} numbers, and not all are used`);
      }
    },
  };
}

function chunks(values: Float32Array, width: number): number[][] {
  return Array.from({ length: values.length / width }, (_, row) => [
    ...values.subarray(row * width, (row + 1) * width),
  ]);
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    throw bad(path, "it is not there, or no JSON", cause);
  }
}

function bad(path: string, problem: string, cause?: unknown): DistillationError {
  return new DistillationError("bad-bundle", `${path}: ${problem}`, "take another copy of the bundle", { cause });
}
