import { expect, test } from "vitest";
import { checkRules, groupColumns, partnersOf } from "./column-groups.ts";
import { parseEpsRules } from "./eps-rules.ts";
import type { TrajectoryFrame } from "./frame.ts";
import { Melt } from "./melt.suite.ts";

const FRAME = new Melt({ atoms: 50, frames: 1, interval: 1, seed: 9 }).frame(0);

function named(...names: string[]): TrajectoryFrame {
  return {
    ...FRAME,
    columns: names.map((name, i) => ({ kind: "real", name, values: new Float64Array(50).fill(i + 1) })),
  };
}

test("forces come before velocities and those before positions, each leaning on what comes before", () => {
  const groups = groupColumns(FRAME, parseEpsRules("x=1e-3,v=2e-2,f=0.3"), "max");
  const seen = groups.map(({ columns, eps, mode, period }, i) => [
    columns.join(" "),
    eps,
    mode,
    period,
    partnersOf(groups, i),
  ]);
  expect(seen).toEqual([
    ["fx fy fz", 0.3, "max", "none", []],
    ["vx vy vz", 2e-2, "max", "none", [0]],
    ["x y z", 1e-3, "max", "box", [1, 0]],
    ["type", 0, "exact", "none", []],
  ]);
});

test("without bounds positions have a thousandth of the mean distance, motion a hundredth of its rms, others no loss", () => {
  const groups = groupColumns(named("z", "x", "vx", "q", "ix", "c_pe", "xsu"), new Map(), "max");
  const eps = new Map(groups.map((group) => [group.columns.join(" "), group.eps]));
  expect(eps.get("x z")).toBeCloseTo(1e-3 / Math.cbrt(0.8442), 12);
  expect(eps.get("xsu")).toBeCloseTo(1e-3 / Math.cbrt(50), 12);
  expect(eps.get("vx")).toBeCloseTo(0.03, 12);
  expect([eps.get("q"), eps.get("ix"), eps.get("c_pe")]).toEqual([0, 0, 0]);
});

test("a column's own bound comes before its vector's, and a percentage is of its rms", () => {
  const groups = groupColumns(named("xu", "q", "c_pe"), parseEpsRules("x=0.5,q=1%,c_pe=2e-3"), "rms");
  const eps = new Map(groups.map((group) => [group.columns.join(" "), [group.eps, group.mode]]));
  expect(eps.get("xu")).toEqual([0.5, "rms"]);
  expect(eps.get("q")).toEqual([0.02, "rms"]);
  expect(eps.get("c_pe")).toEqual([2e-3, "rms"]);
});

test("rounding to the digits that a group names takes a thousandth of its bound at most", () => {
  for (const eps of [0.3, 1e-3, 7e-5]) {
    const [group] = groupColumns(named("q"), parseEpsRules(`q=${eps}`), "max");
    expect(0.5 * 10 ** -(group?.decimals ?? 0)).toBeLessThanOrEqual(1e-3 * eps);
  }
});

test.for(["", "x", "x=", "x=0", "x=-1", "x=nan", "x=1e-3,,v=1", "x=1e999"])("%o is refused as a bound", (text) => {
  expect(() => parseEpsRules(text)).toThrow(expect.objectContaining({ code: "bad-eps" }));
});

test.each(["x=1", "v=1%,f=1", "fx=1", "type=1", "x=1,xs=1"])("%s is of columns that are there", (text) => {
  const more = named("xs", "ys").columns;
  expect(() => checkRules({ ...FRAME, columns: [...FRAME.columns, ...more] }, parseEpsRules(text))).not.toThrow();
});

test.each([
  ["q=1", "no column q"],
  ["vz=1", "vz has its bound in common with vx vy: give v=BOUND"],
  ["id=1", "ids are kept as they are"],
  ["element=1", "element holds words"],
])("%s is refused: %s", (text, problem) => {
  const words = { kind: "text", name: "element", words: ["Ar"], codes: new Uint32Array(50) } as const;
  const frame = { ...FRAME, columns: [...FRAME.columns, words] };
  expect(() => checkRules(frame, parseEpsRules(text))).toThrow(expect.objectContaining({ code: "bad-eps" }));
  expect(() => checkRules(frame, parseEpsRules(text))).toThrow(problem);
});

test("a bound of x is one of unwrapped positions too", () => {
  expect(() => checkRules(named("xu", "yu"), parseEpsRules("x=1"))).not.toThrow();
  expect(() => checkRules(named("xsu"), parseEpsRules("xs=1"))).not.toThrow();
  expect(() => checkRules(named("xsu"), parseEpsRules("x=1"))).toThrow("no column x");
});
