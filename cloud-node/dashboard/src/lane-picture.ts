import type { LaneColumns } from "./lane-columns.ts";
import { drawRuns } from "./lane-ground.ts";
import {
  DENSE_BAND_PX,
  DENSE_LINE_PX,
  drawBand,
  drawLine,
  drawRanges,
  isDense,
  pointsInView,
  withoutSteps,
} from "./lane-line.ts";
import type { LaneRun } from "./lane-run.ts";
import { PixelColumns } from "./pixel-columns.ts";
import { type PlotArea, type Points, xOf, yOf } from "./plot-area.ts";
import type { PlotTokens } from "./theme.ts";

/** One channel in a plot. */
export interface LaneTrace {
  /** Stands at the line's end where there is more than one. */
  readonly name: string;
  readonly columns: LaneColumns;
  /** Half the band; 0: none. */
  readonly eps: number;
  /** What the sensor measured, where that is known and asked for. */
  readonly truth: LaneColumns | undefined;
  /** Stretches that the bound does not hold for, where no run of the picture covers them. */
  readonly unbound: readonly LaneRun[];
  /** A bucket is a range, from one of its two points to the other: nothing leads from one to the next. */
  readonly isRange: boolean;
}

/** Everything that a plot shows. */
export interface LanePicture {
  /** At most four. */
  readonly traces: readonly LaneTrace[];
  readonly runs: readonly LaneRun[];
  /** Device time of the last confirmed sample, s: an upright line, if it is in view. */
  readonly confirmedS: number;
  /** Values at the edges where they are not those of the signal, and lines across. */
  readonly fixed: { readonly low: number; readonly high: number; readonly lines: readonly number[] } | undefined;
}

/** Of all words on a canvas. */
export const FONT = "12px system-ui";
const NAME_PX = 12;
/** Right of a plot, for the names of its lines. */
const NAME_ROOM_PX = 24;
const LINE_PX = 1.5;
/** Of what is expected. */
const GUESS_DASH = [5, 4];
const TRUTH_DASH = [1, 3];
/** Of each of four lines in one plot: colour is never all that tells them apart. */
const SERIES_DASHES = [[], [6, 3], [2, 3], [8, 3, 2, 3]] as const;

/** Paints what is between the axes of a plot. */
export class PicturePainter {
  readonly #pixels = new PixelColumns();

  /** Bands first, then what they do not hold for, then lines. */
  paint(area: PlotArea, picture: LanePicture, tokens: PlotTokens): void {
    const { traces, runs, fixed, confirmedS } = picture;
    const { ctx, left, top, width, height, pixelRatio } = area;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    // Bands that lie over each other must not hide each other.
    const alpha = tokens.bandAlpha / Math.max(1, Math.min(2, traces.length));
    for (const [i, trace] of traces.entries()) this.#band(area, trace, { color: colorOf(i, tokens), alpha });
    const [first] = traces;
    if (first !== undefined) drawRuns(area, confirmedPoints(first.columns), runs, tokens);
    ctx.fillStyle = tokens.bad;
    for (const line of fixed?.lines ?? []) ctx.fillRect(left, Math.round(yOf(area, line)), width, pixelRatio);
    for (const [i, trace] of traces.entries()) this.#lines(area, trace, i, tokens);
    // Left of this everything is confirmed.
    ctx.fillStyle = tokens.ink2;
    ctx.fillRect(Math.round(xOf(area, confirmedS)), top, pixelRatio, height);
    ctx.restore();
    if (traces.length > 1) drawNames(area, traces, tokens);
  }

  #band(area: PlotArea, trace: LaneTrace, look: { readonly color: string; readonly alpha: number }): void {
    const { columns, eps, unbound } = trace;
    if (eps <= 0) return;
    area.ctx.save();
    if (unbound.length > 0) leaveOut(area, unbound);
    const points = pointsInView(area, confirmedPoints(columns));
    const pixels = this.#columnsOf(area, points, DENSE_BAND_PX);
    drawBand(area, pixels === undefined ? withoutSteps(points) : points, pixels, eps, look);
    area.ctx.restore();
  }

  #lines(area: PlotArea, { columns, truth, isRange }: LaneTrace, i: number, tokens: PlotTokens): void {
    const color = colorOf(i, tokens);
    const points = confirmedPoints(columns);
    if (isRange && !isDense(area, pointsInView(area, points), DENSE_LINE_PX)) {
      drawRanges(area, points, { color, widthPx: LINE_PX, dash: [] });
      return;
    }
    this.#line(area, points, color, SERIES_DASHES[i] ?? []);
    this.#line(area, { x: columns.x, y: columns.guess }, color, GUESS_DASH);
    if (truth !== undefined) this.#line(area, confirmedPoints(truth), tokens.ink, TRUTH_DASH);
  }

  #line(area: PlotArea, all: Points, color: string, dash: readonly number[]): void {
    const points = pointsInView(area, all);
    if (points.y.every(Number.isNaN)) return;
    const pixels = this.#columnsOf(area, points, DENSE_LINE_PX);
    drawLine(area, pixels === undefined ? withoutSteps(points) : points, pixels, { color, widthPx: LINE_PX, dash });
  }

  #columnsOf(area: PlotArea, points: Points, nearPx: number): PixelColumns | undefined {
    if (!isDense(area, points, nearPx)) return undefined;
    this.#pixels.fill(area, points);
    return this.#pixels;
  }
}

/** Draw nothing in these stretches from now on. */
function leaveOut(area: PlotArea, runs: readonly LaneRun[]): void {
  const { ctx, left, top, width, height } = area;
  for (const { fromUs, toUs } of runs) {
    const from = xOf(area, fromUs / 1e6);
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.rect(from, top, xOf(area, toUs / 1e6) - from, height);
    ctx.clip("evenodd");
  }
}

/** Each line's name at its end, in its colour; names that would lie over each other stand below each other. */
function drawNames(area: PlotArea, traces: readonly LaneTrace[], tokens: PlotTokens): void {
  const { ctx, left, top, width, height, pixelRatio } = area;
  const linePx = NAME_PX * pixelRatio;
  const ends = traces.map(({ name, columns }, i) => {
    const { y } = pointsInView(area, confirmedPoints(columns));
    return { name, i, y: yOf(area, y.findLast((value) => !Number.isNaN(value)) ?? Number.NaN) };
  });
  ctx.save();
  ctx.font = FONT.replace(`${NAME_PX}px`, `${linePx}px`);
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  let lowest = top;
  for (const { name, i, y } of ends.filter((end) => !Number.isNaN(end.y)).sort((a, b) => a.y - b.y)) {
    const at = Math.min(Math.max(y, lowest + linePx / 2), top + height);
    lowest = at + linePx / 2;
    ctx.fillStyle = colorOf(i, tokens);
    ctx.fillText(name, left + width + 3 * pixelRatio, at, NAME_ROOM_PX * pixelRatio);
  }
  ctx.restore();
}

function colorOf(i: number, tokens: PlotTokens): string {
  return tokens.series[i] ?? tokens.ink;
}

function confirmedPoints({ x, confirmed }: LaneColumns): Points {
  return { x, y: confirmed };
}
