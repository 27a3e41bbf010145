import { type BatchShape, shapeFor } from "../lora/answer-batch.ts";
import { ExampleOrder } from "../lora/example-order.ts";
import type { TokenizedExample } from "../lora/tokenized-example.ts";
import { type Capability, type Example, trainingExamples } from "./capability.ts";

/** Questions of one capability, read once and asked in an order that follows from the seed. */
export class ExamplePool {
  readonly #examples: readonly TokenizedExample[];
  readonly #order: ExampleOrder;

  constructor(examples: readonly TokenizedExample[], seed: number) {
    this.#examples = examples;
    this.#order = new ExampleOrder(examples.length, seed);
  }

  /** A shape that all of them fit in. @param sequences  of all shards */
  shapeFor(sequences: number, shards: number): BatchShape {
    return shapeFor(this.#examples, sequences / shards, shards);
  }

  /** The same with as many sequences as these tokens make, one in each shard at least. */
  shapeOf(tokens: number, shards: number): BatchShape {
    const { length } = this.shapeFor(shards, shards);
    return this.shapeFor(shards * Math.max(1, Math.floor(tokens / length / shards)), shards);
  }

  /** Those of the n-th batch of a run. */
  examples(step: number, count: number): TokenizedExample[] {
    return Array.from(
      { length: count },
      (_, at) => this.#examples[this.#order.at(step * count + at)] as TokenizedExample,
    );
  }
}

/** The first examples of a capability's training. */
export function takeExamples(capability: Capability, count: number, seed: number): Example[] {
  const drawn = trainingExamples(capability, seed);
  return Array.from({ length: count }, () => drawn.next().value);
}
