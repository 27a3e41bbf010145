import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { replaceFile } from "../language-model/replace-file.ts";
import { SafetensorsReader } from "../language-model/safetensors-reader.ts";
import { safetensorsPieces, type TensorSource } from "../language-model/safetensors-writer.ts";
import { readJson } from "../lora/weight-files.ts";
import { CATEGORIES } from "./capability.ts";
import { DistillationError } from "./distillation-error.ts";
import { PRECISIONS } from "./quantized-weights.ts";

export const PROFILE_FILE = "profile.json";
export const COMPONENTS_FILE = "components.safetensors";

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const finite = v.pipe(v.number(), v.finite());

/** What is known of a teacher, apart from the numbers of its components. */
export const profileSummarySchema = v.strictObject({
  format: v.literal("lockstep profile"),
  version: v.literal(1),
  category: v.picklist(CATEGORIES),
  precision: v.picklist(PRECISIONS),
  /** Questions whose coordinates are kept: the first that this seed draws. */
  probes: count,
  seed: count,
  /** Parameters of the teacher, and the bytes that they were held in. */
  parameters: count,
  heldBytes: count,
  width: count,
  /** Layers of the teacher, and what leaving each of them out costs. */
  ablation: v.array(v.strictObject({ layer: count, lossRise: finite })),
  /** Layers of which components are kept, in the order of the model. */
  layers: v.array(
    v.strictObject({
      layer: count,
      /** Tokens whose activations were seen, and went. */
      tokens: count,
      totalVariance: finite,
      /** Components that have `varianceShare` of the variance. */
      intrinsicDimension: count,
      components: count,
      /** Of the variance, what the kept components have. */
      keptShare: finite,
    }),
  ),
  /** The rule's share. */
  varianceShare: finite,
  audit: v.strictObject({
    /** The largest of the layers'. */
    intrinsicDimension: count,
    maxRank: count,
    /** Of the adapter: the smaller one. */
    rank: count,
    isLimited: v.boolean(),
  }),
  /** Numbers that the streams of components held at most, counted as they ran, and those of all activations that went through. */
  memory: v.strictObject({ heldNumbers: count, seenNumbers: count }),
});
export type ProfileSummary = v.InferOutput<typeof profileSummarySchema>;

/** Directions of most variance behind one layer of a teacher. */
export interface LayerComponents {
  readonly layer: number;
  /** Shape (width). */
  readonly mean: Float32Array;
  /** Shape (components, width), orthonormal rows. */
  readonly basis: Float32Array;
  /** Shape (components): shares of the total variance. */
  readonly explained: Float32Array;
  /** Shape (tokens of the probes, components): what the teacher's activations are on the basis. */
  readonly probes: Float32Array;
}

/** A teacher's profile. */
export interface Profile {
  readonly summary: ProfileSummary;
  readonly layers: readonly LayerComponents[];
}

/** Write a profile: numbers in float16, and what is known in JSON, last. @throws {LanguageModelError} `no-room` */
export async function writeProfile(folder: string, { summary, layers }: Profile): Promise<void> {
  const sources = layers.flatMap(({ layer, mean, basis, explained, probes }): TensorSource[] => {
    const components = explained.length;
    const tensor = (name: string, shape: readonly number[], values: Float32Array): TensorSource => {
      return { name: `layer.${layer}.${name}`, shape, type: "F16", read: () => Float16Array.from(values) };
    };
    return [
      tensor("mean", [mean.length], mean),
      tensor("basis", [components, mean.length], basis),
      tensor("explained", [components], explained),
      tensor("probes", [probes.length / components, components], probes),
    ];
  });
  await mkdir(folder, { recursive: true });
  await replaceFile(join(folder, COMPONENTS_FILE), safetensorsPieces(sources, new Map()));
  await replaceFile(join(folder, PROFILE_FILE), [`${JSON.stringify(summary, undefined, 2)}\n`]);
}

/** Mirror of `writeProfile`. @throws {DistillationError} `bad-profile`; {LanguageModelError} what the tensors' file is not */
export async function readProfile(folder: string): Promise<Profile> {
  const { output: summary, issues } = v.safeParse(profileSummarySchema, await readJson(folder, PROFILE_FILE));
  if (issues !== undefined) {
    const problem = `${join(folder, PROFILE_FILE)}, ${v.getDotPath(issues[0]) ?? "all of it"}: ${issues[0].message}`;
    throw new DistillationError("bad-profile", problem, "profile the teacher again");
  }
  const path = join(folder, COMPONENTS_FILE);
  const file = await open(path);
  try {
    const reader = await SafetensorsReader.open(file, path);
    const places = new Map(Array.from(reader.tensors, ({ name, shape }) => [name, shape]));
    const layers: LayerComponents[] = [];
    for (const { layer, components } of summary.layers) {
      const tokens = places.get(`layer.${layer}.probes`)?.[0] ?? 0;
      const read = async (name: string, shape: readonly number[]) =>
        Float32Array.from(await reader.floats(`layer.${layer}.${name}`, shape));
      layers.push({
        layer,
        mean: await read("mean", [summary.width]),
        basis: await read("basis", [components, summary.width]),
        explained: await read("explained", [components]),
        probes: await read("probes", [tokens, components]),
      });
    }
    return { summary, layers };
  } finally {
    await file.close();
  }
}
