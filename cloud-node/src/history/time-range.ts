import { HistoryError } from "./history-error.ts";

/** Half-open range of device time, µs since Unix 0. */
export interface TimeRange {
  readonly fromUs: number;
  readonly toUs: number;
}

/** A range that ends where it begins is empty. @throws {HistoryError} `bad-range` */
export function checkRange({ fromUs, toUs }: TimeRange): void {
  if (Number.isNaN(fromUs) || Number.isNaN(toUs) || fromUs > toUs)
    throw new HistoryError("bad-range", { fromUs, toUs });
}

/** What two ranges have in common; empty where they do not meet. */
export function intersection(a: TimeRange, b: TimeRange): TimeRange {
  const fromUs = Math.max(a.fromUs, b.fromUs);
  return { fromUs, toUs: Math.max(fromUs, Math.min(a.toUs, b.toUs)) };
}
