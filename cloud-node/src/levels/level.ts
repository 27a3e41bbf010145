/** Which extreme of a bucket came first. */
export const ORDER_NONE = 0;
export const ORDER_LOW_FIRST = 1;
export const ORDER_HIGH_FIRST = 2;

const FIRST_BUCKETS = 16;

/**
 * Buckets of one width in the order in which their samples came. Their numbers grow, except where the device's clock
 * went back; then a number may come again. Entry (bucket, channel) of an array is at bucket · channels + channel.
 */
export class Level {
  readonly channels: number;
  /** A bucket is 2^shift sample periods wide. */
  readonly shift: number;
  count = 0;
  /** Shape (count). */
  numbers = new Float64Array(FIRST_BUCKETS);
  /** Shape (count): instants in the bucket, whatever their status. */
  samples = new Uint32Array(FIRST_BUCKETS);
  /** Shape (count, channels): extremes of the samples that are not invalid, on the channel's raster. */
  low: Int32Array<ArrayBuffer>;
  high: Int32Array<ArrayBuffer>;
  /** Shape (count, channels): ORDER_NONE where there is no such sample. */
  order: Uint8Array<ArrayBuffer>;
  /** Shape (count, channels): samples with this status. */
  invalid: Uint32Array<ArrayBuffer>;
  saturated: Uint32Array<ArrayBuffer>;

  constructor(channels: number, shift: number) {
    this.channels = channels;
    this.shift = shift;
    const cells = FIRST_BUCKETS * channels;
    this.low = new Int32Array(cells);
    this.high = new Int32Array(cells);
    this.order = new Uint8Array(cells);
    this.invalid = new Uint32Array(cells);
    this.saturated = new Uint32Array(cells);
  }

  /** Open the next bucket, empty. @returns its place */
  begin(number: number): number {
    const bucket = this.count;
    if (bucket === this.numbers.length) this.#grow();
    this.numbers[bucket] = number;
    this.count += 1;
    return bucket;
  }

  /**
   * Append buckets whose samples came after all of these; a bucket that goes on is joined.
   *
   * @param later  of the same channels and rasters, as wide or narrower
   */
  append(later: Level): void {
    const narrower = 2 ** (this.shift - later.shift);
    for (let from = 0; from < later.count; from++) {
      const number = Math.floor((later.numbers[from] ?? 0) / narrower);
      const last = this.count - 1;
      const to = last >= 0 && this.numbers[last] === number ? last : this.begin(number);
      this.samples[to] = (this.samples[to] ?? 0) + (later.samples[from] ?? 0);
      for (let c = 0; c < this.channels; c++) this.#join(to * this.channels + c, later, from * this.channels + c);
    }
  }

  /** The same in buckets 2^by times as wide. */
  coarser(by: number): Level {
    const wide = new Level(this.channels, this.shift + by);
    wide.append(this);
    return wide;
  }

  #join(to: number, later: Level, from: number): void {
    this.invalid[to] = (this.invalid[to] ?? 0) + (later.invalid[from] ?? 0);
    this.saturated[to] = (this.saturated[to] ?? 0) + (later.saturated[from] ?? 0);
    const order = later.order[from] ?? ORDER_NONE;
    if (order === ORDER_NONE) return;
    const [low, high] = [later.low[from] ?? 0, later.high[from] ?? 0];
    const isFirst = this.order[to] === ORDER_NONE;
    const isLower = isFirst || low < (this.low[to] ?? 0);
    const isHigher = isFirst || high > (this.high[to] ?? 0);
    if (isLower) this.low[to] = low;
    if (isHigher) this.high[to] = high;
    if (isLower && isHigher) this.order[to] = order;
    else if (isLower) this.order[to] = ORDER_HIGH_FIRST;
    else if (isHigher) this.order[to] = ORDER_LOW_FIRST;
  }

  #grow(): void {
    const buckets = 2 * this.numbers.length;
    const cells = buckets * this.channels;
    this.numbers = copied(this.numbers, new Float64Array(buckets));
    this.samples = copied(this.samples, new Uint32Array(buckets));
    this.low = copied(this.low, new Int32Array(cells));
    this.high = copied(this.high, new Int32Array(cells));
    this.order = copied(this.order, new Uint8Array(cells));
    this.invalid = copied(this.invalid, new Uint32Array(cells));
    this.saturated = copied(this.saturated, new Uint32Array(cells));
  }
}

type Cells = Float64Array | Uint32Array | Int32Array | Uint8Array;

function copied<T extends Cells>(from: T, to: T): T {
  to.set(from);
  return to;
}
