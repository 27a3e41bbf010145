import type { StoredGap } from "../store/store.ts";
import type { EarlyFrame } from "./arrival-window.ts";
import { LatencyWindow } from "./latency.ts";
import { type RecentRows, RecentSamples } from "./recent-samples.ts";
import type { RowBuffer } from "./row-buffer.ts";
import type { Twin } from "./twin.ts";

/** A frame that was taken and handed to the store, and is not confirmed before the store says so. */
interface PendingFrame {
  /** Seq after it. */
  readonly next: number;
  readonly receivedMs: number;
  readonly rows: RecentRows;
  /** Of the twin after it. */
  readonly samples: number;
}

/** What of an epoch is confirmed, and what waits for its commit. */
export class LaneLedger {
  readonly recent = new RecentSamples();
  readonly latency = new LatencyWindow();
  gaps = 0;
  duplicates = 0;
  conflicts = 0;
  #confirmed = 0;
  #samples = 0;
  /** No further than this: what is stored there is not what was decoded. */
  #limit = Number.POSITIVE_INFINITY;
  #pending: PendingFrame[] = [];

  /** Seq below which everything is confirmed. */
  get confirmed(): number {
    return this.#confirmed;
  }

  /** Confirmed samples of the epoch. */
  get samples(): number {
    return this.#samples;
  }

  get isSettled(): boolean {
    return this.#pending.length === 0;
  }

  /** A frame was taken; its rows are in the buffer. */
  taken(twin: Twin, rows: RowBuffer, { receivedMs }: EarlyFrame): void {
    this.#pending.push({
      next: twin.next,
      receivedMs,
      rows: kept(twin, rows),
      samples: twin.counts.samples,
    });
  }

  /** Everything below `through` is durable. @returns how much that confirmed */
  confirm(through: number, nowMs: number): { readonly frames: number; readonly samples: number } {
    const before = { confirmed: this.#confirmed, samples: this.#samples };
    let count = 0;
    for (const frame of this.#pending) {
      if (frame.next > through || frame.next > this.#limit) break;
      count += 1;
      this.recent.push(frame.rows);
      this.latency.add(nowMs - frame.receivedMs);
      this.#samples = frame.samples;
    }
    this.#pending = this.#pending.slice(count);
    this.#confirmed = Math.max(this.#confirmed, Math.min(through, this.#limit));
    return { frames: this.#confirmed - before.confirmed, samples: this.#samples - before.samples };
  }

  /** Never confirm this seq or a later one. */
  stopBefore(seq: number): void {
    this.#limit = Math.min(this.#limit, seq);
  }

  /** What waits is never confirmed. */
  discard(): void {
    this.#pending = [];
    this.#limit = this.#confirmed;
  }

  /** A stored frame was taken again; its rows are in the buffer. */
  replayed(twin: Twin, rows: RowBuffer): void {
    this.recent.push(kept(twin, rows));
  }

  /** The twin stands where the store ends: all of it is confirmed. */
  rebuilt(twin: Twin, gaps: readonly StoredGap[]): void {
    this.#confirmed = twin.next;
    this.#samples = twin.counts.samples;
    this.gaps = gaps.length;
  }
}

/** A frame's rows, out of the buffer that the next one overwrites. */
function kept(twin: Twin, { samples, statuses, channels, count, hasStatuses }: RowBuffer): RecentRows {
  const values = count * channels;
  return {
    samples: samples.slice(0, values),
    statuses: hasStatuses ? statuses.slice(0, values) : undefined,
    count,
    scales: twin.plan?.scales ?? [],
    clock: twin.rowClock,
  };
}
