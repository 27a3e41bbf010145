import type { SequencedFrame } from "@lockstep/protocol";
import type { RowBuffer } from "./row-buffer.ts";

/** Channel-samples of a frame that its device flagged alike. */
export interface FrameFlags {
  readonly kind: "invalid" | "saturated";
  readonly count: number;
}

/** How many channel-samples of the frame just taken are flagged, and as what. @param rows  its rows */
export function frameFlags(frame: SequencedFrame, rows: RowBuffer): FrameFlags[] {
  if (frame.kind === "heartbeat" || !frame.hasEvents) return [];
  const flagged = rows.statuses.subarray(0, rows.count * rows.channels);
  const flags = ([1, 2] as const).map((status) => ({
    kind: status === 1 ? ("invalid" as const) : ("saturated" as const),
    count: flagged.reduce((sum, one) => sum + (one === status ? 1 : 0), 0),
  }));
  return flags.filter(({ count }) => count > 0);
}
