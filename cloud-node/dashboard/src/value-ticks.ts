import { valueDecimals } from "../../src/api/number-text.ts";

/** Steps between labels that a reader can count in, in powers of ten. */
const FACTORS: readonly number[] = [1, 2, 5, 10, 20, 50];
/** Binary fractions put a whole step a little beside itself. */
const SLACK = 1e-9;

/** Labels of a value axis. */
export interface ValueTicks {
  readonly step: number;
  readonly at: number[];
}

/**
 * Whole multiples of 1, 2 or 5 times a power of ten, within what is drawn: at least two, to read a distance off.
 *
 * @param low  at the lower edge
 * @param high  at the upper edge, above `low`
 * @param most  labels that there is room for, ≥ 4; one more only where there would be one alone
 */
export function valueTicks(low: number, high: number, most: number): ValueTicks {
  const power = 10 ** Math.floor(Math.log10((high - low) / most) + SLACK);
  let finer: ValueTicks = { step: high - low, at: [low, high] };
  for (const factor of FACTORS) {
    const step = factor * power;
    const first = Math.ceil(low / step - SLACK);
    const count = Math.floor(high / step + SLACK) - first + 1;
    if (count < 2) break;
    finer = { step, at: Array.from({ length: count }, (_, i) => roundTo((first + i) * step, step)) };
    if (count <= most) break;
  }
  return finer;
}

function roundTo(value: number, step: number): number {
  // Adding 0 makes −0 a plain 0.
  return Number(value.toFixed(valueDecimals(step))) + 0;
}
