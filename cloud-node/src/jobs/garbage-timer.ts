import type { Clock, Timer } from "../clock.ts";
import type { Logger } from "../logger.ts";
import type { BlobStore } from "./blob-store.ts";
import { collectGarbage } from "./collect-garbage.ts";
import type { JobQueue } from "./job-queue.ts";

/** Blobs that no job names are looked for so often, ms. */
const INTERVAL_MS = 3_600_000;
/** The first time soon after the start, ms: what runs for minutes each day would never do it else. */
const FIRST_MS = 60_000;

/** What is cleared away, and who hears of it. */
export interface GarbageTimerOptions {
  readonly queue: JobQueue;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Forgets blobs that no job names, while a node or a worker runs. */
export class GarbageTimer {
  readonly #options: GarbageTimerOptions;
  #timer: Timer;
  #current: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: GarbageTimerOptions) {
    this.#options = options;
    this.#timer = this.#in(FIRST_MS);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer.cancel();
    await this.#current;
  }

  #in(ms: number): Timer {
    return this.#options.clock.setTimer(() => {
      this.#current = this.#collect();
    }, ms);
  }

  async #collect(): Promise<void> {
    const { queue, blobs, clock, logger } = this.#options;
    try {
      const garbage = await collectGarbage(queue, blobs, clock.unixUs() / 1000);
      if (garbage.blobs > 0) logger.info(garbage, "blobs that no job names are deleted");
    } catch (error) {
      logger.warn({ error: String(error) }, "blobs that no job names could not be looked for; it is tried again");
    }
    if (!this.#isClosed) this.#timer = this.#in(INTERVAL_MS);
  }
}
