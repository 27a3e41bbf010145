import type { Engine, ParameterPart, TrainOutcome } from "../../tensor/engine.ts";
import type { OptimizerStep } from "../../tensor/optimizer.ts";
import { ProgramBuilder } from "../../tensor/program-builder.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { type Batch, countTargets } from "./batch.ts";
import { initialValues } from "./initial-values.ts";
import { AVERAGE_PREFIX, type Model, SQUARE_PREFIX } from "./model.ts";
import type { ModelConfig } from "./model-config.ts";
import type { ShardedBackend } from "./open-backend.ts";
import { parameterSpecs } from "./parameters.ts";
import type { SafetensorsReader } from "./safetensors-reader.ts";
import type { TensorSource } from "./safetensors-writer.ts";
import { recordLogits } from "./transformer-program.ts";

/** What a checkpoint keeps of each parameter, and under which name. */
const KEPT: readonly (readonly [prefix: string, part: ParameterPart])[] = [
  ["", "value"],
  [AVERAGE_PREFIX, "average"],
  [SQUARE_PREFIX, "squareAverage"],
];

/** Between the seeds of parts of one batch: an odd number with bits all over. */
const SEED_DISTANCE = 0x9e37_79b9;

/** A model as one recorded program over a backend of the tensor engine. */
export class TensorModel implements Model {
  readonly #engine: Engine;
  readonly #config: ModelConfig;
  /** What chance leaves out depends on it. */
  readonly #dropoutSeed: number;

  private constructor(engine: Engine, config: ModelConfig, dropoutSeed: number) {
    this.#engine = engine;
    this.#config = config;
    this.#dropoutSeed = dropoutSeed;
  }

  /**
   * Begin with what the seed says.
   *
   * @param rows  of every batch, a multiple of the shards
   * @param part  which part of a larger batch the rows are: each leaves out channels of its own
   * @throws {TensorError} what the backend cannot hold
   */
  static async create(
    backend: ShardedBackend,
    config: ModelConfig,
    rows: number,
    seed: number,
    part = 0,
  ): Promise<TensorModel> {
    const builder = new ProgramBuilder();
    const sequences = rows / backend.shards;
    const count = sequences * config.context;
    const ids = builder.input("tokens", [count], "i32");
    const targets = builder.input("targets", [count], "i32");
    const plan = { sequences, length: config.context, dropout: config.dropout };
    const program = builder.build(builder.crossEntropy(recordLogits(builder, config, ids, plan), targets));
    const engine = await backend.load(program);
    for (const spec of parameterSpecs(config)) engine.set(spec.name, initialValues(spec, seed));
    return new TensorModel(engine, config, (seed + Math.imul(part, SEED_DISTANCE)) >>> 0);
  }

  async train(batch: Batch, update: OptimizerStep): Promise<TrainOutcome> {
    this.#feed(batch);
    this.#engine.setDropout({ seed: this.#dropoutSeed, step: update.step });
    return this.#engine.train(update);
  }

  /** Compute the gradient over a batch. @param step  1 …. @returns the mean loss, nats */
  async backward(batch: Batch, step: number): Promise<number> {
    this.#feed(batch);
    this.#engine.setDropout({ seed: this.#dropoutSeed, step });
    return await this.#engine.backward();
  }

  /** Change the parameters by their gradients. @returns the gradients' length; where it is not finite nothing was changed */
  async update(update: OptimizerStep): Promise<number> {
    return await this.#engine.step(update);
  }

  /**
   * Copy one part of every parameter out, in the order of `parameterSpecs`.
   *
   * @param out  as many numbers as the model has
   */
  async read(part: ParameterPart, out: Float32Array): Promise<void> {
    for (const { name, values } of this.#pieces(out)) await this.#engine.get(name, part, values);
  }

  /** Mirror of `read`. */
  write(part: ParameterPart, numbers: Float32Array): void {
    for (const { name, values } of this.#pieces(numbers)) this.#engine.set(name, values, part);
  }

  async loss(batch: Batch): Promise<number> {
    if (countTargets(batch.targets) === 0) return Number.NaN;
    this.#feed(batch);
    this.#engine.setDropout();
    return this.#engine.forward();
  }

  /** ∂loss/∂parameter of the last batch that was learned from. */
  gradient(name: string): Promise<Float32Array> {
    return this.#engine.get(name, "gradient");
  }

  tensors(): TensorSource[] {
    return parameterSpecs(this.#config).flatMap(({ name, shape }) =>
      KEPT.map(([prefix, part]) => {
        return { name: `${prefix}${name}`, shape, type: "F32" as const, read: () => this.#engine.get(name, part) };
      }),
    );
  }

  async restore(reader: SafetensorsReader): Promise<void> {
    for (const { name, shape } of parameterSpecs(this.#config)) {
      for (const [prefix, part] of KEPT) {
        const values = await reader.floats(`${prefix}${name}`, shape);
        this.#engine.set(name, Float32Array.from(values), part);
      }
    }
  }

  close(): void {
    this.#engine.close();
  }

  *#pieces(numbers: Float32Array): Generator<{ readonly name: string; readonly values: Float32Array }> {
    let at = 0;
    for (const { name, shape } of parameterSpecs(this.#config)) {
      const values = numbers.subarray(at, at + sizeOf(shape));
      yield { name, values };
      at += values.length;
    }
  }

  #feed({ inputs, targets }: Batch): void {
    this.#engine.input("tokens", inputs);
    this.#engine.input("targets", targets);
  }
}
