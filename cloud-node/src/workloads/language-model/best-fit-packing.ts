import * as v from "valibot";
import { type Batch, type BatchSource, emptyBatch } from "./batch.ts";
import { LanguageModelError } from "./language-model-error.ts";

/** nanochat's: a row is chosen from at least so many documents, and they are taken in so many at once. */
const MOST_WAITING = 1000;
const TAKEN_AT_ONCE = 128;

type PackingState = v.InferOutput<ReturnType<typeof stateSchema>>;

function stateSchema(documents: number) {
  const place = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.ltValue(documents));
  return v.strictObject({ next: place, waiting: v.pipe(v.array(place), v.maxLength(MOST_WAITING + TAKEN_AT_ONCE)) });
}

/**
 * nanochat's batches: every row begins with a document's first token, and is filled by the longest waiting document that
 * fits, again and again; what room is left then takes the beginning of the shortest one, whose end is lost. No row has
 * padding. Documents come in their order, round and round.
 *
 * @see A. Karpathy, nanochat, `nanochat/dataloader.py`
 */
export class BestFitPacking implements BatchSource {
  readonly #documents: readonly Int32Array[];
  readonly #batch: Batch;
  readonly #row: Int32Array;
  /** Places of documents that wait, oldest first. */
  #waiting: number[] = [];
  #next = 0;

  /** @param documents  each begins with the token of beginnings; at least one */
  constructor(documents: readonly Int32Array[], rows: number, context: number) {
    this.#documents = documents;
    this.#batch = emptyBatch(rows, context);
    this.#row = new Int32Array(context + 1);
  }

  next(): Batch {
    const { rows, context, inputs, targets } = this.#batch;
    for (let row = 0; row < rows; row += 1) {
      this.#fillRow();
      inputs.set(this.#row.subarray(0, context), row * context);
      targets.set(this.#row.subarray(1), row * context);
    }
    return this.#batch;
  }

  state(): PackingState {
    return { next: this.#next, waiting: [...this.#waiting] };
  }

  restore(state: unknown): void {
    const { output, issues } = v.safeParse(stateSchema(this.#documents.length), state);
    if (issues !== undefined) {
      throw new LanguageModelError("foreign-checkpoint", "the place in the text is damaged", "take another checkpoint");
    }
    this.#next = output.next;
    this.#waiting = output.waiting;
  }

  #fillRow(): void {
    for (let used = 0; used < this.#row.length; ) {
      while (this.#waiting.length < MOST_WAITING) this.#take();
      const document = this.#choose(this.#row.length - used);
      this.#row.set(document.subarray(0, this.#row.length - used), used);
      used += document.length;
    }
  }

  #take(): void {
    for (let i = 0; i < TAKEN_AT_ONCE; i += 1) {
      this.#waiting.push(this.#next);
      this.#next = (this.#next + 1) % this.#documents.length;
    }
  }

  /** The longest that fits, or the shortest where none does; of several the oldest. */
  #choose(room: number): Int32Array {
    let [longest, longestLength] = [-1, 0];
    let [shortest, shortestLength] = [0, Number.POSITIVE_INFINITY];
    for (const [at, place] of this.#waiting.entries()) {
      const { length } = this.#documents[place] as Int32Array;
      if (length <= room && length > longestLength) [longest, longestLength] = [at, length];
      if (length < shortestLength) [shortest, shortestLength] = [at, length];
    }
    const [place = 0] = this.#waiting.splice(longest >= 0 ? longest : shortest, 1);
    return this.#documents[place] as Int32Array;
  }
}
