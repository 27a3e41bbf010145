import {
  LINK_SPEEDS,
  linkedSeconds,
  payingSpeed,
  payingText,
  type StepCost,
  speedText,
} from "@lockstep/cloud-node/lab";
import type { BenchPlot, BenchTable } from "./bench.ts";
import { type GradientRun, WORKERS } from "./gradient-runs.ts";

/** Speeds between those of the table, for a curve without corners. */
const POINTS_PER_DECADE = 4;

/** What a step takes on lines of some speeds, and from which speed down compression pays. @param runs  the first is the baseline */
export function linkTable(runs: readonly GradientRun[]): BenchTable[] {
  const [baseline] = runs;
  if (baseline === undefined) return [];
  return [
    {
      title: "Seconds of a step, by the speed of each worker's line, each way",
      columns: ["method", "computing", ...LINK_SPEEDS.map(speedText), "pays below"],
      rows: runs.map((run) => [
        run.method,
        run.cpuSecondsPerStep.toFixed(3),
        ...LINK_SPEEDS.map((speed) => linkedSeconds(costOf(run), speed).toFixed(3)),
        run === baseline ? "" : payingText(payingSpeed(costOf(run), costOf(baseline))),
      ]),
    },
  ];
}

/** The same as curves. */
export function linkPlot(runs: readonly GradientRun[]): BenchPlot {
  const [slowest, fastest] = [LINK_SPEEDS[0], LINK_SPEEDS[LINK_SPEEDS.length - 1] ?? LINK_SPEEDS[0]];
  const count = Math.round(Math.log10(fastest / slowest)) * POINTS_PER_DECADE;
  const speeds = Array.from({ length: count + 1 }, (_, at) => slowest * 10 ** (at / POINTS_PER_DECADE));
  const values = runs.flatMap((run) =>
    speeds.map((speed) => ({ method: run.method, speed: speed / 1e6, seconds: linkedSeconds(costOf(run), speed) })),
  );
  return {
    name: "gradient-links",
    caption: "Seconds of a step by the speed of the lines between workers: where compression pays.",
    spec: {
      data: { values },
      width: 560,
      height: 340,
      mark: { type: "line" },
      encoding: {
        x: { field: "speed", type: "quantitative", title: "line, MB/s each way", scale: { type: "log" } },
        y: { field: "seconds", type: "quantitative", title: "seconds of a step", scale: { type: "log" } },
        color: { field: "method", type: "nominal", title: null, sort: null },
      },
    },
  };
}

function costOf({ cpuSecondsPerStep, bytesPerStep, downlinkBytesPerStep }: GradientRun): StepCost {
  return { workers: WORKERS, seconds: cpuSecondsPerStep, uplink: bytesPerStep, downlink: downlinkBytesPerStep };
}
