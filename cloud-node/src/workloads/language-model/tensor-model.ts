import type { Engine, ParameterPart, TrainOutcome } from "../../tensor/engine.ts";
import type { OptimizerStep } from "../../tensor/optimizer.ts";
import { ProgramBuilder } from "../../tensor/program-builder.ts";
import { RandomStream } from "../../tensor/random.ts";
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

/** An input of ones, with zeros where a channel is left out. */
interface Mask {
  readonly name: string;
  readonly values: Float32Array;
}

/** A model as one recorded program over a backend of the tensor engine. */
export class TensorModel implements Model {
  readonly #engine: Engine;
  readonly #config: ModelConfig;
  readonly #seed: number;
  readonly #masks: readonly Mask[];
  /** Whether the masks leave anything out as they are. */
  #isMasked = true;

  private constructor(engine: Engine, config: ModelConfig, seed: number, masks: readonly Mask[]) {
    this.#engine = engine;
    this.#config = config;
    this.#seed = seed;
    this.#masks = masks;
  }

  /**
   * Begin with what the seed says.
   *
   * @param rows  of every batch, a multiple of the shards
   * @throws {TensorError} what the backend cannot hold
   */
  static async create(backend: ShardedBackend, config: ModelConfig, rows: number, seed: number): Promise<TensorModel> {
    const builder = new ProgramBuilder();
    const sequences = rows / backend.shards;
    const count = sequences * config.context;
    const masks: Mask[] = [];
    const ids = builder.input("tokens", [count], "i32");
    const targets = builder.input("targets", [count], "i32");
    const drop = (x: Parameters<ProgramBuilder["mul"]>[0]) => {
      const mask = { name: `dropout.${masks.length}`, values: new Float32Array(rows * config.context * config.width) };
      masks.push(mask);
      return builder.mul(x, builder.input(mask.name, [count, config.width], "f32"));
    };
    const plan = { sequences, length: config.context, ...(config.dropout > 0 ? { drop } : {}) };
    const program = builder.build(builder.crossEntropy(recordLogits(builder, config, ids, plan), targets));
    const engine = await backend.load(program);
    for (const spec of parameterSpecs(config)) engine.set(spec.name, initialValues(spec, seed));
    return new TensorModel(engine, config, seed, masks);
  }

  async train(batch: Batch, update: OptimizerStep): Promise<TrainOutcome> {
    this.#feed(batch);
    this.#mask(update.step);
    return this.#engine.train(update);
  }

  async loss(batch: Batch): Promise<number> {
    if (countTargets(batch.targets) === 0) return Number.NaN;
    this.#feed(batch);
    this.#unmask();
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

  #feed({ inputs, targets }: Batch): void {
    this.#engine.input("tokens", inputs);
    this.#engine.input("targets", targets);
  }

  /** Leave out other channels in each step; the others grow by what is left out on average. */
  #mask(step: number): void {
    const { dropout } = this.#config;
    for (const { name, values } of this.#masks) {
      const stream = new RandomStream(this.#seed, `${name}/${step}`);
      for (let at = 0; at < values.length; at += 1) values[at] = stream.nextUniform() < dropout ? 0 : 1 / (1 - dropout);
      this.#engine.input(name, values);
    }
    this.#isMasked = true;
  }

  #unmask(): void {
    if (!this.#isMasked) return;
    for (const { name, values } of this.#masks) this.#engine.input(name, values.fill(1));
    this.#isMasked = false;
  }
}
