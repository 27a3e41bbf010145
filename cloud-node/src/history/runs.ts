import { FlagRuns, joined } from "../levels/flag-runs.ts";
import { unpackLevel } from "../levels/level-codec.ts";
import { damageOf } from "../store/damage.ts";
import type { DeviceReader, KeptEpoch } from "./device-reader.ts";
import type { EpochPart } from "./epoch-cover.ts";
import { gapRun } from "./gap-runs.ts";
import { cutRuns, type Run } from "./run.ts";
import type { TimeRange } from "./time-range.ts";

/** Gaps of a range, and what is not kept any more: told without decoding anything. */
export function readGaps(device: DeviceReader, range: TimeRange): Run[] {
  const epochs = device.epochs();
  const runs: Run[] = [];
  for (const { epoch, gaps, expired, frames } of epochs) {
    const source = {
      reader: device.reader,
      device: device.device.key,
      epoch,
      plans: device.plans,
      told: device.toldGaps,
      times: () => frames.times(),
    };
    for (const gap of gaps) {
      const run = gap.through <= expired ? undefined : gapRun(source, gap);
      if (run !== undefined) runs.push(run);
    }
  }
  const span = device.span(epochs);
  if (epochs.some(({ expired }) => expired >= 0) && span !== undefined) {
    runs.push({ kind: "expired", channel: null, fromUs: Number.NEGATIVE_INFINITY, toUs: span.fromUs });
  }
  return cutRuns(runs, range.fromUs, range.toUs);
}

/**
 * Invalid and saturated samples of a range. Where a channel flickers, runs close to each other are told as one.
 *
 * Stretches say theirs without being decoded.
 */
export function readFlags(device: DeviceReader, range: TimeRange): Run[] {
  const runs: Run[] = [];
  let periodUs = 0;
  for (const { frames } of device.epochs()) {
    for (const part of frames.parts(range, ({ flagged }) => flagged === 0)) {
      if (frames.isFlagged(part)) runs.push(...(storedRuns(part) ?? decodedRuns(frames, part, range)));
    }
  }
  periodUs = (device.newest()?.birth.periodNs ?? 0) / 1000;
  // A run that goes on in the next stretch.
  return joined(cutRuns(runs, range.fromUs, range.toUs), periodUs / 2);
}

function storedRuns(part: EpochPart): readonly Run[] | undefined {
  if (part.kind === "frames") return undefined;
  const stored = damageOf(() => unpackLevel(part.stretch.levels, part.stretch.fromUs));
  return stored === "damaged" ? undefined : stored?.runs;
}

function decodedRuns(frames: KeptEpoch["frames"], part: EpochPart, range: TimeRange): Run[] {
  let flags: FlagRuns | undefined;
  let channels = 0;
  const runs: Run[] = [];
  for (const { twin, rows, hasEvents } of frames.decode(part, range)) {
    if (twin.plan === undefined) continue;
    if (rows.channels !== channels) {
      runs.push(...(flags?.runs() ?? []));
      channels = rows.channels;
      flags = new FlagRuns(channels, twin.plan.birth.periodNs / 1000);
    }
    flags?.add(rows, (row) => twin.rowTimeUs(row), hasEvents);
  }
  return [...runs, ...(flags?.runs() ?? [])];
}
