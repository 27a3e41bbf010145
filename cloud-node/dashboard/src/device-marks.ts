import type { ApiEvent } from "../../src/api/schemas/event-schema.ts";
import type { LaneRun } from "./lane-run.ts";

/**
 * Where an event belongs on the device's time, µs.
 *
 * A loss is known only once the device is back: it belongs to the gap that it is about, not to the moment of the news.
 *
 * @param offsetUs  device time minus the node's
 * @param gaps  of the device
 */
export function eventTimeUs(event: ApiEvent, offsetUs: number, gaps: readonly LaneRun[]): number {
  const toldUs = event.unixUs + offsetUs;
  if (event.kind !== "gap-lost") return toldUs;
  const before = gaps.filter(({ kind, fromUs }) => kind === "gap-lost" && fromUs <= toldUs);
  return before.at(-1)?.fromUs ?? toldUs;
}

/**
 * The next place worth looking at.
 *
 * @param marks  device times, µs, in any order
 * @param direction  −1: before `fromUs`; 1: after it
 */
export function nextMark(marks: readonly number[], fromUs: number, direction: -1 | 1): number | undefined {
  const found = marks.filter((mark) => (mark - fromUs) * direction > 0);
  if (found.length === 0) return undefined;
  return direction === 1 ? Math.min(...found) : Math.max(...found);
}
