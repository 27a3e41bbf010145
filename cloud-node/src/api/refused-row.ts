import type { RefusedDevice } from "../reconstructor/refused-device.ts";
import { refusalText } from "./event-text.ts";
import { RecentTrace } from "./recent-trace.ts";
import type { FleetRow } from "./schemas/fleet-schema.ts";

/** The row of a device that is not taken in: why, and nothing else, since nothing else can be read. */
export function refusedRow({ id, reason, sinceUs }: RefusedDevice, nowUs: number): FleetRow {
  return {
    id,
    state: "fault",
    channels: [],
    samples: 0,
    lastDataUs: null,
    behindMs: null,
    ratioPayload: null,
    ratioIp: null,
    errorShare: null,
    ringFill: 0,
    ringFullInS: null,
    lostSamples: 0,
    lostGaps: 0,
    p99Ms: null,
    alerts: [{ kind: "fault", text: `refused: ${refusalText(reason)}`, sinceUs }],
    recent: new RecentTrace().columns(nowUs),
  };
}
