import { formatCount, formatNumber } from "../../api/number-text.ts";
import type { Figure } from "../../svg-figure.ts";
import type { ListBalance } from "../../workloads/vector-index/list-balance.ts";

/** Bars at most: beyond this neighbours are drawn as their largest. */
const MOST_BARS = 600;
const TICKS = 4;

/** Sizes of the lists, the longest first. */
export function listFigure(name: string, sizes: Uint32Array, balance: ListBalance): Figure {
  const { lists, largest, mean, empty, median, unevenness } = balance;
  const sorted = sizes.toSorted().toReversed();
  const step = Math.ceil(sorted.length / MOST_BARS);
  const top = Math.max(1, largest);
  const points = Array.from({ length: Math.ceil(sorted.length / step) }, (_, i) => {
    return [(i * step) / sorted.length, (sorted[i * step] ?? 0) / top] as const;
  });
  const ticks = Array.from({ length: TICKS + 1 }, (_, i) => i / TICKS);
  const numbers = `mean ${formatNumber(mean)}, median ${median}, largest ${formatCount(largest)}, empty ${empty}`;
  return {
    title: `${name}: sizes of ${formatCount(lists)} lists, the longest first`,
    description: `${numbers}, unevenness ${unevenness.toFixed(2)}.`,
    x: `lists; ${numbers}`,
    y: "vectors",
    xTicks: ticks.map((at) => ({ at, text: formatCount(Math.round(at * lists)) })),
    yTicks: ticks.map((at) => ({ at, text: formatCount(Math.round(at * top)) })),
    series: [{ name: "", points }],
    form: "bars",
  };
}
