import type { TwinStatus } from "../reconstructor/twin-view.ts";

/** A device's condition in the words that people see, worst first. */
export const DEVICE_STATES = ["fault", "offline", "catching up", "quiet", "live"] as const;
export type DeviceState = (typeof DEVICE_STATES)[number];

const STATE_OF: Readonly<Record<TwinStatus, DeviceState>> = {
  refused: "fault",
  offline: "offline",
  gap: "catching up",
  "catching-up": "catching up",
  silent: "quiet",
  live: "live",
};

/** What a twin's status is called where people read it. */
export function deviceState(status: TwinStatus): DeviceState {
  return STATE_OF[status];
}

/** Order of a table: worst first, then by name, so that ties never swap. */
export function compareBySeverity(
  a: { readonly state: DeviceState; readonly id: string },
  b: { readonly state: DeviceState; readonly id: string },
): number {
  const severity = DEVICE_STATES.indexOf(a.state) - DEVICE_STATES.indexOf(b.state);
  return severity !== 0 ? severity : compareNames(a.id, b.id);
}

/** By code unit: the same order on every machine. */
export function compareNames(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
