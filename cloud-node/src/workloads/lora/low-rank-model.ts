import type { Engine, ParameterPart, TrainOutcome } from "../../tensor/engine.ts";
import type { OptimizerStep } from "../../tensor/optimizer.ts";
import { ProgramBuilder } from "../../tensor/program-builder.ts";
import { uniformNumbers } from "../../tensor/random.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { AVERAGE_PREFIX, SQUARE_PREFIX } from "../language-model/model.ts";
import type { ShardedBackend } from "../language-model/open-backend.ts";
import { parameterSpecs } from "../language-model/parameters.ts";
import { type SafetensorsReader, toFloat32 } from "../language-model/safetensors-reader.ts";
import type { TensorSource } from "../language-model/safetensors-writer.ts";
import { recordLogits } from "../language-model/transformer-program.ts";
import type { AnswerBatch, BatchShape } from "./answer-batch.ts";
import { adaptedMatrices, type LowRankPair, type LowRankPlan, pairNames, recordLowRank } from "./low-rank.ts";
import type { LoadedModel } from "./model-folder.ts";

const KEPT: readonly (readonly [prefix: string, part: ParameterPart])[] = [
  ["", "value"],
  [AVERAGE_PREFIX, "average"],
  [SQUARE_PREFIX, "squareAverage"],
];

/** A frozen model with low-rank maps that learn: gradients and the optimizer's states are theirs alone. */
export class LowRankModel {
  readonly #engine: Engine;
  readonly #weights: readonly string[];
  readonly #shapes: ReadonlyMap<string, readonly number[]>;
  readonly #seed: number;
  /** Room for gradients of several batches; made when there is more than one. */
  readonly #sums = new Map<string, Float32Array>();

  private constructor(engine: Engine, weights: readonly string[], seed: number) {
    this.#engine = engine;
    this.#weights = weights;
    const trained = engine.program.parameters.filter(({ gradient }) => gradient !== undefined);
    this.#shapes = new Map(trained.map(({ name, tensor }) => [name, tensor.shape]));
    this.#seed = seed;
  }

  /**
   * Begin with maps that change nothing: `up` is zero, and `down` drawn evenly within 1/√inputs, as PEFT does.
   *
   * @param shape  of all batches
   * @throws {TensorError} what the backend cannot hold; and as the model's weights
   */
  static async create(
    backend: ShardedBackend,
    model: Pick<LoadedModel, "config" | "weights">,
    plan: LowRankPlan,
    { sequences, length, answers }: BatchShape,
    seed: number,
  ): Promise<LowRankModel> {
    const { config } = model;
    const builder = new ProgramBuilder();
    const ids = builder.input("tokens", [sequences * length], "i32");
    const asked = builder.input("asked", [sequences * answers], "i32");
    const targets = builder.input("targets", [sequences * answers], "i32");
    const adapt = recordLowRank(builder, config, plan);
    const logits = recordLogits(builder, config, ids, { sequences, length, asked, isFrozen: true, adapt });
    const engine = await backend.load(builder.build(builder.crossEntropy(logits, targets)));
    for (const { name, shape } of parameterSpecs(config)) {
      engine.set(name, toFloat32(await model.weights.floats(name, shape)));
    }
    const matrices = adaptedMatrices(config, plan.targets);
    for (const {
      name,
      shape: [, inputs = 1],
    } of matrices) {
      const { down } = pairNames(name);
      engine.set(down, uniformNumbers(plan.rank * inputs, 1 / Math.sqrt(inputs), seed, down));
    }
    return new LowRankModel(
      engine,
      matrices.map(({ name }) => name),
      seed,
    );
  }

