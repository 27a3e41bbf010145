import type { ShardedBackend } from "../language-model/open-backend.ts";
import type { AnswerBatch, BatchShape } from "../lora/answer-batch.ts";
import type { TokenizedExample } from "../lora/tokenized-example.ts";
import { BranchedModel } from "./branched-model.ts";
import type { LayerComponents, Profile } from "./profile-file.ts";
import { type AnchorPlan, heardName } from "./record-branch.ts";
import type { Teacher } from "./teacher.ts";

/** A teacher that says what it thinks of each batch. */
export class TeacherVoice {
  readonly #model: BranchedModel;
  readonly #branch: string;

  private constructor(model: BranchedModel, branch: string) {
    this.#model = model;
    this.#branch = branch;
  }

  /**
   * @param shape  of the student's batches
   * @param layers  whose coordinates will be asked for
   */
  static async open(
    backend: ShardedBackend,
    { config, weights }: Teacher,
    branch: string,
    shape: BatchShape,
    layers: readonly LayerComponents[],
  ): Promise<TeacherVoice> {
    const projected = layers.map(({ layer, explained }) => ({ layer, components: explained.length }));
    const plan = {
      ...{ config, isBackboneTrained: false, areAdaptersTrained: false },
      branches: [{ name: branch, shape, anchors: [], projected, isHeard: true }],
    };
    const model = await BranchedModel.create(backend, plan, weights, 0);
    for (const components of layers) model.setProjection(branch, components.layer, components);
    return new TeacherVoice(model, branch);
  }

  /** Read a batch; what follows is about it. */
  async hear(batch: AnswerBatch): Promise<void> {
    this.#model.feed(this.#branch, batch);
    await this.#model.backward();
  }

  /**
   * What is to be multiplied with a student's logits, so that it is held to the teacher's probabilities: see `recordBranch`. It is
   * the slope of the teacher's own loss, with its sign turned.
   */
  async soft(share: number): Promise<Float32Array> {
    const slope = await this.#model.gradient(heardName(this.#branch));
    for (let at = 0; at < slope.length; at += 1) slope[at] = -share * (slope[at] as number);
    return slope;
  }

  /** Coordinates of the teacher's activations behind a layer on its kept basis. @returns shape (tokens, components) */
  async coordinates(
    { layer, explained }: LayerComponents,
    examples: readonly TokenizedExample[],
  ): Promise<Float32Array> {
    const all = await this.#model.coordinates(this.#branch, layer);
    const size = explained.length;
    const rows = tokenRows(examples, this.#model.shapeOf(this.#branch));
    const out = new Float32Array(rows.length * size);
    for (const [at, row] of rows.entries()) out.set(all.subarray(row * size, (row + 1) * size), at * size);
    return out;
  }

  close(): void {
    this.#model.close();
  }
}

/** Rows of a batch that are tokens of examples, and not what fills them up. */
export function tokenRows(examples: readonly TokenizedExample[], { length }: BatchShape): number[] {
  return examples.flatMap(({ tokens }, at) => Array.from({ length: tokens.length - 1 }, (_, row) => at * length + row));
}

/** Write what a row of activations is on a kept basis. @param at  where in `out` the first coordinate goes */
export function takeCoordinates(
  row: Float32Array,
  { mean, basis, explained }: Omit<LayerComponents, "probes">,
  out: Float32Array,
  at: number,
): void {
  const width = mean.length;
  const centred = new Float64Array(width);
  for (let i = 0; i < width; i += 1) centred[i] = (row[i] as number) - (mean[i] as number);
  for (let component = 0; component < explained.length; component += 1) {
    const from = component * width;
    let sum = 0;
    for (let i = 0; i < width; i += 1) sum += (basis[from + i] as number) * (centred[i] as number);
    out[at + component] = sum;
  }
}

/**
 * Which layers of a student are held to which layers of a teacher: those as deep, in proportion.
 *
 * @param studentLayers  of the student in all
 */
export function anchorPlans({ summary, layers }: Profile, studentLayers: number): AnchorPlan[] {
  return layers.map(({ layer, explained }) => {
    const depth = (layer + 1) / summary.ablation.length;
    return { layer: Math.max(0, Math.round(depth * studentLayers) - 1), of: layer, components: explained.length };
  });
}

/** What a branch is fed of an anchor, both of shape (rows of the batch, components). */
export interface AnchorFeed {
  readonly negated: Float32Array;
  readonly weights: Float32Array;
}

/**
 * Lay coordinates out for `recordBranch`: with these weights its loss is alpha · the mean over tokens of the squared distance
 * from them, in units of the variance that all of them have together. So 0 is a subspace that is kept, and a student that says the
 * same of every token has about alpha.
 *
 * @param coordinates  shape (tokens, components), in the order of `tokenRows`
 * @param energy  variance of all components together
 */
export function layOutAnchor(
  coordinates: Float32Array,
  rows: readonly number[],
  components: number,
  shape: BatchShape,
  { alpha, energy }: { readonly alpha: number; readonly energy: number },
): AnchorFeed {
  const size = shape.shards * shape.sequences * shape.length * components;
  const [negated, weights] = [new Float32Array(size), new Float32Array(size)];
  const weight = Math.sqrt(alpha / (Math.max(1, rows.length) * Math.max(energy, Number.MIN_VALUE)));
  for (const [at, row] of rows.entries()) {
    for (let component = 0; component < components; component += 1) {
      negated[row * components + component] = -(coordinates[at * components + component] as number);
      weights[row * components + component] = weight;
    }
  }
  return { negated, weights };
}
