import type { TrajectoryFrame } from "@lockstep/cloud-node";

/** Energies per atom of a Lennard-Jones system, cut at 2.5, in reduced units. */
export interface Energies {
  readonly potential: number;
  readonly kinetic: number;
}

const CUT_OFF_SQUARED = 2.5 ** 2;

/** Energies of a frame in a cube; velocities may be missing. */
export function energiesOf(frame: TrajectoryFrame): Energies {
  const [x, y, z, vx, vy, vz] = ["x", "y", "z", "vx", "vy", "vz"].map((name) => {
    const column = frame.columns.find((other) => other.name === name);
    return column === undefined || column.kind === "text" ? new Float64Array(frame.atoms) : column.values;
  }) as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
  const edge = (frame.box.bounds[1] ?? 0) - (frame.box.bounds[0] ?? 0);
  const at = (values: Float64Array, i: number) => values[i] ?? 0;
  const nearest = (d: number) => d - edge * Math.round(d / edge);
  let [potential, kinetic] = [0, 0];
  for (let i = 0; i < frame.atoms; i++) {
    kinetic += 0.5 * (at(vx, i) * at(vx, i) + at(vy, i) * at(vy, i) + at(vz, i) * at(vz, i));
    for (let j = 0; j < i; j++) {
      const dx = nearest(at(x, i) - at(x, j));
      const dy = nearest(at(y, i) - at(y, j));
      const dz = nearest(at(z, i) - at(z, j));
      const squared = dx * dx + dy * dy + dz * dz;
      if (squared > CUT_OFF_SQUARED) continue;
      const inverse6 = 1 / (squared * squared * squared);
      potential += 4 * inverse6 * (inverse6 - 1);
    }
  }
  return { potential: potential / frame.atoms, kinetic: kinetic / frame.atoms };
}