  /** Names of what is trained. */
  get trained(): readonly string[] {
    return [...this.#shapes.keys()];
  }

  /** Numbers that are trained. */
  get trainedCount(): number {
    return [...this.#shapes.values()].reduce((total, shape) => total + sizeOf(shape), 0);
  }

  /** Numbers in all. */
  get count(): number {
    return this.#engine.program.parameters.reduce((total, { tensor }) => total + sizeOf(tensor.shape), 0);
  }

  /**
   * Learn from some batches as from one: the loss is the mean over the tokens of all of them. Where it or the gradient is no
   * finite number, nothing is changed.
   */
  async train(batches: readonly AnswerBatch[], update: OptimizerStep): Promise<TrainOutcome> {
    const asked = batches.reduce((sum, { count }) => sum + count, 0);
    for (const sums of this.#sums.values()) sums.fill(0);
    let loss = 0;
    for (const [part, batch] of batches.entries()) {
      this.#feed(batch);
      this.#engine.setDropout({ seed: this.#seed, step: update.step * batches.length + part });
      if (batches.length === 1) return await this.#engine.train(update);
      loss += (batch.count / asked) * (await this.#engine.backward());
      for (const name of this.trained) await this.#addGradient(name, batch.count / asked);
    }
    if (!Number.isFinite(loss)) return { loss, gradientNorm: Number.NaN };
    for (const [name, sums] of this.#sums) this.#engine.set(name, sums, "gradient");
    return { loss, gradientNorm: await this.#engine.step(update) };
  }

  /** Mean loss over the tokens of some batches, nats; nothing is left out by chance. */
  async loss(batches: Iterable<AnswerBatch>): Promise<number> {
    this.#engine.setDropout();
    let [sum, count] = [0, 0];
    for (const batch of batches) {
      this.#feed(batch);
      sum += batch.count * (await this.#engine.forward());
      count += batch.count;
    }
    return sum / count;
  }

  /** ∂loss/∂parameter of the last batch that was learned from. */
  gradient(name: string): Promise<Float32Array> {
    return this.#engine.get(name, "gradient");
  }

  /** A copy of what was learned, by the names of the matrices. */
  async pairs(): Promise<Map<string, LowRankPair>> {
    const pairs = new Map<string, LowRankPair>();
    for (const weight of this.#weights) {
      const { down, up } = pairNames(weight);
      pairs.set(weight, { down: await this.#engine.get(down), up: await this.#engine.get(up) });
    }
    return pairs;
  }

  /** Mirror of `pairs`. */
  setPairs(pairs: ReadonlyMap<string, LowRankPair>): void {
    for (const [weight, { down, up }] of pairs) {
      this.#engine.set(pairNames(weight).down, down);
      this.#engine.set(pairNames(weight).up, up);
    }
  }

  /** Everything that learning goes on from. */
  tensors(): TensorSource[] {
    return [...this.#shapes].flatMap(([name, shape]) =>
      KEPT.map(([prefix, part]) => {
        return { name: `${prefix}${name}`, shape, type: "F32" as const, read: () => this.#engine.get(name, part) };
      }),
    );
  }

  /** Mirror of `tensors`. @throws {LanguageModelError} `foreign-checkpoint`, `truncated` */
  async restore(reader: SafetensorsReader): Promise<void> {
    for (const [name, shape] of this.#shapes) {
      for (const [prefix, part] of KEPT) {
        this.#engine.set(name, toFloat32(await reader.floats(`${prefix}${name}`, shape)), part);
      }
    }
  }

  close(): void {
    this.#engine.close();
  }

  #feed({ tokens, asked, targets }: AnswerBatch): void {
    this.#engine.input("tokens", tokens);
    this.#engine.input("asked", asked);
    this.#engine.input("targets", targets);
  }

  async #addGradient(name: string, share: number): Promise<void> {
    const gradient = await this.#engine.get(name, "gradient");
    const sums = this.#sums.get(name) ?? new Float32Array(gradient.length);
    for (let i = 0; i < sums.length; i += 1) sums[i] = (sums[i] as number) + share * (gradient[i] as number);
    this.#sums.set(name, sums);
  }
}
