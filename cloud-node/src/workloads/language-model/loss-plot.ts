import { svgText } from "../../svg-text.ts";
import type { MetricsRow } from "./metrics-row.ts";

const WIDTH = 640;
const HEIGHT = 360;
/** Left, right, above and below the field. */
const MARGIN = { left: 56, right: 96, top: 24, bottom: 44 };
const LABEL_HEIGHT = 14;
const LEAST_LINES = 4;
/** Distances of lines that are read easily. */
const ROUND_STEPS = [1, 2, 5, 10];

interface Curve {
  readonly name: string;
  readonly colour: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** What is drawn of a row of metrics. */
type LossRow = Pick<MetricsRow, "step" | "smoothedLoss" | "trainLoss" | "valLoss">;

/** The loss of a run by its steps as an SVG picture. */
export function lossPlot(rows: readonly LossRow[], title: string): string {
  const of = (name: string, colour: string, pick: (row: LossRow) => number | null): Curve => ({
    ...{ name, colour },
    points: rows.flatMap((row) => {
      const y = pick(row);
      return y === null ? [] : [[row.step, y] as const];
    }),
  });
  const curves = [
    of("training", "#9aa7b8", ({ smoothedLoss }) => smoothedLoss),
    of("train", "#2f6fb3", ({ trainLoss }) => trainLoss),
    of("validation", "#c2571a", ({ valLoss }) => valLoss),
  ].filter(({ points }) => points.length > 0);
  const points = curves.flatMap((curve) => curve.points);
  const x = axis(
    points.map(([step]) => step),
    MARGIN.left,
    WIDTH - MARGIN.right,
  );
  const y = axis(
    points.map(([, loss]) => loss),
    HEIGHT - MARGIN.bottom,
    MARGIN.top,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<title>${svgText(title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    ...y.ticks.map((loss) => gridLine(y.at(loss), formatTick(loss, y.step))),
    ...x.ticks.map((step) => {
      return `<text x="${x.at(step)}" y="${HEIGHT - MARGIN.bottom + 16}" text-anchor="middle" fill="#1f2430">${step}</text>`;
    }),
    `<text x="${(MARGIN.left + WIDTH - MARGIN.right) / 2}" y="${HEIGHT - 8}" text-anchor="middle" fill="#1f2430">step</text>`,
    `<text x="8" y="16" fill="#1f2430">loss, nats per token</text>`,
    ...curves.map((curve) => drawn(curve, x.at, y.at)),
    ...labels(curves, x.at, y.at),
    "</svg>",
    "",
  ].join("\n");
}

interface Axis {
  readonly ticks: readonly number[];
  readonly step: number;
  readonly at: (value: number) => number;
}

/** A range of values on a range of places, with lines at round values. */
function axis(values: readonly number[], from: number, to: number): Axis {
  const [first = 0] = values;
  const low = values.reduce((a, b) => Math.min(a, b), first);
  const high = values.reduce((a, b) => Math.max(a, b), first);
  const span = high > low ? high - low : 1;
  const magnitude = 10 ** Math.floor(Math.log10(span / LEAST_LINES));
  const step = magnitude * (ROUND_STEPS.findLast((round) => span / (round * magnitude) >= LEAST_LINES) ?? 1);
  const lowest = Math.ceil(low / step);
  const ticks = Array.from({ length: Math.floor((low + span) / step) - lowest + 1 }, (_, i) => (lowest + i) * step);
  const at = (value: number) => Number((from + ((value - low) / span) * (to - from)).toFixed(1));
  return { ticks: values.length === 0 ? [] : ticks, step, at };
}

function gridLine(y: number, label: string): string {
  const line = `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y}" y2="${y}" stroke="#d9dde3"/>`;
  return `${line}<text x="${MARGIN.left - 6}" y="${y + 4}" text-anchor="end" fill="#1f2430">${label}</text>`;
}

/** @param step  the distance of lines: it says how many digits a label needs */
function formatTick(value: number, step: number): string {
  return value.toFixed(Math.max(0, -Math.floor(Math.log10(step))));
}

function drawn({ colour, points }: Curve, x: (step: number) => number, y: (loss: number) => number): string {
  const places = points.map(([step, loss]) => `${x(step)},${y(loss)}`).join(" ");
  return `<polyline points="${places}" fill="none" stroke="${colour}" stroke-width="2"/>`;
}

/** The name of each curve at its end, further down where another one has that place. */
function labels(curves: readonly Curve[], x: (step: number) => number, y: (loss: number) => number): string[] {
  const ends = curves.map(({ name, colour, points }) => {
    const [step, loss] = points.at(-1) ?? [0, 0];
    return { name, colour, left: x(step) + 6, top: y(loss) + 4 };
  });
  let free = 0;
  return ends
    .sort((a, b) => a.top - b.top)
    .map(({ name, colour, left, top }) => {
      const place = Math.max(top, free);
      free = place + LABEL_HEIGHT;
      return `<text x="${left}" y="${place.toFixed(1)}" fill="${colour}">${name}</text>`;
    });
}
