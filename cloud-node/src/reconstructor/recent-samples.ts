import type { ChannelScale } from "@lockstep/protocol";
import type { RowBuffer } from "./row-buffer.ts";
import type { ChannelSample, TwinSample } from "./twin-view.ts";

/**
 * Samples kept in memory per twin, for whoever looks at the newest ones; history is in the store. Twenty seconds at
 * 100 Hz: what comes at once after a cut of ten is still whole for those who watch.
 */
const CAPACITY = 2048;

/** A frame's samples in the channels' units: at most the newest CAPACITY of them. */
export interface SampleBlock {
  /** Shape (count, channels). */
  readonly values: Float64Array;
  readonly statuses: Uint8Array;
  /** Device times, shape (count), µs. */
  readonly timesUs: Float64Array;
}

/** Convert decoded rows. @param timeUs  device time of a row */
export function toSampleBlock(
  rows: RowBuffer,
  scales: readonly ChannelScale[],
  timeUs: (row: number) => number,
): SampleBlock {
  const count = Math.min(rows.count, CAPACITY);
  const first = rows.count - count;
  const values = new Float64Array(count * rows.channels);
  const timesUs = new Float64Array(count);
  for (let row = 0, i = 0; row < count; row++) {
    timesUs[row] = timeUs(first + row);
    for (const { offset, scale } of scales) {
      values[i] = ((rows.samples[first * rows.channels + i] ?? 0) + offset) * scale;
      i += 1;
    }
  }
  return { values, statuses: rows.statuses.slice(first * rows.channels, rows.count * rows.channels), timesUs };
}

/** The newest samples of a twin, in a ring. */
export class RecentSamples {
  #channels = 0;
  #values = new Float64Array(0);
  #statuses = new Uint8Array(0);
  readonly #timesUs = new Float64Array(CAPACITY);
  /** Samples ever pushed since the channels last changed. */
  #pushed = 0;

  push(block: SampleBlock, channels: number): void {
    if (channels !== this.#channels) this.#restart(channels);
    for (let row = 0; row < block.timesUs.length; row++) {
      const slot = this.#pushed % CAPACITY;
      const from = row * channels;
      this.#values.set(block.values.subarray(from, from + channels), slot * channels);
      this.#statuses.set(block.statuses.subarray(from, from + channels), slot * channels);
      this.#timesUs[slot] = block.timesUs[row] ?? 0;
      this.#pushed += 1;
    }
  }

  newest(): TwinSample | undefined {
    if (this.#pushed === 0) return undefined;
    const slot = (this.#pushed - 1) % CAPACITY;
    const [from, to] = [slot * this.#channels, (slot + 1) * this.#channels];
    return {
      values: this.#values.slice(from, to),
      statuses: this.#statuses.slice(from, to),
      state: "confirmed",
      timeUs: this.#timesUs[slot] ?? 0,
    };
  }

  /** Oldest first, at most `n`. */
  of(channel: number, n: number): ChannelSample[] {
    if (channel < 0 || channel >= this.#channels) return [];
    const count = Math.min(n, this.#pushed, CAPACITY);
    return Array.from({ length: count }, (_, i) => {
      const slot = (this.#pushed - count + i) % CAPACITY;
      const at = slot * this.#channels + channel;
      return { value: this.#values[at] ?? 0, status: this.#statuses[at] ?? 0, timeUs: this.#timesUs[slot] ?? 0 };
    });
  }

  #restart(channels: number): void {
    this.#channels = channels;
    this.#values = new Float64Array(CAPACITY * channels);
    this.#statuses = new Uint8Array(CAPACITY * channels);
    this.#pushed = 0;
  }
}
