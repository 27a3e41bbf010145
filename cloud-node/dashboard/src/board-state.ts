import type { AskFailure } from "./history-client.ts";
import type { TimeSpan } from "./time-span.ts";
import { dateAndTime, durationText, type TimeZone } from "./time-text.ts";

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
  /** The range was asked for, and there is nothing in it. */
  readonly isEmpty: boolean;
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

/** "No samples from A to B." */
export function emptyText({ fromUs, toUs }: TimeSpan, zone: TimeZone): string {
  return `No samples from ${dateAndTime(fromUs, zone)} to ${dateAndTime(toUs, zone)}.`;
}
