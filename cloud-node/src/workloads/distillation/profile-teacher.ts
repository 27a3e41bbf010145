import { parameterCount } from "../language-model/parameters.ts";
import { layOutBatch } from "../lora/answer-batch.ts";
import { type TokenizedExample, tokenizeExamples } from "../lora/tokenized-example.ts";
import { BranchedModel } from "./branched-model.ts";
import { capabilityOf } from "./capabilities.ts";
import type { Category } from "./capability.ts";
import { DistillationError } from "./distillation-error.ts";
import { ExamplePool, takeExamples } from "./example-pool.ts";
import { ablateLayers, keyLayers } from "./layer-ablation.ts";
import type { ProfileOptions } from "./options.ts";
import { type LayerComponents, type ProfileSummary, writeProfile } from "./profile-file.ts";
import type { RunHooks } from "./run-hooks.ts";
import { type PrincipalComponents, StreamingPca } from "./streaming-pca.ts";
import { loadTeacher, type Teacher } from "./teacher.ts";
import { takeCoordinates, tokenRows } from "./teacher-voice.ts";

/** Sequences that go through a teacher at once. */
const SEQUENCES = 16;

/** A teacher to be profiled. */
export interface ProfileRequest {
  readonly category: Category;
  /** Folder of the model. */
  readonly teacher: string;
  readonly options: ProfileOptions;
  readonly seed: number;
}

/** Questions that a teacher is asked while it is profiled: the first of those that it is learned from. */
export function probesOf(category: Category, { probes }: Pick<ProfileOptions, "probes">, seed: number) {
  return takeExamples(capabilityOf(category), probes, seed);
}

/**
 * Find out where a teacher knows what it knows: the layers that it misses most, and the subspace that its activations behind
 * them take up. Activations go through the stream batch by batch, and none of them is kept.
 *
 * @param out  folder that gets the profile
 * @throws as `loadTeacher`
 */
export async function profileTeacher(out: string, request: ProfileRequest, run: RunHooks): Promise<ProfileSummary> {
  const { category, options, seed } = request;
  const teacher = await loadTeacher(request.teacher, options.precision);
  const all = takeExamples(capabilityOf(category), options.probes + options.questions, seed);
  const examples = tokenizeExamples(teacher, all);
  const probes = examples.slice(0, options.probes);
  const backend = await run.backend();
  const shape = new ExamplePool(examples, seed).shapeFor(SEQUENCES, backend.shards);
  const plan = {
    ...{ config: teacher.config, isBackboneTrained: false, areAdaptersTrained: false },
    branches: [{ name: category, shape, anchors: [] }],
  };
  const model = await BranchedModel.create(backend, plan, teacher.weights, seed);
  try {
    const ablation = await ablateLayers(model, category, probes);
    const layers = keyLayers(ablation, options.keyLayers);
    const width = teacher.config.width;
    const streams = new Map(layers.map((layer) => [layer, new StreamingPca(width, options.streamRank)]));
    const rest = examples.slice(options.probes);
    for (let first = 0; first < rest.length; first += SEQUENCES) {
      run.signal.throwIfAborted();
      await forEachActivation(model, category, rest.slice(first, first + SEQUENCES), layers, (layer, row) => {
        streams.get(layer)?.add(row);
      });
      run.onProgress(first / rest.length, `${category}: ${first} of ${rest.length} questions`);
    }
    const found = layers.map((layer) => judge(layer, (streams.get(layer) as StreamingPca).components(), options));
    const kept: LayerComponents[] = [];
    for (const { layer, components } of found) kept.push(await keep(model, category, layer, components, probes));
    const held = [...streams.values()].reduce((sum, { heldNumbers }) => sum + heldNumbers, 0);
    const summary = summaryOf(request, teacher, ablation, found, held);
    await writeProfile(out, { summary, layers: kept });
    return summary;
  } finally {
    model.close();
  }
}

