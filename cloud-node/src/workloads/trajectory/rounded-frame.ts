import type { ColumnBound } from "./container-reader.ts";
import type { Column, TrajectoryFrame } from "./frame.ts";

/** From here on a double has no digit left that could be rounded. */
const WHOLE_LIMIT = 2 ** 53;

/** A frame whose values have no more digits after the point than their bounds need: a shorter text, within them too. */
export function roundFrame(frame: TrajectoryFrame, bounds: ReadonlyMap<string, ColumnBound>): TrajectoryFrame {
  const columns = frame.columns.map((column): Column => {
    const decimals = bounds.get(column.name)?.decimals;
    return column.kind !== "real" || decimals === undefined
      ? column
      : { ...column, values: roundValues(column.values, decimals) };
  });
  return { ...frame, columns };
}

/** The nearest whole multiples of 10^-decimals; values too large to have one, and what is no number, as they are. */
function roundValues(values: Float64Array, decimals: number): Float64Array {
  const scale = 10 ** decimals;
  const out = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? Number.NaN;
    const scaled = value * scale;
    // + 0: minus nothing is nothing.
    out[i] = Math.abs(scaled) < WHOLE_LIMIT ? Math.round(scaled) / scale + 0 : value;
  }
  return out;
}
