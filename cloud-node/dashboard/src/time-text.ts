import { formatNumber } from "../../src/api/number-text.ts";

/** Whose clock times are shown by. */
export type TimeZone = "local" | "utc";

const US_PER_MS = 1000;
const US_PER_S = 1_000_000;
const THIN_SPACE = "\u202f";
const MINUTE_S = 60;
const HOUR_S = 3600;
const DAY_S = 86_400;
/** Steps between labels that a reader can count in, s. */
const STEPS_S: readonly number[] = [
  ...[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE_S),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR_S),
  ...[1, 2, 7, 14, 30, 90, 365, 1000].map((days) => days * DAY_S),
];

/** Minutes that a zone is ahead of UTC at an instant. */
function aheadMinutes(us: number, zone: TimeZone): number {
  return zone === "utc" ? 0 : -new Date(us / US_PER_MS).getTimezoneOffset();
}

/** The instant's ISO text in the zone, without the zone: "2026-05-01T10:24:27.934". */
function isoIn(us: number, zone: TimeZone): string {
  const date = new Date(Math.floor(us / US_PER_MS) + aheadMinutes(us, zone) * 60_000);
  return Number.isNaN(date.getTime()) ? "–" : date.toISOString().slice(0, -1);
}

/**
 * Time of day, cut off and never rounded up: "10:24:27.9".
 *
 * @param decimals  of seconds, 0 to 3
 */
export function timeOfDay(us: number, zone: TimeZone, decimals = 0): string {
  return isoIn(us, zone).slice(11, decimals === 0 ? 19 : 20 + decimals);
}

/** "2026-05-01 10:24:27" */
export function dateAndTime(us: number, zone: TimeZone, decimals = 0): string {
  return `${isoIn(us, zone).slice(0, 10)} ${timeOfDay(us, zone, decimals)}`;
}

/** The instant for machines: "2026-05-01T08:24:27.934Z". */
export function isoTime(us: number): string {
  return `${isoIn(us, "utc")}Z`;
}

/** What times are relative to: "UTC+02:00". */
export function zoneText(zone: TimeZone, us: number): string {
  const minutes = aheadMinutes(us, zone);
  if (minutes === 0) return "UTC";
  const pad = (part: number): string => String(Math.floor(part)).padStart(2, "0");
  return `UTC${minutes < 0 ? "−" : "+"}${pad(Math.abs(minutes) / 60)}:${pad(Math.abs(minutes) % 60)}`;
}

/** How long something takes: "640 ms", "12.5 s", "4 min", "3.5 h", "30 d". */
export function durationText(us: number): string {
  const seconds = us / US_PER_S;
  const [value, unit] =
    seconds < 1
      ? [seconds * 1000, "ms"]
      : seconds < 2 * MINUTE_S
        ? [seconds, "s"]
        : seconds < 2 * HOUR_S
          ? [seconds / MINUTE_S, "min"]
          : seconds < 2 * DAY_S
            ? [seconds / HOUR_S, "h"]
            : [seconds / DAY_S, "d"];
  return `${formatNumber(value).replace(/\.0+$|(\.\d*[1-9])0+$/, "$1")}${THIN_SPACE}${unit}`;
}

/** Labels of a time axis: instants, s, and how they are written. */
export interface TimeTicks {
  readonly stepS: number;
  readonly atS: number[];
}

/**
 * Whole instants of a zone that lie in a view.
 *
 * @param most  labels that there is room for
 */
export function timeTicks(fromS: number, toS: number, most: number, zone: TimeZone): TimeTicks {
  const stepS = STEPS_S.find((step) => (toS - fromS) / step <= Math.max(most, 1)) ?? 1000 * DAY_S;
  const aheadS = aheadMinutes(fromS * US_PER_S, zone) * MINUTE_S;
  const first = Math.ceil((fromS + aheadS) / stepS);
  const count = Math.max(0, Math.floor((toS + aheadS) / stepS) - first + 1);
  return { stepS, atS: Array.from({ length: count }, (_, i) => (first + i) * stepS - aheadS) };
}

/** One label: no more of the time than its neighbours differ in. */
export function tickText(atS: number, stepS: number, zone: TimeZone): string {
  // Ticks are whole steps; binary fractions may put them a little before.
  const us = Math.round(atS * US_PER_S);
  if (stepS >= DAY_S) return isoIn(us, zone).slice(0, 10);
  if (stepS >= MINUTE_S) return timeOfDay(us, zone).slice(0, 5);
  return timeOfDay(us, zone, stepS >= 1 ? 0 : stepS >= 0.1 ? 1 : stepS >= 0.01 ? 2 : 3);
}
