import type { Box } from "./box.ts";
import type { Column, TrajectoryFrame } from "./frame.ts";

/** A small seeded source of numbers in [0, 1). */
export class SeededNumbers {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b_3c6d);
    mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a_2d39);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  }
}

/** How a made-up melt is made. */
export interface MeltRequest {
  readonly atoms: number;
  readonly frames: number;
  /** Time from frame to frame; an atom rattles about once in 0.5. */
  readonly interval: number;
  readonly seed: number;
}

/** Positions of atoms that rattle and drift like those of a liquid, with the velocities and forces that go with them. */
export class Melt {
  readonly atoms: number;
  readonly frames: number;
  readonly edge: number;
  readonly #interval: number;
  /** Per atom and axis: start, drift, and amplitude, rate and phase of four waves. */
  readonly #waves: Float64Array;

  constructor({ atoms, frames, interval, seed }: MeltRequest) {
    this.atoms = atoms;
    this.frames = frames;
    this.edge = Math.cbrt(atoms / 0.8442);
    this.#interval = interval;
    const random = new SeededNumbers(seed);
    this.#waves = new Float64Array(atoms * 3 * WAVE_NUMBERS);
    for (let i = 0; i < atoms * 3; i++) {
      const at = i * WAVE_NUMBERS;
      this.#waves[at] = this.edge * random.next();
      this.#waves[at + 1] = random.next() - 0.5;
      for (let wave = 0; wave < WAVES; wave++) {
        this.#waves[at + 2 + 3 * wave] = 0.05 * random.next();
        this.#waves[at + 3 + 3 * wave] = 4 + 16 * random.next();
        this.#waves[at + 4 + 3 * wave] = 2 * Math.PI * random.next();
      }
    }
  }

  /** Derivative 0 (position, not wrapped), 1 (velocity) or 2 (force) of one axis in one frame, shape (atoms). */
  values(frame: number, axis: number, derivative: 0 | 1 | 2): Float64Array {
    const time = frame * this.#interval;
    return Float64Array.from({ length: this.atoms }, (_, atom) => {
      const at = (atom * 3 + axis) * WAVE_NUMBERS;
      const wave = (index: number) => this.#waves[at + index] ?? 0;
      let value = derivative === 0 ? wave(0) + wave(1) * time : derivative === 1 ? wave(1) : 0;
      for (let k = 0; k < WAVES; k++) {
        const rate = wave(3 + 3 * k);
        value +=
          wave(2 + 3 * k) * rate ** derivative * Math.sin(rate * time + wave(4 + 3 * k) + (derivative * Math.PI) / 2);
      }
      return value;
    });
  }

  /** A frame of a dump: `id type x y z vx vy vz fx fy fz`, positions wrapped, numbers with six digits as LAMMPS has them. */
  frame(index: number): TrajectoryFrame {
    const { atoms, edge } = this;
    const ids = Float64Array.from({ length: atoms }, (_, i) => i + 1);
    const real = (name: string, axis: number, derivative: 0 | 1 | 2): Column => ({
      kind: "real",
      name,
      values: this.values(index, axis, derivative).map((value) => {
        const wrapped = derivative === 0 ? value - edge * Math.floor(value / edge) : value;
        return Number(wrapped.toPrecision(6));
      }),
    });
    const vectors = (["x y z", "vx vy vz", "fx fy fz"] as const).flatMap((names, derivative) =>
      names.split(" ").map((name, axis) => real(name, axis, derivative as 0 | 1 | 2)),
    );
    const types = Float64Array.from({ length: atoms }, (_, i) => 1 + (i % 3));
    return {
      step: BigInt(index * 10),
      time: undefined,
      units: undefined,
      box: cube(edge),
      atoms,
      ids,
      columns: [
        { kind: "integer", name: "id", values: ids },
        { kind: "integer", name: "type", values: types },
        ...vectors,
      ],
      source: undefined,
    };
  }
}

const WAVES = 4;
const WAVE_NUMBERS = 2 + 3 * WAVES;

function cube(edge: number): Box {
  return { shape: "orthogonal", boundary: ["pp", "pp", "pp"], bounds: [0, edge, 0, edge, 0, edge] };
}