/** Be told what is behind some layers at each token of some examples: numbers that the next batch overwrites. */
export async function forEachActivation(
  model: BranchedModel,
  branch: string,
  examples: readonly TokenizedExample[],
  layers: readonly number[],
  take: (layer: number, row: Float32Array) => void,
): Promise<void> {
  const shape = model.shapeOf(branch);
  const { width } = model.plan.config;
  model.feed(branch, layOutBatch(examples, shape));
  await model.forward();
  for (const layer of layers) {
    const hidden = await model.hidden(branch, layer);
    for (const row of tokenRows(examples, shape)) take(layer, hidden.subarray(row * width, (row + 1) * width));
  }
}

interface Judged {
  readonly layer: number;
  /** As many as are kept. */
  readonly components: PrincipalComponents;
  readonly intrinsicDimension: number;
  readonly keptShare: number;
}

/**
 * The intrinsic dimension: how many components have the stated share of the variance.
 *
 * @throws {DistillationError} `bad-profile` where all that the stream keeps has less
 */
function judge(layer: number, all: PrincipalComponents, options: ProfileOptions): Judged {
  const { varianceShare, maxComponents, streamRank } = options;
  const total = Math.max(all.totalVariance, Number.MIN_VALUE);
  let [intrinsicDimension, sum] = [0, 0];
  while (intrinsicDimension < all.variances.length && sum < varianceShare * total) {
    sum += all.variances[intrinsicDimension] as number;
    intrinsicDimension += 1;
  }
  // Sums of shares may miss one by rounding.
  if (sum < varianceShare * total * (1 - Number.EPSILON * all.basis.length)) {
    const problem = `layer ${layer}: ${streamRank} directions have ${(sum / total).toFixed(3)} of the variance, not ${varianceShare}`;
    throw new DistillationError("bad-profile", problem, "raise profile.streamRank, or lower profile.varianceShare");
  }
  const count = Math.min(intrinsicDimension, maxComponents);
  const variances = all.variances.slice(0, count);
  const keptShare = variances.reduce((all, variance) => all + variance, 0) / total;
  return { layer, components: { ...all, basis: all.basis.slice(0, count), variances }, intrinsicDimension, keptShare };
}

async function keep(
  model: BranchedModel,
  branch: string,
  layer: number,
  { mean, basis, variances, totalVariance }: PrincipalComponents,
  probes: readonly TokenizedExample[],
): Promise<LayerComponents> {
  const parts = {
    ...{ layer, mean: Float32Array.from(mean) },
    basis: Float32Array.from(basis.flatMap((direction) => [...direction])),
    explained: Float32Array.from(variances, (variance) => variance / totalVariance),
  };
  const tokens = probes.reduce((sum, { tokens }) => sum + tokens.length - 1, 0);
  const coordinates = new Float32Array(tokens * basis.length);
  let at = 0;
  for (let first = 0; first < probes.length; first += SEQUENCES) {
    await forEachActivation(model, branch, probes.slice(first, first + SEQUENCES), [layer], (_, row) => {
      takeCoordinates(row, parts, coordinates, at);
      at += basis.length;
    });
  }
  return { ...parts, probes: coordinates };
}

function summaryOf(
  { category, options, seed }: ProfileRequest,
  { config, weights }: Teacher,
  ablation: ProfileSummary["ablation"],
  found: readonly Judged[],
  heldNumbers: number,
): ProfileSummary {
  const intrinsicDimension = Math.max(...found.map((each) => each.intrinsicDimension));
  const tokens = found[0]?.components.count ?? 0;
  return {
    ...{ format: "lockstep profile", version: 1, category, precision: options.precision },
    ...{ probes: options.probes, seed },
    ...{ parameters: parameterCount(config), heldBytes: weights.bytes, width: config.width, ablation },
    layers: found.map(({ layer, components, intrinsicDimension, keptShare }) => ({
      ...{ layer, tokens: components.count, totalVariance: components.totalVariance, intrinsicDimension },
      ...{ components: components.basis.length, keptShare },
    })),
    varianceShare: options.varianceShare,
    audit: {
      ...{ intrinsicDimension, maxRank: options.maxRank, rank: Math.min(intrinsicDimension, options.maxRank) },
      isLimited: intrinsicDimension > options.maxRank,
    },
    memory: { heldNumbers, seenNumbers: found.length * tokens * config.width },
  };
}
