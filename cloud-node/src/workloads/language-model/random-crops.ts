import * as v from "valibot";
import type { RandomStream } from "../../tensor/random.ts";
import { type Batch, type BatchSource, emptyBatch } from "./batch.ts";
import { LanguageModelError } from "./language-model-error.ts";

const stateSchema = v.strictObject({ draws: v.pipe(v.number(), v.safeInteger(), v.minValue(0)) });

/** nanoGPT's batches: rows that begin anywhere in one long run of tokens, and what follows one place later. */
export class RandomCrops implements BatchSource {
  readonly #tokens: Int32Array;
  readonly #batch: Batch;
  readonly #streamAt: (draws: number) => RandomStream;
  #stream: RandomStream;

  /**
   * @param tokens  more than `context` of them
   * @param streamAt  where rows begin, after so many draws
   */
  constructor(tokens: Int32Array, rows: number, context: number, streamAt: (draws: number) => RandomStream) {
    this.#tokens = tokens;
    this.#batch = emptyBatch(rows, context);
    this.#streamAt = streamAt;
    this.#stream = streamAt(0);
  }

  next(): Batch {
    const { rows, context, inputs, targets } = this.#batch;
    for (let row = 0; row < rows; row += 1) {
      const start = this.#stream.nextBelow(this.#tokens.length - context);
      inputs.set(this.#tokens.subarray(start, start + context), row * context);
      targets.set(this.#tokens.subarray(start + 1, start + 1 + context), row * context);
    }
    return this.#batch;
  }

  state(): v.InferOutput<typeof stateSchema> {
    return { draws: this.#stream.counter };
  }

  restore(state: unknown): void {
    const { output, issues } = v.safeParse(stateSchema, state);
    if (issues !== undefined) {
      throw new LanguageModelError("foreign-checkpoint", "the place in the text is damaged", "take another checkpoint");
    }
    this.#stream = this.#streamAt(output.draws);
  }
}
