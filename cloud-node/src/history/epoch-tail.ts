import { readStoredFrame } from "../reconstructor/stored-frame.ts";
import type { PlanLookup } from "../reconstructor/twin.ts";
import { unpackSnapshot } from "../reconstructor/twin-snapshot.ts";
import type { StoredFrame, StoredSnapshot } from "../store/store.ts";

/** Time that some frames cover, told from their heads alone: nothing is decoded. */
export interface FrameTimes {
  /** Of the first sample; `toUs` is one period after the last one. Nothing when there is no sample. */
  readonly fromUs: number | undefined;
  readonly toUs: number;
  readonly hasEvents: boolean;
}

/**
 * Add up how much time frames cover.
 *
 * @param start  what the twin knew before them
 */
export function timesOf(
  frames: Iterable<StoredFrame>,
  start: StoredSnapshot | undefined,
  plans: PlanLookup,
): FrameTimes {
  const saved = start === undefined ? undefined : unpackSnapshot(start.state);
  let segment =
    saved === undefined
      ? undefined
      : { timeUs: saved.segmentTimeUs, rows: saved.segmentRows, birth: plans(saved.birthHash)?.birth };
  let hasEvents = false;
  let [fromUs, toUs]: [number | undefined, number] = [undefined, Number.NEGATIVE_INFINITY];
  for (const { bytes } of frames) {
    const frame = readStoredFrame(bytes);
    if (frame === undefined) continue;
    if (frame.kind === "keyframe") {
      segment = { timeUs: frame.timeUs, rows: 0, birth: plans(frame.birthHash)?.birth };
    }
    if (segment?.birth === undefined) continue;
    const { frameSamples, periodNs } = segment.birth;
    const own = frame.kind === "heartbeat" ? 0 : frame.samples === 0 ? frameSamples : frame.samples;
    const rows = own + (frame.kind === "keyframe" ? 0 : frame.quiet);
    hasEvents ||= frame.kind !== "heartbeat" && frame.hasEvents;
    if (rows === 0) continue;
    const at = (row: number) => (segment?.timeUs ?? 0) + Math.round((row * periodNs) / 1000);
    fromUs = Math.min(fromUs ?? Number.POSITIVE_INFINITY, at(segment.rows));
    segment = { ...segment, rows: segment.rows + rows };
    toUs = Math.max(toUs, Math.ceil(at(segment.rows - 1) + periodNs / 1000));
  }
  return { fromUs, toUs, hasEvents };
}
