import { parseEpsRules } from "@lockstep/cloud-node";
import type { BenchGoal } from "./bench.ts";
import { MDZ } from "./trajectory-elsewhere.ts";
import type { TrajectoryFindings } from "./trajectory-report.ts";
import type { ColumnSet } from "./trajectory-runs.ts";

/** What was promised of packed trajectories, and what was measured. */
export function goalsOf(found: TrajectoryFindings): BenchGoal[] {
  return [...ratioGoals(found), ...errorGoals(found), ...speedGoals(found)];
}

function ratioGoals({ runs }: TrajectoryFindings): BenchGoal[] {
  const x = (every: number, eps: number) => ratiosOf(runs, `every ${every}`, "x", eps);
  const xvf = (every: number) => ratiosOf(runs, `every ${every}`, "xvf", 1e-3).ascii;
  const against = Object.entries(MDZ).flatMap(([file, ratios]) =>
    ratios.map(([eps, ratio]) => ratiosOf(runs, file, "x", eps).float32 / ratio),
  );
  const least = (measured: number, what: string, must: number, aim: number): BenchGoal => ({
    ...{ what, measured, unit: "x", must: { atLeast: must }, aim },
  });
  return [
    least(x(1, 1e-3).ascii, "positions, every step, eps 1e-3, vs ASCII", 55, 80),
    least(x(1, 1e-3).float32, "positions, every step, eps 1e-3, vs float32", 21, 31),
    least(x(1, 1e-2).ascii, "positions, every step, eps 1e-2, vs ASCII", 100, 160),
    least(x(10, 1e-3).ascii, "positions, every 10 steps, eps 1e-3, vs ASCII", 15, 16),
    least(x(100, 1e-3).ascii, "positions, every 100 steps, eps 1e-3, vs ASCII", 9, 10),
    least(xvf(1), "x v f at (1e-3, 1e-2, 1e-1), every step, vs ASCII", 60, 85),
    least(xvf(10), "x v f at (1e-3, 1e-2, 1e-1), every 10 steps, vs ASCII", 17, 20),
    least(Math.min(...against), "positions against MDZ, the least of nine", 1.06, 1.5),
  ];
}

function errorGoals({ runs, large, energy }: TrajectoryFindings): BenchGoal[] {
  const rms = runs.filter(({ mode }) => mode === "rms").map((run) => run.rmsErrorOverEps);
  return [
    {
      what: "largest error / eps",
      measured: Math.max(...[...runs, ...large].map((run) => run.maxErrorOverEps)),
      unit: "",
      must: { atMost: 1 },
    },
    { what: "largest rms / eps with rms", measured: Math.max(...rms), unit: "", must: { below: 0.5 } },
    ...energy
      .filter(({ eps }) => /^x=1e-3(,v=1e-3)?$/.test(eps))
      .map(({ columns, eps, relative }): BenchGoal => {
        const what = `relative change of the energy, columns ${columns} at ${eps}`;
        return { what, measured: relative, unit: "", must: { below: 2e-4 } };
      }),
  ];
}

function speedGoals({ speeds, large }: TrajectoryFindings): BenchGoal[] {
  const slowest = (of: (speed: (typeof speeds)[number]) => number) => Math.min(...speeds.map(of));
  const speed = (what: string, measured: number, must: number, aim: number): BenchGoal => ({
    ...{ what, measured, unit: "MB/s", must: { atLeast: must }, aim },
  });
  return [
    speed(
      "float32 encode with its check, one core, the slowest run",
      slowest((run) => run.checkedMBps),
      200,
      450,
    ),
    speed(
      "float32 decode, one core, the slowest run",
      slowest((run) => run.decodeMBps),
      300,
      650,
    ),
    ...large.map((run) => speed(`text to file, two cores, ${run.file}`, run.encodeMBps, 250, 450)),
    {
      what: "peak memory of a command that packs 108,000 atoms x 9 columns",
      measured: Math.max(...large.map((run) => run.peakRssMB)),
      unit: "MB",
      must: { below: 2000 },
      aim: 600,
    },
  ];
}

/** Ratios of a run of the melt with every value within its bound; not a number where it was not run. */
export function ratiosOf(
  runs: TrajectoryFindings["runs"],
  file: string,
  columns: ColumnSet,
  eps: number,
): { ascii: number; float32: number } {
  const found = runs.find((run) => {
    const isWanted = run.file === file && run.columns === columns && run.mode === "max";
    const rule = isWanted ? parseEpsRules(run.eps).get("x") : undefined;
    return rule !== undefined && "absolute" in rule && rule.absolute === eps;
  });
  return { ascii: found?.ratioAscii ?? Number.NaN, float32: found?.ratioFloat32 ?? Number.NaN };
}
