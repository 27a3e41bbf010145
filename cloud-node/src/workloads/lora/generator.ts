import { setImmediate } from "node:timers/promises";
import { Decoder } from "../language-model/decoder.ts";
import type { ShardedBackend } from "../language-model/open-backend.ts";
import { chooseToken } from "../language-model/sampler.ts";
import type { Answer, Answerer, AnswerOptions } from "./answerer.ts";
import { LoraError } from "./lora-error.ts";
import { type Adapter, adaptedMatrices, type LowRankPlan, pairNames, recordLowRank, scaleOf } from "./low-rank.ts";
import type { LoadedModel } from "./model-folder.ts";

/** Tokens of a prompt with its answer, unless somebody asks for more: keys and values take room for all of them. */
const USUAL_CONTEXT = 1024;

/** What of a model answers. */
export type AnswerModel = Pick<LoadedModel, "config" | "weights" | "tokenizer" | "ends" | "chatTokens">;

export interface GeneratorOptions {
  /** By any names; `use` says which one is active. */
  readonly adapters?: ReadonlyMap<string, Adapter> | undefined;
  /** Tokens of a prompt with its answer at most; no more than the model has. */
  readonly context?: number | undefined;
  /** Monotonic, ms. */
  readonly nowMs: () => number;
}

/** A model that answers, with one of several adapters active or none. */
export class Generator implements Answerer {
  readonly #model: AnswerModel;
  readonly #decoder: Decoder;
  readonly #adapters: ReadonlyMap<string, Adapter>;
  readonly #plan: LowRankPlan | undefined;
  readonly #context: number;
  readonly #nowMs: () => number;

  private constructor(
    model: AnswerModel,
    decoder: Decoder,
    plan: LowRankPlan | undefined,
    context: number,
    { adapters, nowMs }: GeneratorOptions,
  ) {
    this.#model = model;
    this.#decoder = decoder;
    this.#plan = plan;
    this.#context = context;
    this.#adapters = adapters ?? new Map();
    this.#nowMs = nowMs;
  }

  /**
   * No adapter is active at first.
   *
   * @param backend  of one shard
   * @throws {TensorError} what the backend cannot hold; and as the model's weights
   */
  static async create(model: AnswerModel, backend: ShardedBackend, options: GeneratorOptions): Promise<Generator> {
    const context = Math.min(model.config.context, options.context ?? USUAL_CONTEXT);
    const adapters = [...(options.adapters?.values() ?? [])];
    const targets = [...new Set(adapters.flatMap((adapter) => adapter.targets))];
    const rank = Math.max(0, ...adapters.map((adapter) => adapter.rank));
    const plan = adapters.length === 0 ? undefined : { rank, targets, scale: 1, dropout: 0 };
    const config = { ...model.config, context };
    const decoder = await Decoder.create(backend, config, model.weights, (builder) =>
      plan === undefined ? undefined : recordLowRank(builder, config, plan),
    );
    return new Generator(model, decoder, plan, context, options);
  }

  /** Answer with this adapter from now on, or with none. @throws {LoraError} `unknown-adapter` */
  use(name: string | undefined): void {
    const adapter = name === undefined ? undefined : this.#adapters.get(name);
    if (name !== undefined && adapter === undefined) {
      const known = [...this.#adapters.keys()].join(", ") || "none";
      throw new LoraError("unknown-adapter", `there is no adapter ${JSON.stringify(name)}`, `known: ${known}`);
    }
    if (this.#plan !== undefined) activate(this.#decoder, this.#model, this.#plan, adapter);
  }

  async answer(prompt: string, options: AnswerOptions): Promise<Answer> {
    const { tokenizer, ends } = this.#model;
    const { maxTokens, temperature = 0, uniform = () => 0, adjust } = options;
    const startedMs = this.#nowMs();
    const question = this.#model.chatTokens(prompt);
    this.#checkRoom(question.length, maxTokens);
    const produced: number[] = [];
    let isOver = maxTokens < 1;
    let logits = await this.#read(question);
    while (!isOver) {
      adjust?.(logits, produced);
      const token = chooseToken(logits, { temperature }, uniform());
      isOver = ends.has(token) || produced.length + 1 === maxTokens;
      produced.push(token);
      if (!isOver) logits = await this.#decoder.next(token);
    }
    // Who wants to interrupt gets a turn between answers.
    await setImmediate();
    const text = tokenizer.decode(produced.filter((token) => !ends.has(token)));
    return { text, tokens: produced.length, seconds: (this.#nowMs() - startedMs) / 1000 };
  }

  /** What the model says after some tokens. @returns logits, shape (vocabulary); overwritten by what comes next */
  async logits(tokens: Int32Array): Promise<Float32Array> {
    this.#checkRoom(tokens.length, 0);
    return await this.#read(tokens);
  }

  close(): void {
    this.#decoder.close();
  }

  /** What was read for the prompt before and begins this one too is not read again. */
  async #read(tokens: Int32Array): Promise<Float32Array> {
    const known = this.#decoder.rewind(tokens.subarray(0, -1));
    let logits: Float32Array = new Float32Array();
    for (const token of tokens.subarray(known)) logits = await this.#decoder.next(token);
    return logits;
  }

  #checkRoom(question: number, answer: number): void {
    if (question + answer <= this.#context) return;
    const problem = `a prompt of ${question} tokens and an answer of ${answer}, of ${this.#context} together`;
    throw new LoraError("prompt-too-long", problem, "shorten the prompt, or ask for fewer tokens");
  }
}

/** Maps of a smaller rank are filled up with zeros, and those that an adapter has not are zero. */
function activate(decoder: Decoder, { config }: AnswerModel, plan: LowRankPlan, adapter: Adapter | undefined): void {
  const scale = adapter === undefined ? 0 : scaleOf(adapter);
  for (const {
    name,
    shape: [outputs = 0, inputs = 0],
  } of adaptedMatrices(config, plan.targets)) {
    const pair = adapter?.pairs.get(name);
    const rank = adapter?.rank ?? 0;
    const down = new Float32Array(plan.rank * inputs);
    const up = new Float32Array(outputs * plan.rank);
    if (pair !== undefined) down.set(pair.down);
    for (let row = 0; pair !== undefined && row < outputs; row += 1) {
      for (let r = 0; r < rank; r += 1) up[row * plan.rank + r] = scale * (pair.up[row * rank + r] as number);
    }
    decoder.set(pairNames(name).down, down);
    decoder.set(pairNames(name).up, up);
  }
}
