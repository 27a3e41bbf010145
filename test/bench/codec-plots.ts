import type { TopLevelSpec } from "vega-lite";
import type { BenchPlot } from "./bench.ts";
import type { Cell } from "./codec-cell.ts";
import { BEST, bestPeer, type OursChoice, oursOf, ratesOf } from "./codec-comparison.ts";
import { VARIANTS } from "./codec-ours.ts";
import { tell } from "./codec-tables.ts";
import { writePlot } from "./plot.ts";

/** Peers in the first plot, where they were measured: one of each kind. Colours are told apart by the colour-blind too. */
const SERIES = [
  ["zstd", "#999999"],
  ["sprintz", "#e69f00"],
  ["deadband coded", "#56b4e9"],
  ["SZ3", "#009e73"],
  ["LFZip 32", "#cc79a7"],
  ["pla", "#0072b2"],
] as const;
const OURS_COLOURS = ["#d55e00", "#7a1f00"];
const FACET_COLUMNS = 3;
const INK_LINE = "#1f2430";

/** Draw the codec's plots. */
export async function writeCodecPlots(cells: readonly Cell[], ours: OursChoice): Promise<BenchPlot[]> {
  const rates = {
    name: "codec-rates",
    caption: "Bits per channel-sample against the bound, ours and one peer of each kind.",
  };
  const ratios = {
    name: "codec-ratios",
    caption: "Bits of the best peer over ours, cell by cell: right of the line ours is smaller.",
  };
  await writePlot(rates.name, rateSpec(cells, ours));
  await writePlot(ratios.name, ratioSpec(cells, ours));
  return [rates, ratios];
}

function rateSpec(cells: readonly Cell[], ours: OursChoice): TopLevelSpec {
  const variants = VARIANTS.map(({ name }, i) => [`ours, ${name}`, OURS_COLOURS[i] ?? "#d55e00"] as const);
  const colours = [...variants, ...SERIES];
  const values = cells.flatMap((cell) => [
    ...VARIANTS.map(({ name }) => {
      return {
        set: cell.set,
        rel: cell.rel,
        who: `ours, ${name}`,
        bits: oursOf(cell, { ...ours, variant: name }),
      };
    }),
    ...ratesOf(cell)
      .filter(({ peer }) => SERIES.some(([name]) => name === peer))
      .map(({ peer, bits }) => ({ set: cell.set, rel: cell.rel, who: peer, bits })),
  ]);
  return {
    data: { values },
    facet: { field: "set", type: "nominal", title: null },
    columns: FACET_COLUMNS,
    spec: {
      width: 220,
      height: 180,
      mark: { type: "line", point: { size: 25 } },
      encoding: {
        x: {
          field: "rel",
          type: "quantitative",
          scale: { type: "log" },
          axis: { title: "eps / range", format: "~g", values: [...new Set(cells.map((cell) => cell.rel))] },
        },
        y: {
          field: "bits",
          type: "quantitative",
          scale: { type: "log" },
          axis: { title: "bits per sample", format: "~g", tickCount: 6 },
        },
        color: {
          field: "who",
          type: "nominal",
          sort: colours.map(([name]) => name),
          scale: { domain: colours.map(([name]) => name), range: colours.map(([, colour]) => colour) },
          legend: { title: null },
        },
      },
    },
    resolve: { scale: { y: "independent" }, axis: { x: "independent" } },
  };
}

function ratioSpec(cells: readonly Cell[], ours: OursChoice): TopLevelSpec {
  const [plain] = VARIANTS;
  const all = `${BEST.all} / ours ${tell(ours)}`;
  const plainChoice = { ...ours, variant: plain.name };
  const causal = `${BEST["without lookahead"]} / ours ${tell(plainChoice)}`;
  const values = cells.flatMap((cell) => {
    const label = `${cell.set} ${cell.rel}`;
    return [
      { label, which: all, ratio: bestPeer(cell, "all").bits / oursOf(cell, ours) },
      { label, which: causal, ratio: bestPeer(cell, "without lookahead").bits / oursOf(cell, plainChoice) },
    ];
  });
  return {
    data: { values },
    width: 520,
    height: { step: 18 },
    layer: [
      { mark: { type: "rule", color: INK_LINE, strokeWidth: 1.5 }, encoding: { x: { datum: 1 } } },
      {
        mark: { type: "point", filled: true, size: 60, opacity: 1 },
        encoding: {
          x: {
            field: "ratio",
            type: "quantitative",
            scale: { type: "log", nice: false, padding: 12 },
            axis: { title: "bits of the best peer / ours", format: "~g", tickCount: 8 },
          },
          y: { field: "label", type: "nominal", sort: null, axis: { title: null, grid: true } },
          color: {
            field: "which",
            type: "nominal",
            scale: { domain: [all, causal], range: ["#d55e00", "#0072b2"] },
            legend: { title: null, orient: "top", labelLimit: 500, columns: 1 },
          },
          shape: { field: "which", type: "nominal", scale: { domain: [all, causal] }, legend: null },
        },
      },
    ],
  };
}
