/** What a made-up dump is like. */
export interface MeltDump {
  readonly atoms: number;
  readonly frames: number;
  /** Number of the first frame: ten steps each. */
  readonly first?: number;
  /** Extra columns after `id type x y z vx vy vz`: words and a number of each atom. */
  readonly hasWords?: boolean;
}

const EDGE = 9;

/** A dump's text: atoms that rattle and drift through the faces of a cube, six digits, other rows in every frame. */
export function meltDump({ atoms, frames, first = 0, hasWords = false }: MeltDump): string {
  const parts: string[] = [];
  for (let frame = first; frame < first + frames; frame++) {
    const bounds = `0.0000000000000000e+00 ${EDGE.toExponential(16).replace("e+0", "e+00")}\n`.repeat(3);
    const extra = hasWords ? " element c_pe" : "";
    parts.push(
      `ITEM: TIMESTEP\n${frame * 10}\nITEM: NUMBER OF ATOMS\n${atoms}\nITEM: BOX BOUNDS pp pp pp\n${bounds}`,
      `ITEM: ATOMS id type x y z vx vy vz${extra}\n`,
    );
    for (let row = 0; row < atoms; row++) {
      const atom = (row * 7 + frame) % atoms;
      const numbers = [0, 1, 2].map((axis) => motionOf(atom, axis, frame * 0.05));
      const words = hasWords ? ` ${["Ar", "Kr"][atom % 2]} ${(-atom / 8).toFixed(3)}` : "";
      const text = [...numbers.map(([x]) => x), ...numbers.map(([, v]) => v)].map((value) => sixDigits(value ?? 0));
      parts.push(`${atom + 1} ${1 + (atom % 3)} ${text.join(" ")}${words}\n`);
    }
  }
  return parts.join("");
}

/** Position in the box, and velocity. */
function motionOf(atom: number, axis: number, time: number): readonly [number, number] {
  const seed = Math.sin(atom * 12.9898 + axis * 78.233) * 43758.5453;
  const [a, b] = [seed - Math.floor(seed), (seed * 7) % 1];
  const [drift, rate] = [b - 0.3, 4 + 9 * a];
  const x = EDGE * a + drift * time + 0.06 * Math.sin(rate * time + 6 * b);
  return [x - EDGE * Math.floor(x / EDGE), drift + 0.06 * rate * Math.cos(rate * time + 6 * b)];
}

function sixDigits(value: number): string {
  return String(Number(value.toPrecision(6)));
}
