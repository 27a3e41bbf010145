import type { Engine } from "../../tensor/engine.ts";
import { ProgramBuilder } from "../../tensor/program-builder.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { ModelConfig } from "./model-config.ts";
import type { ShardedBackend } from "./open-backend.ts";
import { parameterSpecs } from "./parameters.ts";
import { type SafetensorsReader, toFloat32 } from "./safetensors-reader.ts";
import { type RowPlan, recordLogits } from "./transformer-program.ts";

/** Where a model's numbers come from; each array belongs to who asked for it. */
export type WeightSource = Pick<SafetensorsReader, "floats">;

/** A trained model that is asked for one token after the other, and remembers keys and values of those before. */
export class Decoder {
  readonly #engine: Engine;
  readonly #logits: Tensor;
  readonly #context: number;
  readonly #out: Float32Array;
  /** What it looks back on, oldest first. */
  #seen: number[] = [];

  private constructor(engine: Engine, logits: Tensor, { context, vocabulary }: ModelConfig) {
    this.#engine = engine;
    this.#logits = logits;
    this.#context = context;
    this.#out = new Float32Array(vocabulary);
  }

  /**
   * @param backend  of one shard
   * @param adapt  beside the linear maps; its parameters are zero until `set`
   * @throws {LanguageModelError} `foreign-checkpoint`, `truncated`; {TensorError} what the backend cannot hold
   */
  static async create(
    backend: ShardedBackend,
    config: ModelConfig,
    source: WeightSource,
    adapt?: (builder: ProgramBuilder) => RowPlan["adapt"],
  ): Promise<Decoder> {
    const builder = new ProgramBuilder();
    const ids = builder.input("token", [1], "i32");
    const position = builder.input("position", [1], "i32");
    const beside = adapt?.(builder);
    const plan: RowPlan = { sequences: 1, length: 1, position, isFrozen: true, ...(beside && { adapt: beside }) };
    const logits = recordLogits(builder, config, ids, plan);
    const engine = await backend.load(builder.build(logits, { withGradients: false }));
    for (const { name, shape } of parameterSpecs(config)) {
      engine.set(name, toFloat32(await source.floats(name, shape)));
    }
    return new Decoder(engine, logits, config);
  }

  /** Change a parameter; what was seen is forgotten. */
  set(name: string, values: Float32Array): void {
    this.#engine.set(name, values);
    this.reset();
  }

  /** Forget every token. */
  reset(): void {
    this.#seen = [];
  }

  /** Forget what does not begin `tokens`. @returns how many of them it has seen */
  rewind(tokens: ArrayLike<number>): number {
    const other = this.#seen.findIndex((token, at) => token !== tokens[at]);
    if (other >= 0) this.#seen.length = other;
    return this.#seen.length;
  }

  /**
   * What follows one more token. Where the context is full, it begins anew with the later half of it: each of these tokens is
   * then seen from its new place, as in training.
   *
   * @returns logits, shape (vocabulary); overwritten by the next call
   */
  async next(token: number): Promise<Float32Array> {
    if (this.#seen.length === this.#context) {
      const kept = this.#seen.slice(Math.ceil(this.#context / 2));
      this.reset();
      for (const earlier of kept) await this.#run(earlier);
    }
    await this.#run(token);
    return this.#engine.read(this.#logits, this.#out);
  }

  close(): void {
    this.#engine.close();
  }

  async #run(token: number): Promise<void> {
    this.#engine.input("token", Int32Array.of(token));
    this.#engine.input("position", Int32Array.of(this.#seen.length));
    await this.#engine.forward();
    this.#seen.push(token);
  }
}
