/** What the three lines under `ITEM: BOX BOUNDS` say. */
export type BoxShape = "orthogonal" | "triclinic" | "general";

/**
 * A simulation box, its numbers exactly as the dump has them.
 *
 * | shape | `bounds`, row by row |
 * |---|---|
 * | orthogonal | xlo xhi, ylo yhi, zlo zhi |
 * | triclinic | xlo_bound xhi_bound xy, ylo_bound yhi_bound xz, zlo zhi yz: the bounding box, not the edges |
 * | general | ax ay az originx, bx by bz originy, cx cy cz originz |
 *
 * All are finite; lo <= hi.
 *
 * @see LAMMPS manual, "dump command" and "Howto triclinic"
 */
export interface Box {
  readonly shape: BoxShape;
  /** Per axis two letters of `p f s m`, lower and upper face (`pp`, `fm`, …); undefined where an old dump has none. */
  readonly boundary: readonly [string, string, string] | undefined;
  /** 6, 9 or 12 numbers. */
  readonly bounds: readonly number[];
}

/** Three Cartesian components. */
export type Vector = readonly [number, number, number];

/** A box as a corner and its three edges: point = origin + s0 edges[0] + s1 edges[1] + s2 edges[2], s in [0, 1). */
export interface Cell {
  readonly origin: Vector;
  readonly edges: readonly [Vector, Vector, Vector];
}

/** How many numbers each of the three lines has. */
export const BOUNDS_PER_LINE = { orthogonal: 2, triclinic: 3, general: 4 } as const;

/** Origin and edges of a box; for `triclinic` the tilt is taken out of the bounding box, as LAMMPS puts it in. */
export function cellOf({ shape, bounds }: Box): Cell {
  const [b0 = 0, b1 = 0, b2 = 0, b3 = 0, b4 = 0, b5 = 0, b6 = 0, b7 = 0, b8 = 0, b9 = 0, b10 = 0, b11 = 0] = bounds;
  if (shape === "general") {
    return {
      origin: [b3, b7, b11],
      edges: [
        [b0, b1, b2],
        [b4, b5, b6],
        [b8, b9, b10],
      ],
    };
  }
  if (shape === "orthogonal") return tilted([b0, b2, b4], [b1, b3, b5], 0, 0, 0);
  const [xy, xz, yz] = [b2, b5, b8];
  const low: Vector = [b0 - Math.min(0, xy, xz, xy + xz), b3 - Math.min(0, yz), b6];
  const high: Vector = [b1 - Math.max(0, xy, xz, xy + xz), b4 - Math.max(0, yz), b7];
  return tilted(low, high, xy, xz, yz);
}

/** Whether the box repeats along this axis (0 … 2); undefined where the dump does not say. */
export function isPeriodic({ boundary }: Box, axis: 0 | 1 | 2): boolean | undefined {
  return boundary && boundary[axis] === "pp";
}

function tilted(low: Vector, high: Vector, xy: number, xz: number, yz: number): Cell {
  return {
    origin: low,
    edges: [
      [high[0] - low[0], 0, 0],
      [xy, high[1] - low[1], 0],
      [xz, yz, high[2] - low[2]],
    ],
  };
}
