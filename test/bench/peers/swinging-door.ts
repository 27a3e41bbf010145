import { innerBound } from "./grid.ts";
import { type KeptPoints, PointWriter, readPoints } from "./kept-points.ts";
import type { Compressor, Peer } from "./peer.ts";

/**
 * Swinging door trending with a strict bound. Bristol's door keeps the last sample before the corridor closed, and the
 * line to it may be off by up to 2 eps; here the line ends in the corridor's middle at the last row where a float32 lies
 * inside it, which also makes the lines longer.
 *
 * @see Bristol 1990, "Swinging door trending: adaptive trend recording?"; Elmeleegy et al. 2009 (the strict form)
 */
export function swingingDoor(name: string): Peer {
  return { name, hasLookahead: true, compressors: [RAW] };
}

const RAW: Compressor = {
  setting: "64 bits a point",
  encode(columns, { eps, rows }) {
    const points = new PointWriter(rows * columns.length);
    columns.forEach((values, c) => {
      keepCorners(values, innerBound(eps[c] ?? 0), points);
    });
    return points.finish();
  },
  decode(bytes, { rows }) {
    return readPoints(bytes).map((points) => drawLines(points, rows));
  },
};

/** The first sample, and the end of each line. */
function keepCorners(values: Float64Array, bound: number, points: PointWriter): void {
  const end = { row: 0, value: values[0] ?? 0 };
  if (values.length > 0) points.add(end.row, end.value);
  while (end.row + 1 < values.length) {
    findLineEnd(values, bound, end);
    points.add(end.row, end.value);
  }
}

/** @param corner  where the line begins; overwritten with where it ends */
function findLineEnd(values: Float64Array, bound: number, corner: { row: number; value: number }): void {
  const { row, value } = corner;
  corner.row = row + 1;
  corner.value = values[row + 1] as number;
  let steepest = Number.POSITIVE_INFINITY;
  let flattest = Number.NEGATIVE_INFINITY;
  for (let to = row + 1; to < values.length; to++) {
    const span = to - row;
    steepest = Math.min(steepest, ((values[to] as number) + bound - value) / span);
    flattest = Math.max(flattest, ((values[to] as number) - bound - value) / span);
    if (flattest > steepest) break;
    const middle = Math.fround(value + ((steepest + flattest) / 2) * span);
    const slope = (middle - value) / span;
    if (slope < flattest || slope > steepest) continue;
    corner.row = to;
    corner.value = middle;
  }
}

function drawLines(points: KeptPoints, rows: number): Float64Array {
  const values = new Float64Array(rows);
  points.rows.forEach((from, i) => {
    const value = points.values[i] as number;
    const to = points.rows[i + 1] ?? from + 1;
    const slope = ((points.values[i + 1] ?? value) - value) / (to - from);
    for (let row = from; row < to; row++) values[row] = value + slope * (row - from);
  });
  return values;
}
