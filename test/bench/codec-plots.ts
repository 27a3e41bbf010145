import type { TopLevelSpec } from "vega-lite";
import type { BenchPlot } from "./bench.ts";
import type { Cell } from "./codec-cell.ts";
import { BEST, bestPeer, type OursChoice, oursOf, ratesOf } from "./codec-comparison.ts";
import { VARIANTS } from "./codec-ours.ts";
import { tell } from "./codec-tables.ts";

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
const DECADES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30];
const RATIO_TICKS = [0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.5, 1.7, 2, 2.5, 3, 4];

/** What the codec's report shows. */
export function codecPlots(cells: readonly Cell[], ours: OursChoice): BenchPlot[] {
  return [
    {
      name: "codec-rates",
      caption: `Bits per channel-sample against the bound: ours in frames of ${ours.frames}, and one peer of each kind.`,
      spec: rateSpec(cells, ours),
    },
    {
      name: "codec-ratios",
      caption: "Bits of the best peer over ours, cell by cell: right of the line ours is smaller.",
      spec: ratioSpec(cells, ours),
    },
  ];
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
      height: 240,
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
          axis: { title: "bits per sample", format: "~g", values: DECADES },
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
            axis: { title: "bits of the best peer / ours", format: "~g", values: RATIO_TICKS },
          },
          y: { field: "label", type: "nominal", sort: null, axis: { title: null, grid: true } },
          color: {
            field: "which",
            type: "nominal",
            scale: { domain: [all, causal], range: ["#d55e00", "#0072b2"] },
            legend: { title: null, orient: "top", columns: 1 },
          },
          shape: { field: "which", type: "nominal", scale: { domain: [all, causal] }, legend: null },
        },
      },
    ],
  };
}
