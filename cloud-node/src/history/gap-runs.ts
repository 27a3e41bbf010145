import { readStoredFrame } from "../reconstructor/stored-frame.ts";
import type { PlanLookup } from "../reconstructor/twin.ts";
import type { StoredGap, StoreReader } from "../store/store.ts";
import type { Run } from "./run.ts";
import type { TimeRange } from "./time-range.ts";

export interface GapSource {
  readonly reader: StoreReader;
  readonly device: number;
  readonly epoch: number;
  readonly plans: PlanLookup;
  /** Time of what is kept of the epoch, µs. */
  times(): TimeRange | undefined;
}

/**
 * When the samples of a gap would have been: they end where the keyframe after it begins. Where none came yet the gap is
 * pending, and nobody knows its end.
 */
export function gapRun(source: GapSource, gap: StoredGap): Run | undefined {
  const { reader, device, epoch, plans } = source;
  const after = gap.through + 1;
  for (const { bytes } of reader.frames(device, epoch, after, after)) {
    const frame = readStoredFrame(bytes);
    const birth = frame?.kind === "keyframe" ? plans(frame.birthHash)?.birth : undefined;
    if (frame?.kind !== "keyframe" || birth === undefined) return undefined;
    // A clock that went back leaves no time for them; a gap is still a gap.
    const lost = Math.max(gap.samples, 1);
    const fromUs = frame.timeUs - Math.round((lost * birth.periodNs) / 1000);
    return { kind: "gap-lost", channel: null, fromUs, toUs: frame.timeUs };
  }
  const times = source.times();
  if (times === undefined) return undefined;
  return { kind: "gap-pending", channel: null, fromUs: times.toUs, toUs: Number.POSITIVE_INFINITY };
}
