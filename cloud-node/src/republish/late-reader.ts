import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import type { FollowedNode, StoredRows } from "./followed-node.ts";

/** Stored rows that are to be told after newer ones. */
export interface LateRows {
  readonly device: string;
  readonly epoch: number;
  /** How many, as far as is known. */
  readonly rows: number;
  /** After which device time, µs, they are; asked when their turn has come, since a read before may have told some. */
  afterUs(): number;
  /** Device time before which they are, µs. */
  readonly beforeUs: number;
}

export interface LateReaderOptions {
  readonly node: Pick<FollowedNode, "history">;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether consumers take more now; late rows never push newer ones out of a queue. */
  hasRoom(): boolean;
  found(late: LateRows, rows: StoredRows): void;
  /** Rows are there and could not be read. */
  failed(late: LateRows): void;
}

/** How often a slow consumer is looked at. */
const ROOM_MS = 50;
/** Reads that wait; more of them than devices come back at once are given up. */
const MOST_WAITING = 10_000;

/** Reads rows that live memory does not have any more from the store, one stretch at a time. */
export class LateReader {
  readonly #options: LateReaderOptions;
  readonly #waiting: LateRows[] = [];
  #isReading = false;
  #isClosed = false;

  constructor(options: LateReaderOptions) {
    this.#options = options;
  }

  read(late: LateRows): void {
    if (this.#waiting.length >= MOST_WAITING) {
      this.#options.failed(late);
      return;
    }
    this.#waiting.push(late);
    if (!this.#isReading) void this.#readAll();
  }

  close(): void {
    this.#isClosed = true;
    this.#waiting.length = 0;
  }

  async #readAll(): Promise<void> {
    this.#isReading = true;
    for (let late = this.#waiting.shift(); late !== undefined; late = this.#waiting.shift()) {
      try {
        await this.#readOne(late);
      } catch (error) {
        if (this.#isClosed) break;
        const reason = error instanceof Error ? error.message : String(error);
        this.#options.logger.warn({ device: late.device, reason }, "re-publishing: late samples could not be read");
        this.#options.failed(late);
      }
    }
    this.#isReading = false;
  }

  async #readOne(late: LateRows): Promise<void> {
    const { node, found } = this.#options;
    const afterUs = late.afterUs();
    if (afterUs >= late.beforeUs) return;
    const range = { fromUs: afterUs, toUs: late.beforeUs };
    for await (const block of node.history.rows(late.device, range)) {
      // A range begins with its first row, and that one was told.
      if (block.epoch === late.epoch) found(late, rowsAfter(block, afterUs));
      while (!this.#isClosed && !this.#options.hasRoom()) await this.#pause();
      if (this.#isClosed) return;
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#options.clock.setTimer(resolve, ROOM_MS));
  }
}

function rowsAfter(block: StoredRows, afterUs: number): StoredRows {
  const from = block.timesUs.findIndex((timeUs) => timeUs > afterUs);
  if (from === 0) return block;
  const channels = block.values.length / Math.max(1, block.timesUs.length);
  const start = from < 0 ? block.timesUs.length : from;
  return {
    epoch: block.epoch,
    timesUs: block.timesUs.subarray(start),
    values: block.values.subarray(start * channels),
    statuses: block.statuses.subarray(start * channels),
  };
}
