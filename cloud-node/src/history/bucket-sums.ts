import type { ChannelScale } from "@lockstep/protocol";
import { type Level, ORDER_HIGH_FIRST, ORDER_LOW_FIRST, ORDER_NONE } from "../levels/level.ts";
import type { Run } from "./run.ts";

/** Buckets of one channel. */
export interface ChannelBuckets {
  /** The two extremes in order of occurrence, in the channel's unit; NaN where there is no sample. */
  readonly first: Float64Array;
  readonly second: Float64Array;
  /** Samples with this status. */
  readonly invalid: Uint32Array;
  readonly saturated: Uint32Array;
}

/** What a channel of the sums is made of: a channel of a level, and what its codec units mean. */
export interface SummedChannel {
  readonly channel: number;
  readonly scale: ChannelScale;
  readonly rasterShift: number;
}

/** Adds levels up, in the order in which their samples came, into the buckets of an answer. */
export class BucketSums {
  /** Number of the first bucket, counted from Unix 0. */
  readonly #first: number;
  readonly #widthUs: number;
  readonly #channels: readonly number[];
  /** Shape (count): instants, whatever their status. */
  readonly samples: Uint32Array;
  readonly #low: Float64Array;
  readonly #high: Float64Array;
  readonly #order: Uint8Array;
  readonly #invalid: Uint32Array;
  readonly #saturated: Uint32Array;

  constructor(first: number, count: number, widthUs: number, channels: readonly number[]) {
    this.#first = first;
    this.#widthUs = widthUs;
    this.#channels = channels;
    this.samples = new Uint32Array(count);
    // One channel after the other.
    const cells = count * channels.length;
    this.#low = new Float64Array(cells);
    this.#high = new Float64Array(cells);
    this.#order = new Uint8Array(cells);
    this.#invalid = new Uint32Array(cells);
    this.#saturated = new Uint32Array(cells);
  }

  /**
   * Add a level.
   *
   * @param shift  its buckets would be as wide as these with this shift
   * @param channels  one for each of the sums; undefined where the level has none
   */
  add(level: Level, shift: number, channels: readonly (SummedChannel | undefined)[]): void {
    const narrower = 2 ** (shift - level.shift);
    for (let from = 0; from < level.count; from++) {
      const bucket = Math.floor((level.numbers[from] ?? 0) / narrower) - this.#first;
      if (bucket < 0 || bucket >= this.samples.length) continue;
      this.samples[bucket] = (this.samples[bucket] ?? 0) + (level.samples[from] ?? 0);
      for (const [i, summed] of channels.entries()) {
        if (summed !== undefined) this.#join(i * this.samples.length + bucket, level, from * level.channels, summed);
      }
    }
  }

  channels(): ChannelBuckets[] {
    const count = this.samples.length;
    return this.#channels.map((_, i) => {
      const [first, second] = [new Float64Array(count), new Float64Array(count)];
      for (let bucket = 0; bucket < count; bucket++) {
        const at = i * count + bucket;
        const order = this.#order[at];
        const [low, high] = order === ORDER_NONE ? [Number.NaN, Number.NaN] : [this.#low[at], this.#high[at]];
        first[bucket] = (order === ORDER_HIGH_FIRST ? high : low) ?? Number.NaN;
        second[bucket] = (order === ORDER_HIGH_FIRST ? low : high) ?? Number.NaN;
      }
      const [from, to] = [i * count, (i + 1) * count];
      return { first, second, invalid: this.#invalid.slice(from, to), saturated: this.#saturated.slice(from, to) };
    });
  }

  /** Buckets with flagged samples, as runs. */
  runs(): Run[] {
    const count = this.samples.length;
    return this.#channels.flatMap((channel, i) =>
      (
        [
          ["invalid", this.#invalid],
          ["saturated", this.#saturated],
        ] as const
      ).flatMap(([kind, counts]) => {
        const runs: Run[] = [];
        for (let bucket = 0; bucket < count; bucket++) {
          if (counts[i * count + bucket] === 0) continue;
          const start = bucket;
          while (bucket + 1 < count && (counts[i * count + bucket + 1] ?? 0) > 0) bucket += 1;
          const [fromUs, toUs] = [(this.#first + start) * this.#widthUs, (this.#first + bucket + 1) * this.#widthUs];
          runs.push({ kind, channel, fromUs, toUs });
        }
        return runs;
      }),
    );
  }

  #join(to: number, level: Level, row: number, { channel, scale, rasterShift }: SummedChannel): void {
    const from = row + channel;
    this.#invalid[to] = (this.#invalid[to] ?? 0) + (level.invalid[from] ?? 0);
    this.#saturated[to] = (this.#saturated[to] ?? 0) + (level.saturated[from] ?? 0);
    const order = level.order[from] ?? ORDER_NONE;
    if (order === ORDER_NONE) return;
    const low = ((level.low[from] ?? 0) * 2 ** rasterShift + scale.offset) * scale.scale;
    const high = ((level.high[from] ?? 0) * 2 ** rasterShift + scale.offset) * scale.scale;
    const isFirst = this.#order[to] === ORDER_NONE;
    const isLower = isFirst || low < (this.#low[to] ?? 0);
    const isHigher = isFirst || high > (this.#high[to] ?? 0);
    if (isLower) this.#low[to] = low;
    if (isHigher) this.#high[to] = high;
    if (isLower && isHigher) this.#order[to] = order;
    else if (isLower) this.#order[to] = ORDER_HIGH_FIRST;
    else if (isHigher) this.#order[to] = ORDER_LOW_FIRST;
  }
}
