import { piecesCompressor } from "./coded-pla.ts";
import { innerBound } from "./grid.ts";
import { PointWriter, readPoints } from "./kept-points.ts";
import type { Compressor, Peer } from "./peer.ts";

/** Grid steps of the coded form, in eps; see `coded-pla.ts`. */
const GRIDS = [0.25, 0.5, 1, 1.9999];

/**
 * Send on delta: a sample is sent when it is more than eps away from the last one sent, as it is.
 *
 * @see Miskowicz 2006, "Send-on-delta concept: an event-based data reporting strategy"
 */
export function deadband(name: string): Peer {
  return { name, hasLookahead: false, compressors: [RAW] };
}

/**
 * The same with gaps and values on a grid through an adaptive arithmetic coder: a value when it is due, and how long it held
 * when that has ended, which needs no lookahead.
 */
export function deadbandEvents(name: string): Peer {
  return { name, hasLookahead: false, compressors: heldCompressors("event", Number.POSITIVE_INFINITY) };
}

/**
 * The same with the span before the value, so that an encoder has to see the end of a span first.
 *
 * @param longest  rows that a span may have at most; without one it may have any number, which is lookahead
 */
export function codedDeadband(name: string, longest = Number.POSITIVE_INFINITY): Peer {
  const hasLookahead = longest === Number.POSITIVE_INFINITY;
  return { name, hasLookahead, compressors: heldCompressors("level", longest) };
}

function heldCompressors(form: "level" | "event", longest: number): Compressor[] {
  return GRIDS.map((gridInEps) =>
    piecesCompressor(`grid ${gridInEps} eps`, form, gridInEps, (values, { step, origin, bound }) => ({
      find(from, _last, piece) {
        piece.start = Math.round(((values[from] as number) - origin) / step);
        piece.end = piece.start;
        const held = origin + piece.start * step;
        const limit = Math.min(values.length, from + longest);
        let to = from + 1;
        while (to < limit && Math.abs((values[to] as number) - held) <= bound) to += 1;
        piece.span = to - from - 1;
      },
    })),
  );
}

const RAW: Compressor = {
  setting: "64 bits a point",
  encode(columns, { eps, rows }) {
    const points = new PointWriter(rows * columns.length);
    columns.forEach((values, c) => {
      keepBeyond(values, innerBound(eps[c] ?? 0), points);
    });
    return points.finish();
  },
  decode(bytes, { rows }) {
    return readPoints(bytes).map((points) => {
      const values = new Float64Array(rows);
      points.rows.forEach((row, i) => {
        values.fill(points.values[i] as number, row, points.rows[i + 1] ?? rows);
      });
      return values;
    });
  },
};

function keepBeyond(values: Float64Array, bound: number, points: PointWriter): void {
  let held = Number.NaN;
  values.forEach((value, row) => {
    if (Math.abs(value - held) <= bound) return;
    held = value;
    points.add(row, value);
  });
}
