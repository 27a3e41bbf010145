import type { DeviceSummary, HistoryVerdict } from "@lockstep/sim";
import { formatCounted } from "../../api/number-text.ts";
import type { TrafficAccount } from "../../api/traffic-account.ts";
import { clockText, durationText, ratioText } from "./demo-table.ts";

/** One device in the demo's result. */
export interface DemoDeviceResult {
  readonly id: string;
  /** Samples that the device took. */
  readonly samples: number;
  /** Of those, how many the reopened store gives back. */
  readonly confirmed: number;
  readonly lost: number;
  /** Between the reopened store and the device's original values. */
  readonly maxErrorOverEps: number;
  readonly rmsErrorPooled: number;
  readonly payloadBytes: number;
  readonly frameBytes: number;
  /** Counted on the sockets in both directions, and 52 B of headers per packet and per TCP acknowledgement added. */
  readonly ipBytes: number;
  /** float32 in the same messages with the same envelopes. */
  readonly rawBytes: number;
  readonly ratioPayload: number;
  readonly ratioFrame: number;
  readonly ratioIp: number;
  /** From a frame's arrival at the node to its commit. */
  readonly latencyMsP50: number;
  readonly latencyMsP99: number;
}

/** What `lockstep demo --json` prints. */
export interface DemoResult {
  readonly devices: readonly DemoDeviceResult[];
  /** CPU time of the process that runs the devices, as a share of one core. */
  readonly cpuShareEdge: number;
  readonly wallSeconds: number;
}

/** What is known of one device at the end. */
export interface DemoDeviceEnd {
  readonly summary: DeviceSummary;
  readonly verdict: HistoryVerdict;
  readonly account: TrafficAccount;
  readonly latencyMs: { readonly p50: number; readonly p99: number };
}

/** Put one device's result together. */
export function deviceResult({ summary, verdict, account, latencyMs }: DemoDeviceEnd): DemoDeviceResult {
  return {
    id: summary.id,
    samples: summary.samples,
    confirmed: verdict.samples,
    lost: summary.samples - verdict.samples,
    maxErrorOverEps: verdict.maxErrorOverEps,
    rmsErrorPooled: verdict.rmsErrorPooled,
    ...account,
    latencyMsP50: latencyMs.p50,
    latencyMsP99: latencyMs.p99,
  };
}

/** What does not hold, one phrase each; empty when the promise was kept. */
export function brokenPromises(result: DemoResult, verdicts: readonly HistoryVerdict[]): string[] {
  const broken: string[] = [];
  for (const { id, lost, confirmed, maxErrorOverEps } of result.devices) {
    if (confirmed === 0) broken.push(`${id}: nothing was confirmed`);
    if (lost > 0) broken.push(`${id}: ${formatCounted(lost, "sample")} lost`);
    if (maxErrorOverEps > 1) broken.push(`${id}: an error of ${maxErrorOverEps} eps`);
  }
  for (const { id, invented, wrongStatuses } of verdicts) {
    if (invented > 0) broken.push(`${id}: ${formatCounted(invented, "sample")} in the store that it never took`);
    if (wrongStatuses > 0) broken.push(`${id}: ${formatCounted(wrongStatuses, "reading")} wrongly flagged`);
  }
  return broken;
}

/** The lines that stay when the demo ends: five with two devices. */
export function summaryLines({ devices, cpuShareEdge, wallSeconds }: DemoResult): string[] {
  const sum = (pick: (device: DemoDeviceResult) => number): number =>
    devices.reduce((total, one) => total + pick(one), 0);
  const width = Math.max(...devices.map(({ id }) => id.length));
  return [
    `lockstep demo ran ${clockText(wallSeconds * 1000)}: ${formatCounted(
      sum((one) => one.confirmed),
      "sample",
    )} stored, ${sum((one) => one.lost)} lost`,
    ...devices.map(({ id, ratioIp, ratioPayload, maxErrorOverEps, latencyMsP99 }) =>
      [
        `${id.padEnd(width)}  IP bytes ${ratioText(ratioIp)} fewer (payload ${ratioText(ratioPayload)})`,
        `error <= ${(Math.ceil(maxErrorOverEps * 1000) / 1000).toFixed(3)} eps`,
        `P99 ${durationText(latencyMsP99)}`,
      ].join(", "),
    ),
    `the devices used ${(cpuShareEdge * 100).toFixed(1)} % of a core; errors: reopened store against originals`,
    "IP bytes: both ways on the sockets + 52 B per packet, against float32 alike",
  ];
}
