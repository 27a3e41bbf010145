/** Which way a number is rounded: against ourselves, so savings go down, and error, delay and fill go up. */
export type Rounding = "down" | "up" | "nearest";

const PREFIXED_UNITS: ReadonlySet<string> = new Set(["s", "m", "g", "V", "A", "W", "Hz", "Pa", "B", "B/s"]);
const PREFIXES: readonly (readonly [exponent: number, prefix: string])[] = [
  [9, "G"],
  [6, "M"],
  [3, "k"],
  [0, ""],
  [-3, "m"],
  [-6, "µ"],
  [-9, "n"],
];
/** Binary fractions put 0.98 a little beside 0.98; this much is taken for the decimal that was meant. */
const DECIMAL_SLACK = 1e-12;
/** Digits shown of every measured number. */
const SIGNIFICANT_DIGITS = 3;
/** What stands for a number that is not known; never blank, never NaN. */
export const UNKNOWN = "–";
/** U+202F, no-break thin space: before a unit, and between thousands. */
const THIN_SPACE = "\u202f";

/**
 * A number with three significant digits, without exponent.
 *
 * @returns "24.4", "0.983", "1 804"; `–` for what is not finite
 */
export function formatNumber(value: number, rounding: Rounding = "nearest"): string {
  if (!Number.isFinite(value)) return UNKNOWN;
  if (value === 0) return "0";
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  const decimals = Math.max(0, SIGNIFICANT_DIGITS - 1 - exponent);
  const rounded = roundDecimals(value, decimals, rounding);
  // 9.996 becomes 10.00: one digit too many.
  const isLonger = Math.abs(rounded) >= 10 ** (exponent + 1);
  return groupThousands(rounded.toFixed(isLonger ? Math.max(0, decimals - 1) : decimals));
}

/**
 * A measured quantity: three significant digits and an SI prefix where the unit takes one; 1 kB is 1000 B.
 *
 * @param unit  the plain unit; "" for none
 * @returns "2.49 kB/s", "42.0 ms", with U+202F before the unit
 */
export function formatQuantity(value: number, unit: string, rounding: Rounding = "nearest"): string {
  if (!Number.isFinite(value)) return UNKNOWN;
  if (!PREFIXED_UNITS.has(unit) || value === 0) {
    return unit === "" ? formatNumber(value, rounding) : `${formatNumber(value, rounding)}${THIN_SPACE}${unit}`;
  }
  const smallest = unit.startsWith("B") ? 0 : -9;
  const usable = PREFIXES.filter(([exponent]) => exponent >= smallest);
  const magnitude = Math.abs(value) * (1 + DECIMAL_SLACK);
  const [exponent, prefix] = usable.find(([power]) => magnitude >= 10 ** power) ?? usable[usable.length - 1] ?? [0, ""];
  const scaled = value / 10 ** exponent;
  // 12 B is a count: "12.0 B" would claim tenths of a byte.
  const isCount = unit === "B" && exponent === 0 && Number.isInteger(value);
  return `${isCount ? String(value) : formatNumber(scaled, rounding)}${THIN_SPACE}${prefix}${unit}`;
}

/** A saving, rounded down: "24.4×"; below 1 it is a loss, and says so with a mark. */
export function formatRatio(ratio: number): string {
  if (!Number.isFinite(ratio) || ratio <= 0) return UNKNOWN;
  return `${ratio < 1 ? "▲ " : ""}${formatNumber(ratio, "down")}×`;
}

/** Error as a part of its bound, rounded up to two decimals: "0.98". */
export function formatErrorShare(share: number): string {
  return Number.isFinite(share) ? roundDecimals(share, 2, "up").toFixed(2) : UNKNOWN;
}

/** A share in whole percent, rounded up: "2 %". */
export function formatFill(share: number): string {
  return Number.isFinite(share) ? `${roundDecimals(share * 100, 0, "up")}${THIN_SPACE}%` : UNKNOWN;
}

/** A whole number with its thousands apart: "13 514". */
export function formatCount(count: number): string {
  return Number.isFinite(count) ? groupThousands(count.toFixed(0)) : UNKNOWN;
}

/** So many of something: "1 sample", "2 samples". */
export function formatCounted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** How long ago something was: "now", "12 s", "4 min", "3 h", "5 d". */
export function formatAge(ageMs: number): string {
  if (!Number.isFinite(ageMs)) return UNKNOWN;
  const seconds = Math.floor(ageMs / 1000);
  if (seconds < 2) return "now";
  if (seconds < 60) return `${seconds}${THIN_SPACE}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}${THIN_SPACE}min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}${THIN_SPACE}h`;
  return `${Math.floor(seconds / 86_400)}${THIN_SPACE}d`;
}

/**
 * Decimals with which a value of this error bound is shown: no more than the bound vouches for.
 *
 * @param eps  error bound in the channel's unit, ≥ 0
 * @param step  the sensor's own step, used where eps is 0
 */
export function valueDecimals(eps: number, step = 0): number {
  const finest = eps > 0 ? eps : step;
  if (!(finest > 0)) return SIGNIFICANT_DIGITS;
  return Math.min(Math.max(0, Math.ceil(-Math.log10(finest) - DECIMAL_SLACK)), 12);
}

/** A value with the decimals that its bound vouches for. */
export function formatValue(value: number, eps: number, step = 0): string {
  if (!Number.isFinite(value)) return UNKNOWN;
  const text = value.toFixed(valueDecimals(eps, step));
  return groupThousands(/^-0(\.0*)?$/.test(text) ? text.slice(1) : text);
}

function roundDecimals(value: number, decimals: number, rounding: Rounding): number {
  const scale = 10 ** decimals;
  const scaled = value * scale;
  const slack = Math.abs(scaled) * DECIMAL_SLACK;
  if (rounding === "down") return Math.floor(scaled + slack) / scale;
  if (rounding === "up") return Math.ceil(scaled - slack) / scale;
  return Math.round(scaled) / scale;
}

function groupThousands(digits: string): string {
  const [whole = "", fraction] = digits.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, THIN_SPACE);
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}
