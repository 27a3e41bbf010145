import type { TrainOutcome } from "../../tensor/engine.ts";
import type { OptimizerStep } from "../../tensor/optimizer.ts";
import type { Batch } from "../language-model/batch.ts";
import type { Model } from "../language-model/model.ts";
import type { SafetensorsReader } from "../language-model/safetensors-reader.ts";
import type { TensorSource } from "../language-model/safetensors-writer.ts";
import type { TensorModel } from "../language-model/tensor-model.ts";
import type { Coordinator, Round } from "./coordinator.ts";
import type { Contribution } from "./exchange-message.ts";
import { type GradientTensor, type PlacedTensor, placeTensors } from "./gradient-layout.ts";
import type { Replica } from "./replica.ts";

/** Names under which a checkpoint keeps what the exchange needs, beside the model's. */
const PREFIX = "exchange.";

/** The model at place 0, which learns together with the others': `trainRun` trains it as any other one. */
export class ExchangedModel implements Model {
  readonly #model: TensorModel;
  readonly #replica: Replica;
  readonly #coordinator: Coordinator | undefined;
  readonly #onRound: (step: number, round: Round) => void;
  /** Of the parameters, among all numbers. */
  readonly #places: ReadonlyMap<string, PlacedTensor>;

  /** Whether a step was made: a run that goes on from a checkpoint may begin in the middle of a round. */
  #isOpen = false;

  /** @param coordinator  undefined: nobody else takes part */
  constructor(
    model: TensorModel,
    replica: Replica,
    layout: readonly GradientTensor[],
    coordinator: Coordinator | undefined,
    onRound: (step: number, round: Round) => void,
  ) {
    this.#model = model;
    this.#replica = replica;
    this.#coordinator = coordinator;
    this.#onRound = onRound;
    const places = placeTensors(layout);
    this.#places = new Map(places.map((place, at) => [layout[at]?.name ?? "", place]));
  }

  async train(batch: Batch, update: OptimizerStep): Promise<TrainOutcome> {
    const replica = this.#replica;
    const step = update.step - 1;
    if (replica.isFirst(step) || !this.#isOpen) await this.#coordinator?.open(step, () => replica.state());
    this.#isOpen = true;
    const loss = await replica.learn(batch, step);
    if (!replica.isLast(step)) return { loss, gradientNorm: await replica.stepAlone(step) };
    const own: Contribution = { rank: 0, loss, bytes: await replica.contribution(step) };
    const round = (await this.#coordinator?.round(step, own)) ?? { contributions: [own], uplink: [], receivers: 0 };
    const gradientNorm = await replica.apply(step, round.contributions, own.bytes);
    this.#onRound(step, round);
    const losses = round.contributions.map((one) => one.loss);
    return { loss: losses.reduce((sum, one) => sum + one, 0) / losses.length, gradientNorm };
  }

  async loss(batch: Batch): Promise<number> {
    return await this.#replica.loss(batch);
  }

  tensors(): TensorSource[] {
    const states = this.#replica.states.map((state): TensorSource => {
      const read = () => Float32Array.from(state.values);
      return { name: `${PREFIX}${state.name}`, shape: [state.values.length], type: "F32", read };
    });
    return [...this.#model.tensors().map((source) => this.#common(source)), ...states];
  }

  /** With local steps: what is kept, and used, are the parameters that all have. */
  #common(source: TensorSource): TensorSource {
    const { common } = this.#replica;
    const place = this.#places.get(source.name);
    if (common === undefined || place === undefined) return source;
    return { ...source, read: () => common.subarray(place.from, place.from + place.count) };
  }

  async restore(reader: SafetensorsReader): Promise<void> {
    await this.#model.restore(reader);
    for (const state of this.#replica.states) {
      const kept = await reader.floats(`${PREFIX}${state.name}`, [state.values.length]);
      state.values.set(kept);
    }
    this.#replica.settle();
  }

  close(): void {
    this.#model.close();
  }
}
