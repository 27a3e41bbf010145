import type { TwinView } from "../reconstructor/twin-view.ts";
import { behindUs, compareBySeverity, type DeviceState, deviceState } from "./device-state.ts";
import type { PageNode, TruthOf } from "./page-source.ts";
import type { SampleTally } from "./sample-tally.ts";
import { accountTraffic, sumAccounts, type TrafficAccount } from "./traffic-account.ts";

/** One row of the fleet table; null stands for "not known", as JSON has no NaN. */
export interface FleetRow {
  readonly id: string;
  readonly state: DeviceState;
  readonly channels: readonly string[];
  readonly samples: number;
  readonly lastHeardUs: number;
  /** Now − time of the last confirmed sample, ms, both on the cloud's clock. */
  readonly behindMs: number | null;
  readonly ratioIp: number | null;
  readonly errorShare: number | null;
  readonly ringFill: number;
  readonly lostSamples: number;
  readonly lostGaps: number;
  readonly p99Ms: number | null;
}

/** The table and the line above it. */
export interface FleetSnapshot {
  readonly nowUs: number;
  /** Where a device would connect; null where there is no broker. */
  readonly mqttUrl: string | null;
  readonly devices: number;
  readonly needAction: number;
  readonly catchingUp: number;
  readonly live: number;
  readonly ratioIp: number | null;
  /** Channel-samples found beyond eps, and how many were compared with the truth. */
  readonly beyondEps: number;
  readonly compared: number;
  readonly rows: readonly FleetRow[];
}

/** The fleet at this moment, worst device first. */
export function fleetSnapshot(node: PageNode, tally: SampleTally, truthOf: TruthOf, nowUs: number): FleetSnapshot {
  const views = node.devices();
  const accounts = views.map((view) => accountOf(view, tally));
  const rows = views
    .map((view, index) => fleetRow(view, accounts[index], tally, truthOf, nowUs))
    .sort(compareBySeverity);
  const count = (...states: DeviceState[]): number => rows.filter(({ state }) => states.includes(state)).length;
  const truths = views.map((view) => truthOf(view.id)).filter((truth) => truth !== undefined);
  return {
    nowUs,
    mqttUrl: node.mqttUrl,
    devices: rows.length,
    needAction: count("fault", "offline"),
    catchingUp: count("catching up"),
    live: count("live"),
    ratioIp: orNull(sumAccounts(accounts).ratioIp),
    beyondEps: truths.reduce((sum, truth) => sum + truth.beyondEps, 0),
    compared: truths.reduce((sum, truth) => sum + truth.compared, 0),
    rows,
  };
}

/** A device's traffic since the node started. */
export function accountOf(view: TwinView, tally: SampleTally): TrafficAccount {
  return accountTraffic(view.traffic, tally.of(view.id), view.birth.channels.length);
}

function fleetRow(
  view: TwinView,
  account: TrafficAccount | undefined,
  tally: SampleTally,
  truthOf: TruthOf,
  nowUs: number,
): FleetRow {
  const behind = behindUs(view, nowUs);
  return {
    id: view.id,
    state: deviceState(view, nowUs),
    channels: view.birth.channels.map((channel) => channel.name),
    samples: tally.of(view.id),
    lastHeardUs: view.lastHeardUs,
    behindMs: behind === undefined ? null : behind / 1000,
    ratioIp: orNull(account?.ratioIp),
    errorShare: orNull(truthOf(view.id)?.maxErrorOverEps),
    ringFill: view.ringFill,
    lostSamples: view.lost.samples,
    lostGaps: view.lost.gaps,
    p99Ms: orNull(view.latencyMs.p99),
  };
}

function orNull(value: number | undefined): number | null {
  return value === undefined || !Number.isFinite(value) ? null : value;
}
