import type { TwinView } from "../reconstructor/twin-view.ts";

/** A device's condition in the words that people see, worst first. */
export const DEVICE_STATES = ["fault", "offline", "catching-up", "quiet", "live"] as const;
export type DeviceState = (typeof DEVICE_STATES)[number];

/** Without a frame for so many of the longest silences a device is gone, whatever its connection says. */
const OFFLINE_SILENCES = 10;
const BEHIND_SILENCES = 3;
const QUIET_SILENCES = 2;
/** A ring this full holds more than what is on its way. */
const BUSY_RING = 0.1;

/**
 * A device's condition, judged by the longest time T that it may leave the cloud without a frame: the interval of its
 * frames, or the silence stated at birth, whichever is longer.
 *
 * @param nowUs  the cloud's Unix time
 * @param ringFill  0 … 1, where it is known better than from the device's last report
 */
export function deviceState(view: TwinView, nowUs: number, ringFill = view.ringFill): DeviceState {
  const { birth, confirmed, lastHeardUs } = view;
  const longestUs = longestSilenceUs(birth);
  const silentUs = nowUs - lastHeardUs;
  if (view.status === "refused") return "fault";
  if (view.status === "offline" || silentUs > OFFLINE_SILENCES * longestUs) return "offline";
  const isBehind = confirmed.samples > 0 && (behindUs(view, nowUs) ?? 0) > BEHIND_SILENCES * longestUs;
  if (view.status === "gap" || view.status === "catching-up" || ringFill > BUSY_RING || isBehind) return "catching-up";
  return silentUs > QUIET_SILENCES * longestUs ? "quiet" : "live";
}

/** The longest time T, µs, that a device may leave the cloud without a frame: its frame interval, or its stated silence. */
export function longestSilenceUs({ frameSamples, periodNs, silenceMs }: TwinView["birth"]): number {
  return Math.max((frameSamples * periodNs) / 1000, silenceMs * 1000);
}

/**
 * Time between the last confirmed sample and now, µs, by the device's clock.
 *
 * @returns undefined where the clocks' offset is unknown, or nothing is confirmed yet
 */
export function behindUs({ clockOffsetUs, confirmed }: TwinView, nowUs: number): number | undefined {
  if (clockOffsetUs === undefined || confirmed.samples === 0) return undefined;
  return nowUs + clockOffsetUs - confirmed.timeUs;
}

/** The state as a person reads it. */
export function stateText(state: DeviceState): string {
  return state.replace("-", " ");
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
