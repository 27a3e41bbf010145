import type { OptimizerStep } from "../../tensor/optimizer.ts";
import { type Batch, countTargets } from "../language-model/batch.ts";
import type { TensorModel } from "../language-model/tensor-model.ts";
import type { Contribution, NamedBytes, RoundEntry } from "./exchange-message.ts";
import { GradientError } from "./gradient-error.ts";
import type { GradientMethod, MethodState } from "./method.ts";

export interface ReplicaOptions {
  readonly model: TensorModel;
  readonly method: GradientMethod;
  readonly rank: number;
  readonly workers: number;
  /** Of the whole run. */
  readonly steps: number;
  /** Numbers of the model. */
  readonly count: number;
  /** @param step  0 … */
  readonly updateAt: (step: number) => OptimizerStep;
}

/** One worker's copy of the model: after every round the same bits as the others'. */
export class Replica {
  readonly #options: ReplicaOptions;
  /** Shape (count): what a round is made of, or came to. */
  readonly #numbers: Float32Array;
  /** Parameters at the last round, where steps are made between rounds. */
  readonly #start: Float32Array;
  readonly #states: readonly MethodState[];

  /** A worker at its model's beginning. */
  static async open(options: ReplicaOptions): Promise<Replica> {
    const replica = new Replica(options);
    if (replica.isLocal) await options.model.read("value", replica.#start);
    return replica;
  }

  private constructor(options: ReplicaOptions) {
    this.#options = options;
    this.#numbers = new Float32Array(options.count);
    this.#start = new Float32Array(this.isLocal ? options.count : 0);
    this.#states = [...options.method.states(), { name: "round.start", values: this.#start, isOwn: false }];
  }

  /** Whether steps are made between rounds. */
  get isLocal(): boolean {
    return this.#options.method.localSteps > 1;
  }

  /** Whether a step begins a round. */
  isFirst(step: number): boolean {
    return step % this.#options.method.localSteps === 0;
  }

  /** Whether a step ends a round: the last one of all does, too. */
  isLast(step: number): boolean {
    return this.isFirst(step + 1) || step === this.#options.steps - 1;
  }

  isSameRound(step: number, other: number): boolean {
    const { localSteps } = this.#options.method;
    return Math.floor(step / localSteps) === Math.floor(other / localSteps);
  }

  /** What is kept beside the model: of this worker alone, and of all. */
  get states(): readonly MethodState[] {
    return this.#states;
  }

  /** Learn from the own rows of a batch of all workers together. @returns their loss; the gradient is in the model */
  async learn(batch: Batch, step: number): Promise<number> {
    const { model, rank, workers, updateAt } = this.#options;
    return await model.backward(rowsOf(batch, rank, workers), updateAt(step).step);
  }

  /** Mean over a batch of all workers together, as it is judged: with local steps, of the common parameters. */
  async loss(batch: Batch): Promise<number> {
    const { model } = this.#options;
    if (!this.isLocal) return await this.#lossNow(batch);
    await model.read("value", this.#numbers);
    model.write("value", this.#start);
    const loss = await this.#lossNow(batch);
    model.write("value", this.#numbers);
    return loss;
  }

  async #lossNow(batch: Batch): Promise<number> {
    const { model, workers } = this.#options;
    const parts = Array.from({ length: workers }, (_, part) => rowsOf(batch, part, workers));
    let nats = 0;
    for (const part of parts) {
      const targets = countTargets(part.targets);
      if (targets > 0) nats += targets * (await model.loss(part));
    }
    return nats / countTargets(batch.targets);
  }

  /** A step of its own, between rounds. @returns the gradient's length */
  async stepAlone(step: number): Promise<number> {
    const { model, updateAt } = this.#options;
    return await model.update(updateAt(step));
  }

  /** What this worker has to say in the round that ends with a step, after it learned from it. */
  async contribution(step: number): Promise<Uint8Array> {
    const { model, method, updateAt } = this.#options;
    if (!this.isLocal) await model.read("gradient", this.#numbers);
    else {
      await model.update(updateAt(step));
      await model.read("value", this.#numbers);
      for (let i = 0; i < this.#numbers.length; i++) {
        this.#numbers[i] = (this.#start[i] as number) - (this.#numbers[i] as number);
      }
    }
    return method.contribution(step, this.#numbers);
  }

  /** Make the update of a round. @returns the gradient's length, before it was clipped; of local steps the change's */
  async apply(
    step: number,
    contributions: readonly (RoundEntry | Contribution)[],
    own: Uint8Array | undefined,
  ): Promise<number> {
    const { model, method, workers, updateAt } = this.#options;
    const byRank: (Uint8Array | undefined)[] = new Array(workers).fill(undefined);
    for (const { rank, bytes = own } of contributions) {
      if (rank >= workers)
        throw new GradientError("bad-message", `a contribution of worker ${rank} of ${workers}`, REMEDY);
      byRank[rank] = bytes;
    }
    method.average(step, byRank, this.#numbers);
    if (!this.isLocal) {
      model.write("gradient", this.#numbers);
      return await model.update(updateAt(step));
    }
    let squares = 0;
    for (let i = 0; i < this.#start.length; i++) {
      const change = this.#numbers[i] as number;
      squares += change * change;
      this.#start[i] = (this.#start[i] as number) - change;
    }
    this.#goOn();
    return Math.sqrt(squares);
  }

  /** Begin a round of local steps: from the common parameters, but for what a method leaves with its worker. */
  #goOn(): void {
    const { model, method } = this.#options;
    const stays = method.unsentStays;
    this.#numbers.set(this.#start);
    if (stays !== undefined) {
      for (let i = 0; i < stays.length; i++) this.#numbers[i] = (this.#numbers[i] as number) - (stays[i] as number);
    }
    model.write("value", this.#numbers);
  }

  /** What somebody needs to go on between two rounds. */
  async state(): Promise<readonly NamedBytes[]> {
    const { model } = this.#options;
    const parts = this.#parts();
    for (const { name, values } of parts) await model.read(name, values);
    const shared = this.#states.filter(({ isOwn }) => !isOwn);
    return [...parts, ...shared].map(({ name, values }) => ({ name, bytes: bytesOf(values) }));
  }

  /** Mirror of `state`. @throws {GradientError} `other-layout` */
  restore(state: readonly NamedBytes[]): void {
    const given = new Map(state.map(({ name, bytes }) => [name, bytes]));
    const parts = this.#parts();
    for (const { name, values } of [...parts, ...this.#states.filter(({ isOwn }) => !isOwn)]) {
      fill(name, values, given.get(name));
    }
    for (const { name, values } of parts) this.#options.model.write(name, values);
    if (this.isLocal) this.#goOn();
  }

  /** Parameters that are the same everywhere. @returns undefined: those of the model are */
  get common(): Float32Array | undefined {
    return this.isLocal ? this.#start : undefined;
  }

  /** What is kept of the common parameters was written into the states: go on from them. */
  settle(): void {
    if (this.isLocal) this.#goOn();
  }

  #parts() {
    const { count } = this.#options;
    return (["value", "average", "squareAverage"] as const).map((name) => ({ name, values: new Float32Array(count) }));
  }
}

/** One worker's rows of a batch. */
function rowsOf({ rows, context, inputs, targets }: Batch, rank: number, workers: number): Batch {
  const [from, to] = [(rank * rows * context) / workers, ((rank + 1) * rows * context) / workers];
  return { rows: rows / workers, context, inputs: inputs.subarray(from, to), targets: targets.subarray(from, to) };
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function fill(name: string, values: Float32Array | Uint8Array, bytes: Uint8Array | undefined): void {
  const into = bytesOf(values);
  if (bytes?.length === into.length) {
    into.set(bytes);
    return;
  }
  const problem = `${bytes?.length ?? 0} bytes of ${name}, which has ${into.length}`;
  throw new GradientError("other-layout", problem, REMEDY);
}

const REMEDY = "let workers of one release train one model together";
