import { type FileHandle, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { LanguageModelError } from "../language-model/language-model-error.ts";
import { type Floats, SafetensorsReader } from "../language-model/safetensors-reader.ts";
import { statIfThere } from "../language-model/stat-if-there.ts";
import { LoraError } from "./lora-error.ts";

export const WEIGHTS_FILE = "model.safetensors";
const INDEX_FILE = `${WEIGHTS_FILE}.index.json`;
/** No model that fits in a WebAssembly memory has more shards. */
const MOST_SHARDS = 1000;

/** A name in the model's own folder, and nowhere else. */
const shardName = v.pipe(v.string(), v.regex(/^[\w-][\w.-]*$/, "the name of a file beside the index"));
const indexSchema = v.looseObject({ weight_map: v.record(v.string(), shardName) });

/** Tensors of a model that is in one safetensors file, or in several with an index. */
export class WeightFiles {
  readonly #files: readonly FileHandle[];
  readonly #readerOf: ReadonlyMap<string, SafetensorsReader>;
  readonly #folder: string;

  private constructor(folder: string, files: readonly FileHandle[], readerOf: ReadonlyMap<string, SafetensorsReader>) {
    this.#folder = folder;
    this.#files = files;
    this.#readerOf = readerOf;
  }

  /** @throws {LoraError} `bad-model`; {LanguageModelError} `truncated`, `bad-safetensors` */
  static async open(folder: string): Promise<WeightFiles> {
    const shardOf = await shardsOf(folder);
    const files: FileHandle[] = [];
    try {
      const readers = new Map<string, SafetensorsReader>();
      for (const name of new Set(shardOf?.values() ?? [WEIGHTS_FILE])) {
        const path = join(folder, name);
        if (!(await statIfThere(path))?.isFile()) throw badModel(folder, `it has no ${name}`);
        const file = await open(path);
        files.push(file);
        readers.set(name, await SafetensorsReader.open(file, path));
      }
      const all = [...readers].flatMap(([shard, reader]) =>
        Array.from(reader.tensors, ({ name }) => ({ name, shard })),
      );
      const held = all.filter(({ name, shard }) => shardOf === undefined || shardOf.get(name) === shard);
      const absent = [...(shardOf ?? [])].find(
        ([name, shard]) => !held.some((at) => at.name === name && at.shard === shard),
      );
      if (absent !== undefined)
        throw badModel(folder, `${absent[1]} has no ${absent[0]}, which the index says is there`);
      const readerOf = held.map(({ name, shard }) => [name, readers.get(shard) as SafetensorsReader] as const);
      return new WeightFiles(folder, files, new Map(readerOf));
    } catch (error) {
      for (const file of files) await file.close();
      throw error;
    }
  }

  has(name: string): boolean {
    return this.#readerOf.has(name);
  }

  /**
   * A tensor in float32, or as wide as it is kept.
   *
   * @throws {LoraError} `bad-model` where it is not there, of another shape, or of a type that float32 does not hold;
   * {LanguageModelError} `truncated`
   */
  async floats(name: string, shape: readonly number[]): Promise<Floats> {
    const reader = this.#readerOf.get(name);
    if (reader === undefined) throw badModel(this.#folder, `it has no tensor ${name}`);
    try {
      return await reader.floats(name, shape);
    } catch (error) {
      if (!(error instanceof LanguageModelError) || error.code !== "foreign-checkpoint") throw error;
      throw badModel(this.#folder, error.problem, error);
    }
  }

  async close(): Promise<void> {
    for (const file of this.#files) await file.close();
  }
}

/** Which file has which tensor, as the index says; undefined where one file has all. */
async function shardsOf(folder: string): Promise<ReadonlyMap<string, string> | undefined> {
  if ((await statIfThere(join(folder, WEIGHTS_FILE))) !== undefined) return undefined;
  if ((await statIfThere(join(folder, INDEX_FILE))) === undefined) return undefined;
  const { output, issues } = v.safeParse(indexSchema, await readJson(folder, INDEX_FILE));
  if (issues !== undefined) throw badModel(folder, `${INDEX_FILE}: ${issues[0].message}`);
  const shards = new Map(Object.entries(output.weight_map));
  if (new Set(shards.values()).size > MOST_SHARDS)
    throw badModel(folder, `${INDEX_FILE} names over ${MOST_SHARDS} files`);
  return shards;
}

/** @throws {LoraError} `bad-model` */
export async function readJson(folder: string, name: string): Promise<unknown> {
  const path = join(folder, name);
  if (!(await statIfThere(path))?.isFile()) throw badModel(folder, `it has no ${name}`);
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    throw badModel(folder, `${name} is no JSON`, cause);
  }
}

export function badModel(folder: string, problem: string, cause?: unknown): LoraError {
  const remedy = "give a folder with config.json, tokenizer.json and model.safetensors, or an index of its shards";
  return new LoraError("bad-model", `${folder}: ${problem}`, remedy, { cause });
}
