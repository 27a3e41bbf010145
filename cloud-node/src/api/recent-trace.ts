import type { ChannelSample } from "../reconstructor/twin-view.ts";

const BUCKETS = 60;
/** Five minutes in all. */
const WIDTH_US = 5_000_000;
const STATUS_INVALID = 1;

/** Columns as the fleet table draws them. */
export interface TraceColumns {
  readonly t0Us: number;
  readonly widthUs: number;
  readonly min: (number | null)[];
  readonly max: (number | null)[];
}

/** What twenty pixels of height can show. */
const DIGITS = 4;

/** The last five minutes of one channel in buckets on the cloud's time axis. */
export class RecentTrace {
  readonly #buckets = new Map<number, { min: number; max: number }>();

  /** Take confirmed samples. @param offsetUs  device time minus cloud time */
  add(samples: readonly ChannelSample[], offsetUs: number): void {
    for (const { value, status, timeUs } of samples) {
      if (status === STATUS_INVALID) continue;
      const at = Math.floor((timeUs - offsetUs) / WIDTH_US);
      const bucket = this.#buckets.get(at);
      if (bucket === undefined) this.#buckets.set(at, { min: value, max: value });
      else {
        bucket.min = Math.min(bucket.min, value);
        bucket.max = Math.max(bucket.max, value);
      }
    }
  }

  /** The buckets that end now; what is older is forgotten. */
  columns(nowUs: number): TraceColumns {
    const first = Math.floor(nowUs / WIDTH_US) - BUCKETS + 1;
    for (const at of this.#buckets.keys()) if (at < first) this.#buckets.delete(at);
    const column = (side: "min" | "max") =>
      Array.from({ length: BUCKETS }, (_, i) => shortened(this.#buckets.get(first + i)?.[side]));
    return { t0Us: first * WIDTH_US, widthUs: WIDTH_US, min: column("min"), max: column("max") };
  }
}

function shortened(value: number | undefined): number | null {
  return value === undefined ? null : Number(value.toPrecision(DIGITS));
}
