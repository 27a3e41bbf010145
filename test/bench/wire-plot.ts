import type { TopLevelSpec } from "vega-lite";
import type { BenchPlot } from "./bench.ts";
import { LAYER_NAMES, type SummaryPoint } from "./wire-summary.ts";

/** One for each layer, in their order; told apart by the colour-blind too. */
const COLOURS = ["#e69f00", "#56b4e9", "#009e73", "#0072b2", "#d55e00", "#cc79a7", "#999999"];
const SECONDS = [0.01, 0.1, 1, 5, 10, 60];
const RATIOS = [0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

/** What a longer wait buys. */
export function latencyPlot(points: readonly SummaryPoint[]): BenchPlot {
  return {
    name: "wire-latency",
    caption:
      "How many times fewer bytes than float32 without framing, against the frame's length, which is how late a value is: the longer the frame, the nearer each link comes to the payload.",
    spec: spec(points),
  };
}

function spec(points: readonly SummaryPoint[]): TopLevelSpec {
  return {
    data: { values: points.map(({ signal, layer, frameSeconds, ratio }) => ({ signal, layer, frameSeconds, ratio })) },
    facet: { field: "signal", type: "nominal", title: null, sort: [...new Set(points.map(({ signal }) => signal))] },
    columns: 2,
    spec: {
      width: 300,
      height: 320,
      mark: { type: "line", point: { size: 30 } },
      encoding: {
        x: {
          field: "frameSeconds",
          type: "quantitative",
          scale: { type: "log" },
          axis: { title: "frame length, s", format: "~g", values: SECONDS },
        },
        y: {
          field: "ratio",
          type: "quantitative",
          scale: { type: "log" },
          axis: { title: "times fewer bytes", format: "~g", values: RATIOS },
        },
        color: {
          field: "layer",
          type: "nominal",
          sort: [...LAYER_NAMES],
          scale: { domain: [...LAYER_NAMES], range: COLOURS },
          legend: { title: null },
        },
      },
    },
  };
}
