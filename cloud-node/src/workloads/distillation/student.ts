import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import type { WeightSource } from "../language-model/decoder.ts";
import type { ModelConfig } from "../language-model/model-config.ts";
import { parameterCount, parameterSpecs } from "../language-model/parameters.ts";
import { replaceFile } from "../language-model/replace-file.ts";
import { SafetensorsReader, toFloat32 } from "../language-model/safetensors-reader.ts";
import { safetensorsPieces } from "../language-model/safetensors-writer.ts";
import { statIfThere } from "../language-model/stat-if-there.ts";
import { readAdapter, writeAdapter } from "../lora/adapter-file.ts";
import { TARGET_MODULES } from "../lora/llama-names.ts";
import { type Adapter, adaptedMatrices, type LowRankPlan, scaleOf } from "../lora/low-rank.ts";
import { loadModelFolder } from "../lora/model-folder.ts";
import { CATEGORIES, type Category } from "./capability.ts";
import { readChecked } from "./evidence.ts";
import { writeLlama } from "./llama.ts";
import { type Router, routerSchema } from "./router.ts";

export const STUDENT_FILE = "student.json";
export const ROUTER_FILE = "router.json";
export const ADAPTERS_FOLDER = "adapters";
/** Of a student that is still taught: maps to its teachers' subspaces. */
export const ANCHORS_FILE = "anchors.safetensors";

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** `student.json`: what a student is made of, beside its weights. */
export const studentPlanSchema = v.strictObject({
  format: v.literal("lockstep student"),
  version: v.literal(1),
  adapters: v.pipe(
    v.array(
      v.strictObject({
        category: v.picklist(CATEGORIES),
        rank: v.pipe(count, v.minValue(1)),
        alpha: v.pipe(v.number(), v.gtValue(0), v.finite()),
        targets: v.array(v.picklist(TARGET_MODULES)),
        /** Of the teacher, whose subspaces are protected. */
        layers: v.array(count),
      }),
    ),
    v.minLength(1),
  ),
  parameters: v.strictObject({ backbone: count, adapters: count, router: count, total: count, teachers: count }),
});
export type StudentPlan = v.InferOutput<typeof studentPlanSchema>;

/** A student, in memory. */
export interface Student {
  readonly plan: StudentPlan;
  readonly config: ModelConfig;
  readonly weights: WeightSource;
  readonly adapters: ReadonlyMap<Category, Adapter>;
  readonly router: Router;
  /** Maps that learned beside it, by name; none in a student that is done. */
  readonly anchors?: ReadonlyMap<string, Float32Array> | undefined;
}

/** How an adapter stands beside the backbone in a program. */
export function lowRankPlan(adapter: Omit<Adapter, "pairs">): LowRankPlan {
  return { rank: adapter.rank, targets: adapter.targets, dropout: 0, scale: scaleOf(adapter) };
}

/** Numbers of an adapter of this rank. */
export function adapterParameters(config: ModelConfig, rank: number, targets: Adapter["targets"]): number {
  const matrices = adaptedMatrices(config, targets);
  return matrices.reduce((sum, { shape: [outputs = 0, inputs = 0] }) => sum + rank * (outputs + inputs), 0);
}

/** Write a student: a Llama's folder, `adapters/CATEGORY` as PEFT has them, `router.json`, and `student.json` last. */
export async function writeStudent(folder: string, student: Student): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeLlama(folder, student.config, student.weights);
  for (const [category, adapter] of student.adapters) {
    await writeAdapter(join(folder, ADAPTERS_FOLDER, category), adapter);
  }
  if (student.anchors !== undefined) {
    const sources = [...student.anchors].map(([name, values]) => {
      return { name, shape: [values.length], type: "F32" as const, read: () => values };
    });
    await replaceFile(join(folder, ANCHORS_FILE), safetensorsPieces(sources, new Map()));
  }
  await replaceFile(join(folder, ROUTER_FILE), [`${JSON.stringify(student.router)}\n`]);
  await replaceFile(join(folder, STUDENT_FILE), [`${JSON.stringify(student.plan, undefined, 2)}\n`]);
}

/** Mirror of `writeStudent`: all of it is in memory. @throws {DistillationError} `bad-student`; {LoraError} of its parts */
export async function readStudent(folder: string): Promise<Student> {
  const plan = await readChecked(join(folder, STUDENT_FILE), studentPlanSchema, "bad-student");
  const router = await readChecked(join(folder, ROUTER_FILE), routerSchema, "bad-student");
  const model = await loadModelFolder(folder);
  try {
    const { config } = model;
    const held = new Map<string, Float32Array<ArrayBuffer>>();
    for (const { name, shape } of parameterSpecs(config)) {
      held.set(name, toFloat32(await model.weights.floats(name, shape)));
    }
    const adapters = new Map<Category, Adapter>();
    for (const { category } of plan.adapters) {
      adapters.set(category, await readAdapter(join(folder, ADAPTERS_FOLDER, category), config));
    }
    const floats = (name: string) => Promise.resolve(Float32Array.from(held.get(name) ?? []));
    return { plan, router, config, adapters, weights: { floats }, anchors: await readAnchors(folder) };
  } finally {
    await model.close();
  }
}

async function readAnchors(folder: string): Promise<Map<string, Float32Array> | undefined> {
  const path = join(folder, ANCHORS_FILE);
  if ((await statIfThere(path)) === undefined) return undefined;
  const file = await open(path);
  try {
    const reader = await SafetensorsReader.open(file, path);
    const anchors = new Map<string, Float32Array>();
    for (const { name, shape } of reader.tensors) anchors.set(name, toFloat32(await reader.floats(name, shape)));
    return anchors;
  } finally {
    await file.close();
  }
}

/** Parameters of a student by its parts. */
export function countParameters(
  config: ModelConfig,
  plans: StudentPlan["adapters"],
): { backbone: number; adapters: number } {
  const adapters = plans.reduce((sum, { rank, targets }) => sum + adapterParameters(config, rank, targets), 0);
  return { backbone: parameterCount(config), adapters };
}
