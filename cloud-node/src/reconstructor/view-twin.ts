import type { BirthPlan } from "./birth-plan.ts";
import type { DeviceReport } from "./device-report.ts";
import type { Lane } from "./lane.ts";
import { toSampleBlock } from "./recent-samples.ts";
import type { RowBuffer } from "./row-buffer.ts";
import type { TrafficMeter } from "./traffic-meter.ts";
import type { TwinSample, TwinStatus, TwinView } from "./twin-view.ts";

interface ViewSources {
  readonly id: string;
  readonly plan: BirthPlan;
  readonly lane: Lane;
  readonly report: DeviceReport;
  readonly traffic: TrafficMeter;
  readonly rows: RowBuffer;
  readonly nowMs: number;
}

/**
 * Samples that a twin runs ahead at most. A device that has counted so many quiet ones says so (protocol/SPEC.md, section
 * 2), so that one which is there is never further away; what it claims of its period and silence is not trusted with more.
 */
const EXTRAPOLATED_SAMPLES_MAX = 65_536;

/** Put together what a device's twin looks like now. */
export function viewTwin(sources: ViewSources): TwinView {
  const { id, plan, lane, report, traffic } = sources;
  const { ledger, twin } = lane;
  const { samples, lost, invalid, saturated } = twin.counts;
  const newest = ledger.recent.newest();
  const ahead = extrapolate(sources);
  return {
    id,
    birth: plan.birth,
    birthHash: plan.hash,
    epoch: lane.epoch,
    online: report.isOnline,
    status: statusOf(sources),
    confirmed: { seq: ledger.confirmed, samples: ledger.samples, timeUs: newest?.timeUs ?? 0 },
    receivedSamples: samples,
    stateHash: twin.stateHash,
    lost: { samples: lost, gaps: ledger.gaps },
    latest: [newest, ahead].filter((sample) => sample !== undefined),
    recent: (channel, n) => ledger.recent.of(channel, n),
    expected: (n) => runAhead(sources, n),
    ringFill: report.ringFill,
    clockOffsetUs: report.clockOffsetUs,
    traffic: traffic.reading(),
    transport: report.transport,
    latencyMs: ledger.latency.quantiles(),
    duplicates: ledger.duplicates,
    conflicts: ledger.conflicts,
    refused: report.refused,
    damage: report.damage,
    flagged: { invalid, saturated },
    lastHeardUs: report.lastHeardUs,
    lastDataUs: report.lastDataUs,
  };
}

function statusOf({ lane, report, plan, nowMs }: ViewSources): TwinStatus {
  if (report.refusal !== undefined || report.damage !== undefined) return "refused";
  if (!report.isOnline) return "offline";
  if (lane.isInGap) return "gap";
  if (lane.hasHoles) return "catching-up";
  return nowMs - report.lastHeardMs > 2 * plan.birth.silenceMs ? "silent" : "live";
}

/** The twin run ahead by the time since its device was last heard, at most by the silence that it promised to break. */
function extrapolate(sources: ViewSources): TwinSample | undefined {
  return runAhead(sources, 1).at(-1);
}

/** The last steps of that, oldest first. */
function runAhead({ lane, plan, report, rows, nowMs }: ViewSources, most: number): TwinSample[] {
  const { twin } = lane;
  const startUs = twin.nextTimeUs;
  // Since the node started nothing came: how old the last sample is, nobody knows.
  if (!Number.isFinite(report.lastHeardMs)) return [];
  const elapsedMs = Math.min(nowMs - report.lastHeardMs, plan.birth.silenceMs);
  const count = Math.min(Math.floor((elapsedMs * 1e6) / plan.birth.periodNs), EXTRAPOLATED_SAMPLES_MAX);
  if (startUs === undefined || !(count >= 1) || !twin.extrapolate(count, rows, most)) return [];
  const { channels, count: steps } = rows;
  const timeOf = (row: number): number => startUs + Math.round(((count - steps + row) * plan.birth.periodNs) / 1000);
  const block = toSampleBlock(rows, twin.plan?.scales ?? [], timeOf);
  return Array.from({ length: steps }, (_, row) => ({
    values: block.values.slice(row * channels, (row + 1) * channels),
    statuses: block.statuses.slice(row * channels, (row + 1) * channels),
    state: "extrapolated",
    timeUs: timeOf(row),
  }));
}
