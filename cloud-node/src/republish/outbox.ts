import { type SampleBatch, valuesIn } from "./sample-batch.ts";

/** Shifted entries are let go of in chunks of this many. */
const COMPACT_AT = 1_024;

/** What waits for a broker: bounded, in order; when it is full, the oldest makes room. */
export class Outbox {
  readonly #limit: number;
  #batches: SampleBatch[] = [];
  #first = 0;
  #values = 0;

  /** @param limit  channel-samples that may wait */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Channel-samples that wait. */
  get values(): number {
    return this.#values;
  }

  /** @returns what had to make room */
  push(batch: SampleBatch): SampleBatch[] {
    this.#batches.push(batch);
    this.#values += valuesIn(batch);
    const dropped: SampleBatch[] = [];
    while (this.#values > this.#limit) {
      const oldest = this.shift();
      if (oldest === undefined) break;
      dropped.push(oldest);
    }
    return dropped;
  }

  /** The oldest batch, which waits no more. */
  shift(): SampleBatch | undefined {
    const batch = this.#batches[this.#first];
    if (batch === undefined) return undefined;
    this.#first += 1;
    this.#values -= valuesIn(batch);
    if (this.#first >= COMPACT_AT) {
      this.#batches = this.#batches.slice(this.#first);
      this.#first = 0;
    }
    return batch;
  }
}
