import type { Clock, Timer } from "../clock.ts";
import type { Counters } from "../counters.ts";
import type { Logger } from "../logger.ts";
import type { Store } from "./store.ts";
import { storeErrorOf } from "./store-error.ts";

/** How much history is kept; what is older, or beyond the size, is deleted by the stretch. */
export interface Retention {
  /** Since frames came in, ms. */
  readonly maxAgeMs?: number | undefined;
  /** Of the store, bytes; all devices together. */
  readonly maxBytes?: number | undefined;
}

interface RetentionTimerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: Counters;
  readonly retention: Retention;
}

/** Often enough that little is deleted at a time. */
const EVERY_MS = 60_000;

/** Lets the store delete what is not kept any more, now and then. */
export class RetentionTimer {
  readonly #options: RetentionTimerOptions;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(options: RetentionTimerOptions) {
    this.#options = options;
    const { maxAgeMs, maxBytes } = options.retention;
    if (maxAgeMs !== undefined || maxBytes !== undefined) this.#arm(0);
  }

  /** No further run begins; one that is under way ends with the store. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #arm(delayMs: number): void {
    this.#timer = this.#options.clock.setTimer(() => {
      void this.#run().then(() => {
        if (!this.#isClosed) this.#arm(EVERY_MS);
      });
    }, delayMs);
  }

  async #run(): Promise<void> {
    const { store, clock, logger, counters, retention } = this.#options;
    const { maxAgeMs, maxBytes } = retention;
    try {
      const closedBeforeUs = maxAgeMs === undefined ? undefined : clock.unixUs() - 1000 * maxAgeMs;
      const { stretches, freedBytes } = await store.retain({ closedBeforeUs, maxBytes });
      if (stretches > 0) {
        counters.add("stretches.expired", stretches);
        logger.info({ stretches, freedBytes }, "expired");
      }
    } catch (cause) {
      const { code, message } = storeErrorOf(cause, "");
      if (!this.#isClosed) logger.error({ code }, message);
    }
  }
}
