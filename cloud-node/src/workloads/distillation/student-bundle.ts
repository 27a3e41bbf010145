import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import type { ModelConfig } from "../language-model/model-config.ts";
import { parameterSpecs } from "../language-model/parameters.ts";
import { replaceFile } from "../language-model/replace-file.ts";
import { safetensorsPieces } from "../language-model/safetensors-writer.ts";
import { writeLlamaConfig } from "../lora/llama-config.ts";
import { type Adapter, adaptedMatrices } from "../lora/low-rank.ts";
import { TOKENIZER_CONFIG_FILE, TOKENIZER_FILE } from "../lora/model-folder.ts";
import { CATEGORIES, type Category } from "./capability.ts";
import { quantizeRows } from "./int8-rows.ts";
import { ROUTER_FILE, readStudent, STUDENT_FILE } from "./student.ts";

/** All numbers of a bundled student, in five tensors. */
export const WEIGHTS_FILE = "student.safetensors";

/** `router.json` of a bundle: what its numbers are of. */
export const bundledRouterSchema = v.strictObject({
  format: v.literal("lockstep bundled router"),
  version: v.literal(1),
  categories: v.pipe(v.array(v.picklist(CATEGORIES)), v.minLength(1)),
  alphabet: v.pipe(v.string(), v.minLength(1)),
});

/** One matrix of a bundle: its codes are rows of their own scale. */
export interface BundledMatrix {
  /** Of the backbone by the name of `language-model`; of an adapter the name of the map that it stands beside. */
  readonly name: string;
  readonly part: "backbone" | "down" | "up";
  /** Whose adapter it is. */
  readonly category?: Category;
  /** As it is kept: `up` with its columns as rows, which are long enough for a scale each. */
  readonly rows: number;
  readonly columns: number;
}

/**
 * Every matrix of a bundle, in the order of its codes: the backbone's as it uses them, then adapter by adapter, map by map,
 * `down` (rank, inputs) and `up` (rank, outputs).
 */
export function bundledMatrices(
  config: ModelConfig,
  adapters: readonly (Pick<Adapter, "rank" | "targets"> & { readonly category: Category })[],
): BundledMatrix[] {
  const matrices = parameterSpecs(config).flatMap(({ name, shape: [rows = 0, columns] }): BundledMatrix[] =>
    columns === undefined ? [] : [{ name, part: "backbone", rows, columns }],
  );
  for (const { category, rank, targets } of adapters) {
    for (const {
      name,
      shape: [outputs = 0, inputs = 0],
    } of adaptedMatrices(config, targets)) {
      matrices.push({ name, part: "down", category, rows: rank, columns: inputs });
      matrices.push({ name, part: "up", category, rows: rank, columns: outputs });
    }
  }
  return matrices;
}

/** Gains of norms, in the order in which the backbone uses them. */
export function bundledGains(config: ModelConfig): { readonly name: string; readonly count: number }[] {
  return parameterSpecs(config).flatMap(({ name, shape: [count = 0, columns] }) =>
    columns === undefined ? [{ name, count }] : [],
  );
}

/**
 * Write a student in one byte a number: matrices as codes with a float16 scale for each row, gains as they are.
 *
 * @param from  a student's folder
 * @throws as `readStudent`; {LanguageModelError} `no-room`
 */
export async function writeBundledStudent(out: string, from: string): Promise<void> {
  const { config, weights, adapters, plan, router } = await readStudent(from);
  const matrices = bundledMatrices(config, plan.adapters);
  const rows = matrices.reduce((sum, matrix) => sum + matrix.rows, 0);
  const codes = new Int8Array(matrices.reduce((sum, matrix) => sum + matrix.rows * matrix.columns, 0));
  const scales = new Float16Array(rows);
  let [code, scale] = [0, 0];
  for (const { name, part, category, rows: count, columns } of matrices) {
    const pair = category === undefined ? undefined : adapters.get(category)?.pairs.get(name);
    const values =
      part === "backbone"
        ? Float32Array.from(await weights.floats(name, [count, columns]))
        : part === "down"
          ? (pair?.down ?? new Float32Array())
          : turned(pair?.up ?? new Float32Array(), columns, count);
    const quantized = quantizeRows(values, count, columns, Math.f16round);
    codes.set(quantized.codes, code);
    scales.set(quantized.scales, scale);
    code += quantized.codes.length;
    scale += count;
  }
  const gains: number[] = [];
  for (const { name, count } of bundledGains(config)) gains.push(...(await weights.floats(name, [count])));
  const tensors = [
    { name: "codes", shape: [codes.length], type: "I8" as const, read: () => codes },
    { name: "scales", shape: [rows], type: "F16" as const, read: () => scales },
    { name: "gains", shape: [gains.length], type: "F32" as const, read: () => Float32Array.from(gains) },
    {
      ...{ name: "router.weights", shape: [router.categories.length, router.alphabet.length], type: "F16" as const },
      read: () => Float16Array.from(router.weights.flat()),
    },
    {
      ...{ name: "router.bias", shape: [router.bias.length], type: "F32" as const },
      read: () => Float32Array.from(router.bias),
    },
  ];
  const { categories, alphabet } = router;
  await writeText(out, ROUTER_FILE, { format: "lockstep bundled router", version: 1, categories, alphabet });
  await writeText(out, STUDENT_FILE, plan);
  const ends = (await readJson(join(from, "config.json"))) as { eos_token_id?: number | number[] };
  await writeText(out, "config.json", writeLlamaConfig(config, [ends.eos_token_id ?? []].flat()));
  for (const name of [TOKENIZER_FILE, TOKENIZER_CONFIG_FILE])
    await writeText(out, name, await readJson(join(from, name)));
  await replaceFile(join(out, WEIGHTS_FILE), safetensorsPieces(tensors, new Map()));
}

/** Shape (rows, columns) to (columns, rows). */
export function turned(values: Float32Array, rows: number, columns: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: values.length }, (_, at) => {
    const [row, column] = [at % rows, Math.floor(at / rows)];
    return values[row * columns + column] as number;
  });
}

async function readJson(path: string): Promise<object> {
  return JSON.parse(await readFile(path, "utf8")) as object;
}

/** Without the spaces that only people read: a bundle counts its bytes. */
async function writeText(folder: string, name: string, json: object): Promise<void> {
  await replaceFile(join(folder, name), [JSON.stringify(json)]);
}
