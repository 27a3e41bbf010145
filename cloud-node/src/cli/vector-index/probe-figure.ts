import { formatCount } from "../../api/number-text.ts";
import type { Figure } from "../../svg-figure.ts";

/** What one number of visited lists gives. */
export interface ProbePoint {
  readonly probes: number;
  readonly recallAt10: number;
  readonly qps: number;
}

/** Recall against the lists that a query visits, their number on a logarithmic axis. */
export function probeFigure(name: string, points: readonly ProbePoint[]): Figure {
  const sorted = points.toSorted((a, b) => a.probes - b.probes);
  const [least, most] = [sorted[0]?.probes ?? 1, sorted.at(-1)?.probes ?? 1];
  const span = Math.max(1e-9, Math.log(most / least));
  const across = (probes: number) => Math.log(probes / least) / span;
  const worst = Math.min(...sorted.map(({ recallAt10 }) => recallAt10));
  // In tenths, so that the axis has round numbers.
  const floor = Math.min(0.9, Math.floor(worst * 10) / 10);
  const up = (recall: number) => (recall - floor) / (1 - floor);
  const steps = Math.round((1 - floor) * 10);
  const all = sorted.map(
    ({ probes, recallAt10, qps }) => `${probes} lists: ${recallAt10.toFixed(3)}, ${qps.toFixed(0)} queries a second`,
  );
  return {
    title: `${name}: recall@10 against lists visited`,
    description: `${all.join("; ")}.`,
    x: "lists that a query visits, log",
    y: "recall@10",
    xTicks: sorted.map(({ probes }) => ({ at: across(probes), text: formatCount(probes) })),
    yTicks: Array.from({ length: steps + 1 }, (_, i) => ({
      at: i / steps,
      text: (floor + (i * (1 - floor)) / steps).toFixed(1),
    })),
    series: [{ name: "", points: sorted.map(({ probes, recallAt10 }) => [across(probes), up(recallAt10)]) }],
    form: "dots",
  };
}
