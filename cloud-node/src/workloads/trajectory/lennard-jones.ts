import { type Cell, cellOf, isPeriodic, type Vector } from "./box.ts";
import type { TrajectoryFrame } from "./frame.ts";

/** Energies per atom of a Lennard-Jones system in reduced units. */
export interface LennardJonesEnergies {
  readonly potential: number;
  /** Undefined where velocities were not dumped. */
  readonly kinetic: number | undefined;
}

const AXES = [0, 1, 2] as const;

/**
 * Energies of a frame: pairs within `cutOff`, in every image of a box that repeats; epsilon and sigma are 1, and so are
 * masses unless there is a column `mass`.
 *
 * @param cutOff  > 0, in units of sigma; the potential is cut there and not shifted, as LAMMPS' `pair_style lj/cut`
 * @returns undefined for a frame without atoms, without positions, or in a box without volume
 */
export function lennardJonesEnergies(frame: TrajectoryFrame, cutOff: number): LennardJonesEnergies | undefined {
  const cell = cellOf(frame.box);
  const inverse = inverseOf(cell);
  if (frame.atoms === 0 || inverse === undefined) return undefined;
  const atoms = placeAtoms(frame, cell, inverse, cutOff);
  if (atoms === undefined) return undefined;
  return { potential: potentialOf(atoms, cell, cutOff) / frame.atoms, kinetic: kineticOf(frame) };
}

function kineticOf(frame: TrajectoryFrame): number | undefined {
  const velocities = ["vx", "vy", "vz"].flatMap((name) => valuesOf(frame, name) ?? []);
  if (velocities.length === 0) return undefined;
  const masses = valuesOf(frame, "mass");
  let kinetic = 0;
  for (const line of velocities) {
    for (let i = 0; i < line.length; i++) kinetic += 0.5 * (masses?.[i] ?? 1) * (line[i] ?? 0) ** 2;
  }
  return kinetic / frame.atoms;
}

function valuesOf(frame: TrajectoryFrame, name: string): Float64Array | undefined {
  const column = frame.columns.find((other) => other.name === name);
  return column === undefined || column.kind === "text" ? undefined : column.values;
}

/** Atoms in the box, sorted into bins at least as wide as a part of the cut-off. */
interface PlacedAtoms {
  /** Cartesian, shape (3)(atoms). */
  readonly places: readonly Float64Array[];
  readonly isPeriodic: readonly boolean[];
  /** Bins along each edge, and how many of them the cut-off reaches across. */
  readonly bins: Vector;
  readonly reach: Vector;
  /** First atom of each bin in `order`, and one more. */
  readonly starts: Uint32Array;
  readonly order: Uint32Array;
}

/** More bins than this along an edge save nothing. */
const MOST_BINS = 64;

function placeAtoms(
  frame: TrajectoryFrame,
  cell: Cell,
  inverse: readonly Vector[],
  cutOff: number,
): PlacedAtoms | undefined {
  const places = cartesianOf(frame, cell);
  if (places === undefined) return undefined;
  const periodic = AXES.map((axis) => isPeriodic(frame.box, axis) !== false);
  // The distance of two opposite faces is one over the length of a row of the inverse.
  const heights = inverse.map(([x, y, z]) => 1 / Math.hypot(x, y, z));
  const bins = heights.map((height) => Math.max(1, Math.min(MOST_BINS, Math.floor(height / cutOff))));
  const reach = heights.map((height, k) => Math.ceil((cutOff * (bins[k] ?? 1)) / height - 1e-9));
  const count = bins.reduce((product, n) => product * n, 1);
  const binOf = new Uint32Array(frame.atoms);
  const starts = new Uint32Array(count + 1);
  for (let i = 0; i < frame.atoms; i++) {
    const bin = binAt(i, places, cell, inverse, periodic, bins);
    binOf[i] = bin;
    starts[bin + 1] = (starts[bin + 1] ?? 0) + 1;
  }
  for (let bin = 0; bin < count; bin++) starts[bin + 1] = (starts[bin + 1] ?? 0) + (starts[bin] ?? 0);
  const order = new Uint32Array(frame.atoms);
  const next = starts.slice();
  for (let i = 0; i < frame.atoms; i++) {
    const bin = binOf[i] ?? 0;
    order[next[bin] ?? 0] = i;
    next[bin] = (next[bin] ?? 0) + 1;
  }
  return { places, isPeriodic: periodic, bins: vectorOf(bins), reach: vectorOf(reach), starts, order };
}

/** Move an atom into the box where that repeats. @returns its bin */
function binAt(
  i: number,
  places: readonly Float64Array[],
  { origin, edges }: Cell,
  inverse: readonly Vector[],
  periodic: readonly boolean[],
  bins: readonly number[],
): number {
  const offset = AXES.map((d) => (places[d]?.[i] ?? 0) - origin[d]);
  let bin = 0;
  for (const k of AXES) {
    const row = inverse[k] ?? [0, 0, 0];
    const scaled = row[0] * (offset[0] ?? 0) + row[1] * (offset[1] ?? 0) + row[2] * (offset[2] ?? 0);
    const turns = periodic[k] === true ? Math.floor(scaled) : 0;
    for (const d of AXES) {
      const line = places[d];
      if (line !== undefined && turns !== 0) line[i] = (line[i] ?? 0) - turns * edges[k][d];
    }
    const n = bins[k] ?? 1;
    const inside = Math.floor((scaled - turns) * n);
    bin = bin * n + Math.max(0, Math.min(n - 1, Number.isFinite(inside) ? inside : 0));
  }
  return bin;
}

