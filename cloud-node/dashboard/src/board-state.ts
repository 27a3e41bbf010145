import type { BucketsAnswer } from "../../src/api/schemas/history-schema.ts";
import type { AskFailure } from "./history-client.ts";
import type { TimeSpan } from "./time-span.ts";
import { dateAndTime, durationText, type TimeZone } from "./time-text.ts";

/** What is known beside a range without samples. */
export type EmptyRange = BucketsAnswer["kept"] & { readonly nearest: BucketsAnswer["nearest"] };

/** What the page says around the lanes. */
export interface BoardState {
  /** The newest is at the right edge, and moves. */
  readonly isLive: boolean;
  readonly view: TimeSpan;
  /** How much newer the device is than what is shown, µs. */
  readonly newerUs: number;
  /** Resolution in words; "" while nothing is known. */
  readonly resolution: string;
  readonly isLoading: boolean;
  readonly failure: AskFailure | undefined;
  /** The range was asked for, and there is nothing in it: where there is something, and what is kept. */
  readonly emptied: EmptyRange | undefined;
  /** Device time of the last confirmed sample where the picture stands still because nothing came since, µs. */
  readonly heldUs: number | undefined;
  readonly selection: TimeSpan | undefined;
}

/** "bucket 640 ms = 64 samples" */
export function resolutionText(bucketUs: number, periodUs: number): string {
  const samples = Math.max(1, Math.round(bucketUs / periodUs));
  if (samples === 1) return `every sample, ${durationText(bucketUs)} apart`;
  return `bucket ${durationText(bucketUs)} = ${samples} samples`;
}

/**
 * "No samples from A to B.", and how long samples are kept where the range is older than that.
 *
 * @param nowUs  device time
 */
export function emptyText({ fromUs, toUs }: TimeSpan, { maxAgeS }: EmptyRange, nowUs: number, zone: TimeZone): string {
  const text = `No samples from ${dateAndTime(fromUs, zone)} to ${dateAndTime(toUs, zone)}.`;
  const isTooOld = maxAgeS !== null && toUs < nowUs - maxAgeS * 1e6;
  return isTooOld ? `${text} Samples are kept for ${durationText(maxAgeS * 1e6)}.` : text;
}
