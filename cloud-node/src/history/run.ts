/** Why a piece of time has no plain samples. */
export type RunKind = "gap-pending" | "gap-lost" | "invalid" | "saturated" | "expired" | "damaged";

/** A piece of device time, µs, that is not plain samples; `toUs` is exclusive. */
export interface Run {
  readonly kind: RunKind;
  /** Null: all of them. */
  readonly channel: number | null;
  readonly fromUs: number;
  readonly toUs: number;
}

/** Runs cut to a range, in order of time. */
export function cutRuns(runs: readonly Run[], fromUs: number, toUs: number): Run[] {
  return runs
    .filter((run) => run.fromUs < toUs && run.toUs > fromUs)
    .map((run) => ({ ...run, fromUs: Math.max(run.fromUs, fromUs), toUs: Math.min(run.toUs, toUs) }))
    .sort((a, b) => a.fromUs - b.fromUs || (a.channel ?? -1) - (b.channel ?? -1));
}
