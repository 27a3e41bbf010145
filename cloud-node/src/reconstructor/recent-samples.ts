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

/** When rows were taken. */
export interface RowClock {
  /** Device time of its row 0, µs. */
  readonly startUs: number;
  /** The row of it that a frame's first one is. */
  readonly firstRow: number;
  readonly periodNs: number;
}

/** Device time of a frame's row, µs. */
export function timeOfRow({ startUs, firstRow, periodNs }: RowClock, row: number): number {
  return startUs + Math.round(((firstRow + row) * periodNs) / 1000);
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

/** A frame's rows as the codec gave them, with what their values and times follow from. */
export interface RecentRows {
  /** Shape (count, channels). */
  readonly samples: Int32Array;
  /** Shape (count, channels); undefined when all are ok. */
  readonly statuses: Uint8Array | undefined;
  readonly count: number;
  readonly scales: readonly ChannelScale[];
  readonly clock: RowClock;
}

/** Rows kept before the first of a twin's frames that needs more: a device that sends little takes little. */
const FIRST_CAPACITY = 64;

/** The newest samples of a twin, in a ring that grows up to its capacity. They are told in the channels' units. */
export class RecentSamples {
  #scales: readonly ChannelScale[] = [];
  #capacity = 0;
  #samples = new Int32Array(0);
  #statuses = new Uint8Array(0);
  #timesUs = new Float64Array(0);
  /** Samples ever pushed since the channels last changed. */
  #pushed = 0;

  push({ samples, statuses, count, scales, clock }: RecentRows): void {
    if (scales !== this.#scales) this.#restart(scales);
    const channels = scales.length;
    for (let row = Math.max(0, count - CAPACITY); row < count; row++) {
      if (this.#pushed === this.#capacity) this.#grow();
      const slot = this.#pushed % this.#capacity;
      const [from, to] = [row * channels, slot * channels];
      for (let c = 0; c < channels; c++) {
        this.#samples[to + c] = samples[from + c] ?? 0;
        this.#statuses[to + c] = statuses?.[from + c] ?? 0;
      }
      this.#timesUs[slot] = timeOfRow(clock, row);
      this.#pushed += 1;
    }
  }

  newest(): TwinSample | undefined {
    if (this.#pushed === 0) return undefined;
    const slot = (this.#pushed - 1) % this.#capacity;
    const channels = this.#scales.length;
    return {
      values: Float64Array.from(this.#scales, (_, c) => this.#value(slot, c)),
      statuses: this.#statuses.slice(slot * channels, (slot + 1) * channels),
      state: "confirmed",
      timeUs: this.#timesUs[slot] ?? 0,
    };
  }

  /** Oldest first, at most `n`. */
  of(channel: number, n: number): ChannelSample[] {
    if (channel < 0 || channel >= this.#scales.length) return [];
    const count = Math.min(n, this.#pushed, CAPACITY);
    return Array.from({ length: count }, (_, i) => {
      const slot = (this.#pushed - count + i) % this.#capacity;
      const status = this.#statuses[slot * this.#scales.length + channel] ?? 0;
      return { value: this.#value(slot, channel), status, timeUs: this.#timesUs[slot] ?? 0 };
    });
  }

  #value(slot: number, c: number): number {
    const { offset, scale } = this.#scales[c] ?? { offset: 0, scale: 1 };
    return ((this.#samples[slot * this.#scales.length + c] ?? 0) + offset) * scale;
  }

  #restart(scales: readonly ChannelScale[]): void {
    this.#scales = scales;
    this.#pushed = 0;
    this.#capacity = 0;
    this.#grow();
  }

  /** Double it, as far as it may; what is in it lies from the beginning on. */
  #grow(): void {
    if (this.#capacity === CAPACITY) return;
    this.#capacity = Math.min(Math.max(2 * this.#capacity, FIRST_CAPACITY), CAPACITY);
    const cells = this.#capacity * this.#scales.length;
    const [samples, statuses, timesUs] = [this.#samples, this.#statuses, this.#timesUs];
    this.#samples = new Int32Array(cells);
    this.#statuses = new Uint8Array(cells);
    this.#timesUs = new Float64Array(this.#capacity);
    if (this.#pushed === 0) return;
    this.#samples.set(samples);
    this.#statuses.set(statuses);
    this.#timesUs.set(timesUs);
  }
}
