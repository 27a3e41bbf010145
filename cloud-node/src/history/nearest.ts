import type { StoredStretch } from "../store/store.ts";
import type { DeviceReader, KeptEpoch } from "./device-reader.ts";
import type { TimeRange } from "./time-range.ts";

/** Where there are samples beside a range, µs of device time. */
export interface Nearest {
  /** Where those before it end, exclusive; null where there are none. */
  readonly beforeUs: number | null;
  /** The first one behind it; null where there is none. */
  readonly afterUs: number | null;
}

/** Look beside a range. Stretches that lie on one side of it say so without being decoded. */
export function readNearest(device: DeviceReader, { fromUs, toUs }: TimeRange): Nearest {
  let [beforeUs, afterUs] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const epoch of device.epochs()) {
    const ends = endBefore(epoch, fromUs);
    beforeUs = Math.max(beforeUs, ends);
    afterUs = Math.min(afterUs, startFrom(epoch, toUs));
  }
  return {
    beforeUs: Number.isFinite(beforeUs) ? beforeUs : null,
    afterUs: Number.isFinite(afterUs) ? afterUs : null,
  };
}

function endBefore({ frames }: KeptEpoch, limitUs: number): number {
  const range = { fromUs: Number.NEGATIVE_INFINITY, toUs: limitUs };
  let endUs = Number.NEGATIVE_INFINITY;
  const isBefore = (stretch: StoredStretch) => stretch.toUs <= limitUs;
  for (const part of frames.parts(range, isBefore)) {
    if (part.kind === "stretch" && isBefore(part.stretch)) {
      if (part.stretch.samples > 0) endUs = Math.max(endUs, part.stretch.toUs);
      continue;
    }
    for (const { twin, rows } of frames.decode(part, range)) {
      const periodUs = (twin.plan?.birth.periodNs ?? 0) / 1000;
      for (let row = 0; row < rows.count; row++) {
        const timeUs = twin.rowTimeUs(row);
        if (timeUs < limitUs) endUs = Math.max(endUs, Math.min(Math.ceil(timeUs + periodUs), limitUs));
      }
    }
  }
  return endUs;
}

function startFrom({ frames }: KeptEpoch, limitUs: number): number {
  const range = { fromUs: limitUs, toUs: Number.POSITIVE_INFINITY };
  let startUs = Number.POSITIVE_INFINITY;
  const isBehind = (stretch: StoredStretch) => stretch.fromUs >= limitUs;
  for (const part of frames.parts(range, isBehind)) {
    if (part.kind === "stretch" && isBehind(part.stretch)) {
      if (part.stretch.samples > 0) startUs = Math.min(startUs, part.stretch.fromUs);
      continue;
    }
    for (const { twin, rows } of frames.decode(part, range)) {
      for (let row = 0; row < rows.count; row++) {
        const timeUs = twin.rowTimeUs(row);
        if (timeUs >= limitUs) startUs = Math.min(startUs, timeUs);
      }
    }
  }
  return startUs;
}
