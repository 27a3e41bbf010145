import { parseEpsRules } from "@lockstep/cloud-node";
import type { BenchPlot, BenchTable } from "./bench.ts";
import type { PackedRun } from "./trajectory-report.ts";
import { COLUMN_SETS, type ColumnSet } from "./trajectory-runs.ts";

/** What the columns of a case are called. */
const NAMES: Readonly<Record<ColumnSet, string>> = { x: "x", xv: "x v", xvf: "x v f" };
const COLOURS = ["#d55e00", "#0072b2", "#009e73"];
const RATIO_TICKS = [2, 5, 10, 20, 50, 100, 200];
/** What is said of this kind of codec, against text. */
const CLAIMED = [50, 100];

/** Runs of the melt, every value within its bound: what the map is of. */
function mapped(runs: readonly PackedRun[]): { run: PackedRun; set: ColumnSet; eps: number }[] {
  return runs.flatMap((run) => {
    const isOfMelt = run.columns in COLUMN_SETS && run.mode === "max" && run.file.startsWith("every ");
    const rule = isOfMelt ? parseEpsRules(run.eps).get("x") : undefined;
    if (rule === undefined || !("absolute" in rule)) return [];
    return [{ run, set: run.columns as ColumnSet, eps: rule.absolute }];
  });
}

/** Where packing is worth how much: columns and bounds down, cadence across. */
export function mapTable(runs: readonly PackedRun[]): BenchTable {
  const all = mapped(runs);
  const files = [...new Set(all.map(({ run }) => run.file))];
  const rows = [...new Set(all.map(({ set, run }) => `${set} ${run.eps}`))].toSorted();
  return {
    title: "The map: times smaller than text, and than float32, by columns, bounds and steps from frame to frame",
    columns: ["columns", "bounds", ...files.flatMap((file) => [`${file}: text`, "float32"])],
    rows: rows.map((row) => {
      const [set = "", eps = ""] = row.split(" ");
      const found = files.flatMap((file) => {
        const cell = all.find(({ run }) => run.file === file && run.columns === set && run.eps === eps)?.run;
        return cell === undefined ? ["", ""] : [cell.ratioAscii.toFixed(1), cell.ratioFloat32.toFixed(1)];
      });
      return [NAMES[set as ColumnSet], eps.replaceAll(",", ", "), ...found];
    }),
  };
}

/** The same as a picture. */
export function mapPlot(runs: readonly PackedRun[]): BenchPlot {
  const values = mapped(runs).flatMap(({ run, set, eps }) => [
    { columns: NAMES[set], cadence: run.file, eps, against: "text", ratio: run.ratioAscii },
    { columns: NAMES[set], cadence: run.file, eps, against: "float32", ratio: run.ratioFloat32 },
  ]);
  const cadences = [...new Set(values.map(({ cadence }) => cadence))];
  const bounds = [...new Set(values.map(({ eps }) => eps))];
  const ratios = { field: "ratio", type: "quantitative", scale: { type: "log" } } as const;
  return {
    name: "trajectory-map",
    caption:
      "How many times smaller than text and than float32, by the bound of positions (velocities ten times, forces a hundred times that), columns and steps from frame to frame; the grey lines are 50 and 100 times.",
    spec: {
      data: { values },
      facet: { column: { field: "columns", type: "nominal", sort: Object.values(NAMES), title: null } },
      spec: {
        width: 200,
        height: 280,
        layer: [
          ...CLAIMED.map((ratio) => ({
            mark: { type: "rule" as const, color: "#999999", strokeWidth: 1 },
            encoding: { y: { datum: ratio } },
          })),
          {
            mark: { type: "line", point: { size: 30 } },
            encoding: {
              x: {
                field: "eps",
                type: "quantitative",
                scale: { type: "log" },
                axis: { title: "bound of positions", format: "~g", values: bounds },
              },
              y: { ...ratios, axis: { title: "times smaller", format: "~g", values: RATIO_TICKS } },
              color: {
                field: "cadence",
                type: "nominal",
                scale: { domain: cadences, range: COLOURS.slice(0, cadences.length) },
                legend: { title: "steps" },
              },
              strokeDash: {
                field: "against",
                type: "nominal",
                scale: {
                  domain: ["text", "float32"],
                  range: [
                    [1, 0],
                    [4, 3],
                  ],
                },
                legend: { title: "against" },
              },
            },
          },
        ],
      },
    },
  };
}
