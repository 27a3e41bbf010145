import type { BucketsAnswer } from "../../src/api/schemas/history-schema.ts";

/** Why a stretch is no plain signal. */
export type RunKind = BucketsAnswer["runs"][number]["kind"];

/** A stretch of a lane that is no plain signal; device time, µs, the end exclusive. */
export interface LaneRun {
  readonly kind: RunKind;
  readonly fromUs: number;
  readonly toUs: number;
}

const WORDS: Readonly<Record<RunKind, string>> = {
  "gap-pending": "missing, asked for again",
  "gap-lost": "lost",
  invalid: "no reading",
  saturated: "clipped",
  expired: "older than what is kept",
  damaged: "damaged in the store",
};

/** The kind as a person reads it. */
export function runText(kind: RunKind): string {
  // A node newer than this page may know more kinds.
  return WORDS[kind] ?? kind;
}

/** The run that an instant lies in; one that takes the value away before one that only qualifies it. */
export function runAt(runs: readonly LaneRun[], us: number): LaneRun | undefined {
  const found = runs.filter(({ fromUs, toUs }) => us >= fromUs && us < toUs);
  return found.find(({ kind }) => kind !== "saturated") ?? found[0];
}
