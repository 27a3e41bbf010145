import type { OptimizerStep } from "../../tensor/optimizer.ts";
import type { Batch } from "../language-model/batch.ts";
import type { Model, StepOutcome } from "../language-model/model.ts";
import type { SafetensorsReader } from "../language-model/safetensors-reader.ts";
import type { TensorSource } from "../language-model/safetensors-writer.ts";
import type { TensorModel } from "../language-model/tensor-model.ts";
import type { Coordinator, Round } from "./coordinator.ts";
import type { Contribution } from "./exchange-message.ts";
import type { Replica } from "./replica.ts";

/** Names under which a checkpoint keeps what the exchange needs, beside the model's. */
const PREFIX = "exchange.";

/** The model at place 0, which learns together with the others': `trainRun` trains it as any other one. */
export class ExchangedModel implements Model {
  readonly #model: TensorModel;
  readonly #replica: Replica;
  readonly #coordinator: Coordinator | undefined;
  readonly #onRound: (step: number, round: Round) => void;

  /** @param coordinator  undefined: nobody else takes part */
  constructor(
    model: TensorModel,
    replica: Replica,
    coordinator: Coordinator | undefined,
    onRound: (step: number, round: Round) => void,
  ) {
    this.#model = model;
    this.#replica = replica;
    this.#coordinator = coordinator;
    this.#onRound = onRound;
  }

  async train(batch: Batch, update: OptimizerStep): Promise<StepOutcome> {
    const replica = this.#replica;
    const step = update.step - 1;
    if (replica.isFirst(step)) await this.#coordinator?.open(step, () => replica.state());
    const loss = replica.learn(batch, step);
    if (!replica.isLast(step)) return { loss, gradientNorm: replica.stepAlone(step) };
    const own: Contribution = { rank: 0, loss, bytes: replica.contribution(step) };
    const round = (await this.#coordinator?.round(step, own)) ?? { contributions: [own], uplink: [] };
    const gradientNorm = replica.apply(step, round.contributions, own.bytes);
    this.#onRound(step, round);
    const losses = round.contributions.map((one) => one.loss);
    return { loss: losses.reduce((sum, one) => sum + one, 0) / losses.length, gradientNorm };
  }

  loss(batch: Batch): number {
    return this.#replica.loss(batch);
  }

  tensors(): TensorSource[] {
    const states = this.#replica.states.map(({ name, values }): TensorSource => {
      const read = () => Float32Array.from(values);
      return { name: `${PREFIX}${name}`, shape: [values.length], type: "F32", read };
    });
    return [...this.#model.tensors(), ...states];
  }

  async restore(reader: SafetensorsReader): Promise<void> {
    await this.#model.restore(reader);
    for (const { name, values } of this.#replica.states) {
      values.set(await reader.floats(`${PREFIX}${name}`, [values.length]));
    }
  }

  close(): void {
    this.#model.close();
  }
}
