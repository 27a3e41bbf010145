import type { Engine, ParameterPart, TrainOutcome } from "../../tensor/engine.ts";
import type { OptimizerStep } from "../../tensor/optimizer.ts";
import { ProgramBuilder } from "../../tensor/program-builder.ts";
import { normalNumbers, uniformNumbers } from "../../tensor/random.ts";
import { sizeOf, type Tensor } from "../../tensor/tensor.ts";
import type { WeightSource } from "../language-model/decoder.ts";
import type { ModelConfig } from "../language-model/model-config.ts";
import type { ShardedBackend } from "../language-model/open-backend.ts";
import { parameterSpecs } from "../language-model/parameters.ts";
import { toFloat32 } from "../language-model/safetensors-reader.ts";
import { recordWeights } from "../language-model/transformer-program.ts";
import type { AnswerBatch, BatchShape } from "../lora/answer-batch.ts";
import { adaptedMatrices, type LowRankPair, pairNames } from "../lora/low-rank.ts";
import {
  type AnchorPlan,
  type BranchPlan,
  projectionNames,
  type RecordedBranch,
  recordBranch,
} from "./record-branch.ts";

/** One Llama, and what it is asked and taught in one step. */
export interface BranchedPlan {
  readonly config: ModelConfig;
  /** Parts of a step, each with its own questions, of a size of its own, and its own adapter. */
  readonly branches: readonly BranchPlan[];
  readonly isBackboneTrained: boolean;
  readonly areAdaptersTrained: boolean;
}

/** Everything that learning goes on from, by name. */
export type Snapshot = ReadonlyMap<string, readonly [Float32Array, Float32Array, Float32Array]>;

const KEPT: readonly ParameterPart[] = ["value", "average", "squareAverage"];

/**
 * A Llama whose weights several branches share in one program: each has its questions, its adapter, and the anchors that its
 * teacher gives. A step learns from all of them at once. The losses of branches count alike.
 */
export class BranchedModel {
  readonly plan: BranchedPlan;
  readonly shards: number;
  readonly #engine: Engine;
  readonly #branches: ReadonlyMap<string, RecordedBranch>;

  private constructor(plan: BranchedPlan, shards: number, engine: Engine, branches: readonly RecordedBranch[]) {
    this.plan = plan;
    this.shards = shards;
    this.#engine = engine;
    this.#branches = new Map(branches.map((branch) => [branch.plan.name, branch]));
  }

  /**
   * Adapters begin as `LowRankModel`'s do, and change nothing. Maps of anchors are drawn: from zero they would learn to fit what
   * the student has, and teach it less.
   *
   * @throws {TensorError} what the backend cannot hold; and as the weights
   */
  static async create(
    backend: ShardedBackend,
    plan: BranchedPlan,
    weights: WeightSource,
    seed: number,
  ): Promise<BranchedModel> {
    const { config, isBackboneTrained: isTrained, areAdaptersTrained } = plan;
    const builder = new ProgramBuilder();
    const shared = recordWeights(builder, config, { isTrained });
    const branches = plan.branches.map((branch) => recordBranch(builder, config, shared, branch));
    const [first, ...others] = branches.map(({ loss }) => loss);
    const total = others.reduce((sum, loss) => builder.add(sum, loss), first as Tensor);
    const withGradients = isTrained || areAdaptersTrained || plan.branches.some(({ isHeard }) => isHeard);
    const program = builder.build(builder.scale(total, 1 / branches.length), { withGradients });
    const engine = await backend.load(program);
    const model = new BranchedModel(plan, backend.shards, engine, branches);
    await model.setWeights(weights);
    for (const { name, tensor } of program.parameters) {
      const [inputs, count] = [tensor.shape[1] ?? 1, sizeOf(tensor.shape)];
      if (name.endsWith("/map")) engine.set(name, normalNumbers(count, 1 / Math.sqrt(inputs), seed, name));
      if (name.endsWith(".lora_A")) engine.set(name, uniformNumbers(count, 1 / Math.sqrt(inputs), seed, name));
    }
    return model;
  }

