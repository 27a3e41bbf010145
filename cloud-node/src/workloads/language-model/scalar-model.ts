import { InvariantError } from "../../invariant-error.ts";
import type { TrainOutcome } from "../../tensor/engine.ts";
import { type AdamWGroup, CLIP_EPS, type OptimizerStep } from "../../tensor/optimizer.ts";
import { type Batch, countTargets } from "./batch.ts";
import { initialValues } from "./initial-values.ts";
import { AVERAGE_PREFIX, type Model, SQUARE_PREFIX } from "./model.ts";
import type { ModelConfig } from "./model-config.ts";
import { type ParameterSpec, parameterSpecs } from "./parameters.ts";
import type { SafetensorsReader } from "./safetensors-reader.ts";
import type { TensorSource } from "./safetensors-writer.ts";
import { type Rows, scalarLogits, scalarLoss } from "./scalar-network.ts";
import { Tape } from "./tape.ts";
import { Value } from "./value.ts";

/** One tensor as single numbers. */
interface ScalarParameter extends ParameterSpec {
  readonly values: readonly Value[];
  readonly rows: Rows;
  /** AdamW's averages of the gradient and of its square. */
  readonly average: Float64Array;
  readonly square: Float64Array;
}

/** A model whose every number is a `Value`: slow, in double precision, and with nothing hidden. */
export class ScalarModel implements Model {
  readonly #config: ModelConfig;
  readonly #parameters: ReadonlyMap<string, ScalarParameter>;
  readonly #weights: ReadonlyMap<string, Rows>;
  /** The parameters, and behind them what is calculated of them, one row of a batch after the other. */
  readonly #tape = new Tape();
  readonly #leaves: number;

  constructor(config: ModelConfig, seed: number) {
    this.#config = config;
    const parameters = parameterSpecs(config).map((spec) => scalarParameter(spec, seed, this.#tape));
    this.#leaves = this.#tape.length;
    this.#parameters = new Map(parameters.map((parameter) => [parameter.name, parameter]));
    this.#weights = new Map(parameters.map(({ name, rows }) => [name, rows]));
  }

  async train(batch: Batch, update: OptimizerStep): Promise<TrainOutcome> {
    this.#tape.grad.fill(0, 0, this.#leaves);
    const loss = this.#eachRow(batch, (row, share) => row.mul(share).backward());
    const gradientNorm = Math.sqrt(this.#sumOfSquares());
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) return { loss, gradientNorm };
    const scale = Math.min(1, (update.clipNorm ?? Number.POSITIVE_INFINITY) / (gradientNorm + CLIP_EPS));
    for (const group of update.groups) {
      if (group.kind !== "adamw") throw new InvariantError("scalar model: a group of Muon");
      for (const name of group.parameters) this.#adamw(this.#parameter(name), group, update.step, scale);
    }
    return { loss, gradientNorm };
  }

  async loss(batch: Batch): Promise<number> {
    return this.#eachRow(batch, () => {});
  }

  /** ∂loss/∂parameter of the last batch that was learned from, by name: what other engines are held against. */
  gradient(name: string): Float64Array {
    return Float64Array.from(this.#parameter(name).values, ({ grad }) => grad);
  }

  tensors(): TensorSource[] {
    const type = "F64" as const;
    return [...this.#parameters.values()].flatMap(({ name, shape, values, average, square }) => [
      { name, shape, type, read: () => Float64Array.from(values, ({ data }) => data) },
      { name: `${AVERAGE_PREFIX}${name}`, shape, type, read: () => average },
      { name: `${SQUARE_PREFIX}${name}`, shape, type, read: () => square },
    ]);
  }

  async restore(reader: SafetensorsReader): Promise<void> {
    for (const { name, shape, values, average, square } of this.#parameters.values()) {
      const data = await reader.floats(name, shape);
      for (const [at, value] of values.entries()) value.data = data[at] as number;
      average.set(await reader.floats(`${AVERAGE_PREFIX}${name}`, shape));
      square.set(await reader.floats(`${SQUARE_PREFIX}${name}`, shape));
    }
  }

  close(): void {}

  /** @returns the batch's mean loss: its rows' by their counts of targets */
  #eachRow(batch: Batch, use: (loss: Value, share: number) => void): number {
    const { rows, context, inputs, targets } = batch;
    const total = countTargets(targets);
    let mean = 0;
    for (let row = 0; row < rows; row += 1) {
      const own = targets.subarray(row * context, (row + 1) * context);
      const share = countTargets(own) / total;
      if (share === 0) continue;
      const tokens = inputs.subarray(row * context, (row + 1) * context);
      const loss = scalarLoss(scalarLogits(this.#config, this.#weights, tokens), own);
      use(loss, share);
      mean += loss.data * share;
      this.#tape.rewind(this.#leaves);
    }
    return total === 0 ? Number.NaN : mean;
  }

  #sumOfSquares(): number {
    let total = 0;
    for (const { values } of this.#parameters.values()) for (const { grad } of values) total += grad * grad;
    return total;
  }

  /** @see I. Loshchilov and F. Hutter, Decoupled weight decay regularization, 2019, algorithm 2 */
  #adamw({ values, average, square }: ScalarParameter, group: AdamWGroup, step: number, scale: number): void {
    const { learningRate, beta1, beta2, eps, weightDecay } = group;
    const rate = learningRate / (1 - beta1 ** step);
    const rootOfCorrection = Math.sqrt(1 - beta2 ** step);
    for (let at = 0; at < values.length; at += 1) {
      const value = values[at] as Value;
      const gradient = scale * value.grad;
      const m = beta1 * (average[at] as number) + (1 - beta1) * gradient;
      const v = beta2 * (square[at] as number) + (1 - beta2) * gradient * gradient;
      average[at] = m;
      square[at] = v;
      value.data -= learningRate * weightDecay * value.data + (rate * m) / (Math.sqrt(v) / rootOfCorrection + eps);
    }
  }

  #parameter(name: string): ScalarParameter {
    const parameter = this.#parameters.get(name);
    if (parameter === undefined) throw new InvariantError(`scalar model: no parameter ${name}`);
    return parameter;
  }
}

function scalarParameter(spec: ParameterSpec, seed: number, tape: Tape): ScalarParameter {
  const values = Array.from(initialValues(spec, seed), (data) => new Value(tape, data));
  const width = spec.shape.at(-1) ?? 1;
  const rows = Array.from({ length: values.length / width }, (_, row) => values.slice(row * width, (row + 1) * width));
  return { ...spec, values, rows, average: new Float64Array(values.length), square: new Float64Array(values.length) };
}