/** A bin within reach, in some image of the box. */
interface Neighbour {
  readonly bin: number;
  /** Of the image, Cartesian. */
  readonly shift: readonly number[];
  readonly isHome: boolean;
}

function potentialOf(atoms: PlacedAtoms, cell: Cell, cutOff: number): number {
  let potential = 0;
  for (let bin = 0; bin + 1 < atoms.starts.length; bin++) {
    if (atoms.starts[bin] === atoms.starts[bin + 1]) continue;
    for (const neighbour of neighboursOf(bin, atoms, cell)) {
      potential += potentialBetween(atoms, bin, neighbour, cutOff * cutOff);
    }
  }
  return potential;
}

function* neighboursOf(
  bin: number,
  { bins, reach, isPeriodic: periodic }: PlacedAtoms,
  { edges }: Cell,
): Generator<Neighbour> {
  const here = [Math.floor(bin / (bins[1] * bins[2])), Math.floor(bin / bins[2]) % bins[1], bin % bins[2]] as const;
  const spans = AXES.map((k) => 2 * reach[k] + 1);
  const count = spans.reduce((product, span) => product * span, 1);
  for (let i = 0; i < count; i++) {
    const steps = [Math.floor(i / ((spans[1] ?? 1) * (spans[2] ?? 1))), Math.floor(i / (spans[2] ?? 1)), i];
    const to = AXES.map((k) => here[k] + ((steps[k] ?? 0) % (spans[k] ?? 1)) - reach[k]);
    const turns = AXES.map((k) => Math.floor((to[k] ?? 0) / bins[k]));
    if (turns.some((n, k) => n !== 0 && periodic[k] !== true)) continue;
    const index = AXES.map((k) => (to[k] ?? 0) - (turns[k] ?? 0) * bins[k]);
    yield {
      bin: ((index[0] ?? 0) * bins[1] + (index[1] ?? 0)) * bins[2] + (index[2] ?? 0),
      shift: AXES.map((d) => AXES.reduce<number>((sum, k) => sum + (turns[k] ?? 0) * edges[k][d], 0)),
      isHome: turns.every((n) => n === 0),
    };
  }
}

/** Half the potential of all pairs from a bin to a neighbour: each pair is met from both ends. */
function potentialBetween(
  { places, starts, order }: PlacedAtoms,
  bin: number,
  { bin: other, shift: [sx = 0, sy = 0, sz = 0], isHome }: Neighbour,
  cutOffSquared: number,
): number {
  const [x = new Float64Array(0), y = new Float64Array(0), z = new Float64Array(0)] = places;
  let potential = 0;
  for (let m = starts[bin] ?? 0; m < (starts[bin + 1] ?? 0); m++) {
    const i = order[m] ?? 0;
    const [xi, yi, zi] = [(x[i] ?? 0) - sx, (y[i] ?? 0) - sy, (z[i] ?? 0) - sz];
    for (let n = starts[other] ?? 0; n < (starts[other + 1] ?? 0); n++) {
      const j = order[n] ?? 0;
      if (isHome && i === j) continue;
      const [dx, dy, dz] = [xi - (x[j] ?? 0), yi - (y[j] ?? 0), zi - (z[j] ?? 0)];
      const squared = dx * dx + dy * dy + dz * dz;
      if (squared > cutOffSquared) continue;
      const inverse6 = 1 / (squared * squared * squared);
      potential += 2 * inverse6 * (inverse6 - 1);
    }
  }
  return potential;
}

/** Cartesian positions of whichever form the dump has, in arrays of their own. */
function cartesianOf(frame: TrajectoryFrame, { origin, edges }: Cell): Float64Array[] | undefined {
  for (const style of ["", "u"]) {
    const lines = ["x", "y", "z"].flatMap((axis) => valuesOf(frame, axis + style)?.slice() ?? []);
    if (lines.length === 3) return lines;
  }
  for (const style of ["s", "su"]) {
    const scaled = ["x", "y", "z"].flatMap((axis) => valuesOf(frame, axis + style) ?? []);
    if (scaled.length < 3) continue;
    return AXES.map((d) =>
      Float64Array.from({ length: frame.atoms }, (_, i) =>
        AXES.reduce((sum, k) => sum + (scaled[k]?.[i] ?? 0) * edges[k][d], origin[d] as number),
      ),
    );
  }
  return undefined;
}

/** Rows of the matrix that turns an offset from the origin into parts of the edges. */
function inverseOf({ edges: [a, b, c] }: Cell): readonly Vector[] | undefined {
  const [bc, ca, ab] = [cross(b, c), cross(c, a), cross(a, b)];
  const volume = a[0] * bc[0] + a[1] * bc[1] + a[2] * bc[2];
  if (!(Math.abs(volume) > 0)) return undefined;
  return [bc, ca, ab].map(([x, y, z]) => [x / volume, y / volume, z / volume] as const);
}

function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function vectorOf([a = 0, b = 0, c = 0]: readonly number[]): Vector {
  return [a, b, c];
}
