/** How a recording writes its times: enough to write them again, character for character. */
export interface TimeFormat {
  readonly style: "number" | "date";
  /** Between date and time of day; "" for numbers. */
  readonly separator: "T" | " " | "";
  /** "Z" where the date says that it is UTC; dates without a zone are kept as they are written. */
  readonly suffix: "Z" | "";
}

const DATE = /^(\d{4})-(\d\d)-(\d\d)([T ])(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(Z?)$/;
const US_PER_SECOND = 1_000_000;
/** Microseconds are as fine as a date is kept. */
const MICROSECOND_DIGITS = 6;

/**
 * How a time is written.
 *
 * @returns undefined for text that is neither a number nor a date
 */
export function timeFormatOf(text: string): TimeFormat | undefined {
  const date = DATE.exec(text);
  if (date !== null)
    return { style: "date", separator: date[4] === "T" ? "T" : " ", suffix: date[9] === "Z" ? "Z" : "" };
  return parseNumber(text) === undefined ? undefined : { style: "number", separator: "", suffix: "" };
}

/**
 * A time as a number: the number itself, or a date's seconds since 1970.
 *
 * @returns undefined for text of another format than `format`
 */
export function parseTime(text: string, format: TimeFormat): number | undefined {
  if (format.style === "number") return parseNumber(text);
  const date = DATE.exec(text);
  if (date === null || (date[9] ?? "") !== format.suffix) return undefined;
  const [year, month, day, hour, minute, second] = [1, 2, 3, 5, 6, 7].map((index) => Number(date[index] ?? 0));
  const ms = Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute, second);
  const us = Number((date[8] ?? "").padEnd(MICROSECOND_DIGITS, "0"));
  return (ms * 1000 + us) / US_PER_SECOND;
}

/**
 * Write a time as its recording did.
 *
 * @param decimals  digits after the point, of the number or of a date's seconds
 */
export function formatTime(time: number, decimals: number, format: TimeFormat): string {
  if (format.style === "number") return time.toFixed(decimals);
  const unit = 10 ** (MICROSECOND_DIGITS - Math.min(decimals, MICROSECOND_DIGITS));
  const us = Math.round((time * US_PER_SECOND) / unit) * unit;
  const ms = Math.floor(us / 1000);
  const iso = new Date(ms).toISOString();
  const fraction = String(us - Math.floor(us / US_PER_SECOND) * US_PER_SECOND).padStart(MICROSECOND_DIGITS, "0");
  const digits = decimals === 0 ? "" : `.${fraction.slice(0, decimals)}`;
  return `${iso.slice(0, 10)}${format.separator}${iso.slice(11, 19)}${digits}${format.suffix}`;
}

/**
 * Digits after the point of a number or a date's seconds as written.
 *
 * @returns 0 for a whole number; exponents count: "1.5e-3" has 4
 */
export function decimalsOf(text: string): number {
  const match = /\.(\d*)/.exec(text);
  const exponent = /[eE]([+-]?\d+)$/.exec(text);
  return Math.max(0, (match?.[1]?.length ?? 0) - Number(exponent?.[1] ?? 0));
}

/** @returns undefined for empty text and for what is no finite number */
export function parseNumber(text: string): number | undefined {
  if (text.trim() === "") return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}
