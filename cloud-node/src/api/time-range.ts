import type { TimeRange } from "../history/time-range.ts";
import { ApiProblem } from "./problem.ts";

/** Latest time that is read: the year 2255, as far as whole microseconds are exact. */
const MAX_US = Number.MAX_SAFE_INTEGER;
const DATE = /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6})\d*)?)?)?(Z|z|[+-]\d\d:\d\d)?$/;
const US_PER_MS = 1000;
const DEFAULT_RANGE_US = 3_600_000_000;

/**
 * A time as a person or a program writes it.
 *
 * @param text  microseconds since 1970, or a date of RFC 3339; without a zone it is UTC
 * @returns µs
 * @throws {ApiProblem} `bad-parameter`
 */
export function parseTimeUs(name: string, text: string): number {
  const us = /^\d{1,16}$/.test(text) ? Number(text) : parseDateUs(text);
  if (us === undefined || !(us >= 0 && us <= MAX_US)) {
    throw new ApiProblem(
      "bad-parameter",
      `${name}=${text.slice(0, 40)} is no time: write microseconds since 1970, 0 to ${MAX_US}, or a date as 2026-05-01T12:00:00Z`,
      { parameter: name, value: text.slice(0, 40) },
    );
  }
  return us;
}

/**
 * The range that two parameters ask for.
 *
 * @param span  what there is: without `to` the range ends with it, without `from` it is the last hour before `to`
 * @throws {ApiProblem} `bad-parameter`, `range-reversed`
 */
export function parseRange(
  from: string | undefined,
  to: string | undefined,
  span: TimeRange | undefined,
  nowUs: number,
): TimeRange {
  const toUs = to === undefined ? (span?.toUs ?? nowUs) : parseTimeUs("to", to);
  const fromUs = from === undefined ? Math.max(0, toUs - DEFAULT_RANGE_US) : parseTimeUs("from", from);
  // A start after all that there is, with no end given: an empty range in the future, not a mistake.
  if (to === undefined && fromUs >= toUs) return { fromUs, toUs: fromUs };
  if (fromUs > toUs) {
    const detail = `from=${from} is after to=${to}: swap them`;
    throw new ApiProblem("range-reversed", detail, { fromUs, toUs });
  }
  return { fromUs, toUs };
}

/** The part of a range where there is anything; undefined when there is none. */
export function within(range: TimeRange, span: TimeRange | undefined): TimeRange | undefined {
  if (span === undefined) return undefined;
  const part = { fromUs: Math.max(range.fromUs, span.fromUs), toUs: Math.min(range.toUs, span.toUs) };
  return part.fromUs < part.toUs ? part : undefined;
}

function parseDateUs(text: string): number | undefined {
  const match = DATE.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour = "00", minute = "00", second = "00", fraction = "", zone = "Z"] = match;
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${zone.toUpperCase()}`);
  // Date.parse takes the 31st of April for the 1st of May.
  const isReal = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() === Number(day);
  return Number.isNaN(ms) || !isReal ? undefined : ms * US_PER_MS + Number(fraction.padEnd(6, "0"));
}
