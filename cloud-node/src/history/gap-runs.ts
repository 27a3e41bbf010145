import { gapTimes } from "../reconstructor/gap-times.ts";
import { readStoredFrame } from "../reconstructor/stored-frame.ts";
import type { PlanLookup } from "../reconstructor/twin.ts";
import type { StoredGap, StoreReader } from "../store/store.ts";
import type { Run } from "./run.ts";
import type { TimeRange } from "./time-range.ts";

/** Runs that are remembered of a device, some megabytes. */
const MOST_TOLD = 50_000;

export interface GapSource {
  readonly reader: StoreReader;
  readonly device: number;
  readonly epoch: number;
  readonly plans: PlanLookup;
  /** Gaps whose times the store does not have, as their frames told them once; more are added. */
  readonly told: Map<string, Run>;
  /** Time of what is kept of the epoch, µs. */
  times(): TimeRange | undefined;
}

/**
 * A gap by time, from the store or from the frames behind it. Where no keyframe came yet the gap is pending, and nobody
 * knows its end.
 */
export function gapRun(source: GapSource, gap: StoredGap): Run | undefined {
  if (gap.times !== undefined) return { kind: "gap-lost", channel: null, ...gap.times };
  const { reader, device, epoch, plans, told } = source;
  const known = told.get(`${epoch} ${gap.from} ${gap.through}`);
  if (known !== undefined) return known;
  const after = gap.through + 1;
  for (const { bytes } of reader.frames(device, epoch, after, after)) {
    const frame = readStoredFrame(bytes);
    const birth = frame?.kind === "keyframe" ? plans(frame.birthHash)?.birth : undefined;
    if (frame?.kind !== "keyframe" || birth === undefined) return undefined;
    const run: Run = { kind: "gap-lost", channel: null, ...gapTimes(gap.samples, frame.timeUs, birth.periodNs) };
    if (told.size < MOST_TOLD) told.set(`${epoch} ${gap.from} ${gap.through}`, run);
    return run;
  }
  const times = source.times();
  if (times === undefined) return undefined;
  return { kind: "gap-pending", channel: null, fromUs: times.toUs, toUs: Number.POSITIVE_INFINITY };
}
