import type { ColumnGroup } from "./column-groups.ts";
import type { TrajectoryFrame } from "./frame.ts";

/** Digits that LAMMPS gives a number by default. */
const DEFAULT_DIGITS = 6;

/** A bound finer than what the digits of a dump have left of its values. */
export interface DigitNote {
  readonly columns: readonly string[];
  readonly eps: number;
  /** Half a unit of the last digit of the largest value: what the dump itself may be off. */
  readonly rounding: number;
}

/**
 * Bounds that ask for more than the dump has: what is kept below its own rounding is noise, and costs as much as it.
 *
 * @param frame  with atoms
 */
export function noteDigits(frame: TrajectoryFrame, groups: readonly ColumnGroup[]): DigitNote[] {
  return groups.flatMap(({ columns, eps, mode }) => {
    if (mode === "exact") return [];
    let largest = 0;
    for (const column of frame.columns) {
      if (column.kind === "text" || !columns.includes(column.name)) continue;
      for (const value of column.values) {
        if (!Number.isFinite(value)) continue;
        if (Number(value.toPrecision(DEFAULT_DIGITS)) !== value) return [];
        largest = Math.max(largest, Math.abs(value));
      }
    }
    const rounding = largest === 0 ? 0 : 0.5 * 10 ** (Math.floor(Math.log10(largest)) + 1 - DEFAULT_DIGITS);
    return eps < rounding ? [{ columns, eps, rounding }] : [];
  });
}
