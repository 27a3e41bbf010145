import { linearAxis } from "../../figure-axis.ts";
import { figureSvg } from "../../svg-figure.ts";
import type { MetricsRow } from "./metrics-row.ts";

/** Losses of a run that are shown, by the names of their curves. */
const CURVES: readonly (readonly [name: string, loss: (row: MetricsRow) => number | null])[] = [
  ["train", ({ trainLoss }) => trainLoss],
  ["validation", ({ valLoss }) => valLoss],
  ["training", ({ smoothedLoss }) => smoothedLoss],
];

/** A loss by steps. */
export interface LossCurve {
  readonly name: string;
  /** Nats. */
  readonly points: readonly (readonly [step: number, loss: number])[];
}

/** The loss of a run by its steps as an SVG picture. */
export function lossPlot(rows: readonly MetricsRow[], title: string): string {
  const curves = CURVES.map(([name, loss]): LossCurve => {
    const points = rows.flatMap((row) => {
      const y = loss(row);
      return y === null ? [] : [[row.step, y] as const];
    });
    return { name, points };
  });
  return lossCurvesPlot(
    curves.filter(({ points }) => points.length > 0),
    title,
  );
}

/** Losses beside each other. */
export function lossCurvesPlot(curves: readonly LossCurve[], title: string): string {
  const points = curves.flatMap((curve) => curve.points);
  const x = linearAxis(points.map(([step]) => step));
  const y = linearAxis(points.map(([, loss]) => loss));
  const ends = curves.map((curve) => `${curve.name} ${curve.points.at(-1)?.[1].toFixed(4)}`);
  return figureSvg({
    title,
    description: `Losses at the end, nats per token: ${ends.join(", ")}.`,
    ...{ x: "step", y: "loss, nats per token", xTicks: x.ticks, yTicks: y.ticks, form: "lines" },
    series: curves.map((curve) => ({
      name: curve.name,
      points: curve.points.map(([step, loss]) => [x.at(step), y.at(loss)] as const),
    })),
  });
}
