import { expect, test } from "vitest";
import { headOf, parseGoodDump, writeDump } from "./dump-text.suite.ts";
import type { TrajectoryFrame } from "./frame.ts";
import { TrajectoryError } from "./trajectory-error.ts";

const LAMMPS_TEXT = [
  "ITEM: UNITS\nlj\nITEM: TIME\n0.05\nITEM: TIMESTEP\n10\nITEM: NUMBER OF ATOMS\n3\n",
  "ITEM: BOX BOUNDS xy xz yz pp pp ff\n",
  "0.0000000000000000e+00 3.3246510950851928e+01 2.4627045148779203e+00\n",
  "0.0000000000000000e+00 2.4627045148779207e+01 0.0000000000000000e+00\n",
  "-7.6959516089935021e-01 7.6959516089935021e-01 0.0000000000000000e+00\n",
  "ITEM: ATOMS id type element xs ys zs ix iy iz vx vy vz q\n",
  "400000000 1 C 0.104333 0.142494 0.5 0 -1 12 0.559094 1.38767 0 1e-05\n",
  "7 1 Na 0.114352 0.0438757 0.5 0 0 0 -0.164829 1.29803 -0 -1.2345e+06\n",
  "8 2 C 1 0.999999 1e+06 0 0 0 nan 123456 -inf 6.91952e-17\n",
  headOf("id type x", { step: "20", atoms: "0" }).replace(/0 10\n/g, "0.0000000000000000e+00 1.0000000000000000e+01\n"),
].join("");

test("what LAMMPS writes by its default formats comes back byte for byte", () => {
  expect(writeDump(parseGoodDump(LAMMPS_TEXT))).toBe(LAMMPS_TEXT);
});

test("a frame longer than a chunk comes whole, in chunks", () => {
  const rows = Array.from({ length: 30_000 }, (_, i) => `${i} ${i / 4} ${"w".repeat(1 + (i % 9))}\n`).join("");
  const text = headOf("id x element", { atoms: "30000" }) + rows;
  expect(parseGoodDump(writeDump(parseGoodDump(text))).map(({ columns }) => columns)).toEqual(
    parseGoodDump(text).map(({ columns }) => columns),
  );
});

const GOOD: TrajectoryFrame = {
  step: 1n,
  time: undefined,
  units: undefined,
  box: { shape: "orthogonal", boundary: ["pp", "pp", "pp"], bounds: [0, 1, 0, 1, 0, 1] },
  atoms: 1,
  ids: undefined,
  columns: [
    { kind: "real", name: "x", values: Float64Array.of(1) },
    { kind: "text", name: "element", words: ["C"], codes: Uint32Array.of(0) },
  ],
  source: undefined,
};

test.each<[string, Partial<TrajectoryFrame>]>([
  ["a step over 64 bits", { step: 2n ** 63n }],
  ["a time that is none", { time: Number.NaN }],
  ["units that are no word", { units: "l j" }],
  ["a box with a number too few", { box: { ...GOOD.box, bounds: [0, 1, 0, 1, 0] } }],
  ["a box that is not finite", { box: { ...GOOD.box, bounds: [0, 1, 0, 1, 0, Number.POSITIVE_INFINITY] } }],
  ["a boundary that is none", { box: { ...GOOD.box, boundary: ["pp", "pp\nITEM:", "pp"] } }],
  ["no columns", { columns: [] }],
  ["a column of another length", { atoms: 2 }],
  ["two columns of one name", { columns: [...GOOD.columns, ...GOOD.columns] }],
  ["a name that is no word", { columns: [{ kind: "real", name: "x y", values: Float64Array.of(1) }] }],
  ["a word that is none", { columns: [{ kind: "text", name: "e", words: ["C\n1"], codes: Uint32Array.of(0) }] }],
  ["a word of no letters", { columns: [{ kind: "text", name: "e", words: [""], codes: Uint32Array.of(0) }] }],
  ["a code of no word", { columns: [{ kind: "text", name: "e", words: ["C"], codes: Uint32Array.of(1) }] }],
])("a frame with %s is refused, and nothing of it written", (_, change) => {
  expect(writeDump([GOOD])).toContain("\n1 C\n");
  let error: unknown;
  try {
    writeDump([{ ...GOOD, ...change }]);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(TrajectoryError);
  expect(error).toMatchObject({ code: "bad-frame" });
});
