import type { TrajectoryFrame } from "./frame.ts";
import { lennardJonesEnergies } from "./lennard-jones.ts";

/** How far energies moved, over all frames that have one: the largest change, in reduced units. */
export interface EnergyChange {
  readonly cutOff: number;
  readonly frames: number;
  readonly potentialPerAtom: number;
  /** Null where velocities were not dumped; then `relative` is of the potential energy. */
  readonly kineticPerAtom: number | null;
  readonly totalPerAtom: number | null;
  /** In parts of the total energy's size in the same frame. */
  readonly relative: number;
}

/** Compares the Lennard-Jones energies of frames with those of their source. */
export class EnergyComparison {
  readonly #cutOff: number;
  #frames = 0;
  #potential = 0;
  #kinetic: number | null = null;
  #total: number | null = null;
  #relative = 0;

  /** @param cutOff  > 0, in sigma */
  constructor(cutOff: number) {
    this.#cutOff = cutOff;
  }

  get change(): EnergyChange {
    return {
      ...{ cutOff: this.#cutOff, frames: this.#frames, potentialPerAtom: this.#potential },
      ...{ kineticPerAtom: this.#kinetic, totalPerAtom: this.#total, relative: this.#relative },
    };
  }

  add(source: TrajectoryFrame, copy: TrajectoryFrame): void {
    const [was, is] = [lennardJonesEnergies(source, this.#cutOff), lennardJonesEnergies(copy, this.#cutOff)];
    if (was === undefined || is === undefined) return;
    this.#frames += 1;
    const moved = is.potential - was.potential;
    this.#potential = Math.max(this.#potential, Math.abs(moved));
    if (was.kinetic === undefined || is.kinetic === undefined) {
      this.#relative = Math.max(this.#relative, partOf(moved, was.potential));
      return;
    }
    const change = moved + is.kinetic - was.kinetic;
    this.#kinetic = Math.max(this.#kinetic ?? 0, Math.abs(is.kinetic - was.kinetic));
    this.#total = Math.max(this.#total ?? 0, Math.abs(change));
    this.#relative = Math.max(this.#relative, partOf(change, was.potential + was.kinetic));
  }
}

/** Atoms too far apart to have an energy have none that could change. */
function partOf(change: number, whole: number): number {
  return change === 0 ? 0 : Math.abs(change / whole);
}