  /** What one branch is asked from now on. */
  feed(branch: string, { tokens, asked, targets }: AnswerBatch): void {
    this.#engine.input(`${branch}/tokens`, tokens);
    this.#engine.input(`${branch}/asked`, asked);
    this.#engine.input(`${branch}/targets`, targets);
  }

  /** What is added to the cross-entropy: the product of these numbers and the logits. Shape (shards, sequences, answers, vocabulary). */
  feedSoft(branch: string, values: Float32Array): void {
    this.#engine.input(`${branch}/soft`, values);
  }

  /** Shapes (shards, sequences, length, components); `negated` are the coordinates to be met, with their sign turned. */
  feedAnchor(branch: string, { of }: AnchorPlan, negated: Float32Array, weights: Float32Array): void {
    this.#engine.input(`${branch}/anchor/${of}/negated`, negated);
    this.#engine.input(`${branch}/anchor/${of}/weights`, weights);
  }

  /** One step of learning. Where loss or gradient are no finite numbers, nothing is changed. */
  train(update: OptimizerStep): Promise<TrainOutcome> {
    return this.#engine.train(update);
  }

  /** Compute gradients, and change nothing. @returns the loss */
  backward(): Promise<number> {
    return this.#engine.backward();
  }

  /** @returns the loss */
  forward(): Promise<number> {
    return this.#engine.forward();
  }

  /** ∂loss/∂parameter of the last batch that was learned from. */
  gradient(name: string): Promise<Float32Array> {
    return this.#engine.get(name, "gradient");
  }

  /** Of the last run: shape (shards, sequences, answers, vocabulary). */
  logits(branch: string): Promise<Float32Array> {
    return this.#engine.read(this.#of(branch).logits);
  }

  /** The residual stream behind a layer, of the last run: shape (shards, sequences, length, width). */
  hidden(branch: string, layer: number): Promise<Float32Array> {
    return this.#engine.read(this.#of(branch).hidden[layer] as Tensor);
  }

