import { formatValue, UNKNOWN, valueDecimals } from "../../src/api/number-text.ts";

/** What a text about a channel needs to know of it. */
export interface ValueChannel {
  readonly name: string;
  readonly unit: string;
  readonly eps: number;
}

const THIN_SPACE = "\u202f";

/** The unit as it stands after a number; nothing for one that has none. */
export function unitText(unit: string): string {
  return unit === "" || unit === "1" ? "" : `${THIN_SPACE}${unit}`;
}

/** The bound of a channel: "± 0.05". */
export function boundText(eps: number): string {
  if (eps === 0) return "exact";
  const bound = Number(eps.toPrecision(2)).toFixed(Math.min(valueDecimals(eps) + 1, 12));
  return `± ${bound.includes(".") ? bound.replace(/\.?0+$/, "") : bound}`;
}

/** "0.42 ± 0.05 g"; of a bucket with more than one sample "0.12 … 0.42 ± 0.05 g". */
export function boundedText(low: number, high: number, { eps, unit }: ValueChannel): string {
  if (Number.isNaN(low)) return UNKNOWN;
  const [from, to] = [formatValue(low, eps), formatValue(high, eps)];
  return `${from === to ? from : `${from} … ${to}`} ${boundText(eps)}${unitText(unit)}`;
}