  /** What a layer is projected on from now on. @param basis  shape (components, width), orthonormal rows */
  setProjection(branch: string, layer: number, { mean, basis }: { mean: Float32Array; basis: Float32Array }): void {
    const { basis: directions, offset } = projectionNames(branch, layer);
    this.#engine.set(directions, basis);
    const rows = Array.from({ length: basis.length / mean.length }, (_, row) => basis.subarray(row * mean.length));
    this.#engine.set(
      offset,
      Float32Array.from(
        rows,
        (direction) => -mean.reduce((sum, number, at) => sum + number * (direction[at] as number), 0),
      ),
    );
  }

  /** Coordinates of a projected layer, of the last run: shape (shards, sequences, length, components). */
  coordinates(branch: string, layer: number): Promise<Float32Array> {
    return this.#engine.read(this.#of(branch).coordinates.get(layer) as Tensor);
  }

  /** The parts of a branch's loss in the last run. */
  async losses(branch: string): Promise<{ readonly output: number; readonly anchor: number }> {
    const { outputLoss, anchorLoss } = this.#of(branch);
    const sum = async (tensor: Tensor | undefined) =>
      tensor === undefined ? 0 : (await this.#engine.read(tensor)).reduce((total, part) => total + part, 0);
    return { output: await sum(outputLoss), anchor: await sum(anchorLoss) };
  }

  /** Names of what learns. */
  get trained(): readonly string[] {
    return this.#engine.program.parameters.filter(({ gradient }) => gradient !== undefined).map(({ name }) => name);
  }

  /** Of these, a backbone's matrices, which Muon is for; and all the others. */
  get learning(): { readonly matrices: readonly string[]; readonly others: readonly string[] } {
    const specs = parameterSpecs(this.plan.config).filter(({ group }) => group === "matrix");
    const all = new Set(specs.map(({ name }) => name));
    const { true: matrices = [], false: others = [] } = Object.groupBy(this.trained, (name) => `${all.has(name)}`);
    return { matrices, others };
  }

  /** Numbers that learn. */
  get trainedParameters(): number {
    const trained = this.#engine.program.parameters.filter(({ gradient }) => gradient !== undefined);
    return trained.reduce((total, { tensor }) => total + sizeOf(tensor.shape), 0);
  }

  shapeOf(branch: string): BatchShape {
    return this.#of(branch).plan.shape;
  }

  /** The backbone as it is now. */
  get weights(): WeightSource {
    return { floats: async (name) => (await this.#engine.get(name)) as Float32Array<ArrayBuffer> };
  }

  async setWeights(weights: WeightSource): Promise<void> {
    for (const { name, shape } of parameterSpecs(this.plan.config)) {
      this.#engine.set(name, toFloat32(await weights.floats(name, shape)));
    }
  }

  /** A copy of one parameter of the backbone. */
  weight(name: string): Promise<Float32Array> {
    return this.#engine.get(name);
  }

  /** Mirror of `weight`. */
  setWeight(name: string, values: Float32Array): void {
    this.#engine.set(name, values);
  }

  /** A copy of a branch's adapter. */
  async pairs(branch: string): Promise<Map<string, LowRankPair>> {
    const pairs = new Map<string, LowRankPair>();
    for (const weight of this.#adapted(branch)) {
      const { down, up } = pairNames(weight, `${branch}/`);
      pairs.set(weight, { down: await this.#engine.get(down), up: await this.#engine.get(up) });
    }
    return pairs;
  }

  /** Mirror of `pairs`. */
  setPairs(branch: string, pairs: ReadonlyMap<string, LowRankPair>): void {
    for (const [weight, pair] of pairs) {
      const { down, up } = pairNames(weight, `${branch}/`);
      this.#engine.set(down, pair.down);
      this.#engine.set(up, pair.up);
    }
  }

  /** Copies of the anchors' maps and biases, by name: what learns beside the student, and goes. */
  async anchors(): Promise<Map<string, Float32Array>> {
    const found = new Map<string, Float32Array>();
    for (const name of this.trained.filter(isAnchor)) found.set(name, await this.#engine.get(name));
    return found;
  }

  /** Mirror of `anchors`; those that this model does not have are left out. */
  setAnchors(anchors: ReadonlyMap<string, Float32Array>): void {
    for (const name of this.trained.filter(isAnchor)) {
      const values = anchors.get(name);
      if (values !== undefined) this.#engine.set(name, values);
    }
  }

  /** Copy all that learns. */
  async snapshot(): Promise<Snapshot> {
    const kept = new Map<string, readonly [Float32Array, Float32Array, Float32Array]>();
    for (const name of this.trained) {
      const [value, average, square] = KEPT.map((part) => this.#engine.get(name, part));
      kept.set(name, [await value, await average, await square] as [Float32Array, Float32Array, Float32Array]);
    }
    return kept;
  }

  /** Mirror of `snapshot`. */
  restore(snapshot: Snapshot): void {
    for (const [name, parts] of snapshot) {
      for (const [at, part] of KEPT.entries()) this.#engine.set(name, parts[at] as Float32Array, part);
    }
  }

  close(): void {
    this.#engine.close();
  }

  #of(branch: string): RecordedBranch {
    const found = this.#branches.get(branch);
    if (found === undefined) throw new RangeError(`there is no branch ${branch}`);
    return found;
  }

  #adapted(branch: string): string[] {
    const { adapter } = this.#of(branch).plan;
    if (adapter === undefined) return [];
    return adaptedMatrices(this.plan.config, adapter.targets).map(({ name }) => name);
  }
}

function isAnchor(name: string): boolean {
  return /\/anchor\/\d+\/(map|bias)$/.test(name);
}
