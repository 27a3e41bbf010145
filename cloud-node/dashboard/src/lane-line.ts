import type { PixelColumns } from "./pixel-columns.ts";
import { type PlotArea, type Points, xOf, yOf } from "./plot-area.ts";

/** How a line looks. */
export interface LineLook {
  readonly color: string;
  /** CSS pixels. */
  readonly widthPx: number;
  /** CSS pixels drawn, left out, drawn … ; empty: solid. */
  readonly dash: readonly number[];
}

/** A line whose points are nearer to each other than this, in pixels of the canvas, is drawn by columns of pixels. */
export const DENSE_LINE_PX = 2;
/** So is a band, whose edges nobody looks at so closely. */
export const DENSE_BAND_PX = 3;
/** Lines along the band's edges help only where there is room between them, and between the samples. */
const EDGE_BAND_PX = 12;
const EDGE_SAMPLE_PX = 4;

/**
 * Whether there are so many points that single ones cannot be told apart; the two of a sample alone count as one.
 *
 * @param nearPx  pixels of the canvas
 */
export function isDense(area: PlotArea, { x, y }: Points, nearPx: number): boolean {
  let count = 0;
  for (let i = 0; i < y.length; i++) if (y[i] !== y[i - 1]) count += 1;
  const px = xOf(area, x.at(-1) ?? 0) - xOf(area, x[0] ?? 0);
  return px < nearPx * (count - 1);
}

/** The part of the points that is in view, and one more on either side. */
export function pointsInView({ fromS, toS }: PlotArea, { x, y }: Points): Points {
  const [first, last] = [Math.max(0, firstAfter(x, fromS) - 1), firstAfter(x, toS) + 1];
  return { x: x.subarray(first, last), y: y.subarray(first, last) };
}

/** The same points, but of two equal ones, which a sample alone has in its bucket, one between them: a line, no steps. */
export function withoutSteps({ x, y }: Points): Points {
  const [outX, outY] = [new Float64Array(x.length), new Float64Array(x.length)];
  let length = 0;
  for (let i = 0; i < x.length; i++) {
    const isPair = y[i] === y[i + 1];
    outX[length] = isPair ? ((x[i] ?? 0) + (x[i + 1] ?? 0)) / 2 : (x[i] ?? 0);
    outY[length] = y[i] ?? Number.NaN;
    length += 1;
    if (isPair) i += 1;
  }
  return { x: outX.subarray(0, length), y: outY.subarray(0, length) };
}

/**
 * Draw a line through every point, lifting the pen where there is none.
 *
 * @param columns  filled with the same points; undefined where they are not dense
 */
export function drawLine(area: PlotArea, points: Points, columns: PixelColumns | undefined, look: LineLook): void {
  const { ctx, pixelRatio } = area;
  ctx.save();
  ctx.fillStyle = look.color;
  ctx.strokeStyle = look.color;
  ctx.lineWidth = look.widthPx * pixelRatio;
  if (columns === undefined) {
    ctx.setLineDash(look.dash.map((px) => px * pixelRatio));
    ctx.lineJoin = "round";
    ctx.stroke(linePath(area, points));
  } else fillColumns(area, columns, (look.widthPx / 2) * pixelRatio, look);
  ctx.restore();
}

/** Draw an upright bar from the first to the second of each two points. @param points  all of them, gaps between pairs */
export function drawRanges(area: PlotArea, { x, y }: Points, { color, widthPx }: LineLook): void {
  const { ctx, left, width, pixelRatio } = area;
  const halfPx = (widthPx / 2) * pixelRatio;
  ctx.fillStyle = color;
  for (let i = 0; i + 1 < x.length; i++) {
    if (Number.isNaN(y[i]) || Number.isNaN(y[i + 1])) continue;
    const at = xOf(area, ((x[i] ?? 0) + (x[i + 1] ?? 0)) / 2);
    const [a, b] = [yOf(area, y[i] ?? 0), yOf(area, y[i + 1] ?? 0)];
    i += 1;
    if (at < left || at > left + width) continue;
    ctx.fillRect(at - halfPx, Math.min(a, b) - halfPx, 2 * halfPx, Math.abs(b - a) + 2 * halfPx);
  }
}

/** ± eps around points that are confirmed. @param columns  as of the line */
export function drawBand(
  area: PlotArea,
  points: Points,
  columns: PixelColumns | undefined,
  eps: number,
  look: { readonly color: string; readonly alpha: number },
): void {
  const { ctx, pixelRatio } = area;
  const halfPx = Math.abs(yOf(area, eps) - yOf(area, 0));
  ctx.save();
  ctx.fillStyle = look.color;
  ctx.strokeStyle = look.color;
  ctx.lineWidth = pixelRatio;
  ctx.globalAlpha = look.alpha;
  if (columns !== undefined) fillColumns(area, columns, halfPx, { widthPx: 1 / pixelRatio, dash: [] });
  else {
    const samplePx = area.width / pixelRatio / Math.max(1, points.x.length);
    const hasEdges = (2 * halfPx) / pixelRatio >= EDGE_BAND_PX && samplePx >= EDGE_SAMPLE_PX;
    fillBand(area, points, eps, hasEdges);
  }
  ctx.restore();
}

/** One upright bar for each column of pixels, so much higher and deeper than the line itself, and as wide as it. */
function fillColumns(
  { ctx, pixelRatio }: PlotArea,
  columns: PixelColumns,
  beside: number,
  { widthPx, dash }: Pick<LineLook, "widthPx" | "dash">,
): void {
  const period = dash.reduce((sum, px) => sum + px, 0) * pixelRatio;
  const width = widthPx * pixelRatio;
  const left = columns.left - (width - 1) / 2;
  for (let at = 0; at < columns.count; at++) {
    const top = columns.top(at) - beside;
    const bottom = columns.bottom(at) + beside;
    if (Number.isNaN(top) || (period > 0 && isLeftOut((at % period) / pixelRatio, dash))) continue;
    ctx.fillRect(left + at, top, width, bottom - top);
  }
}

/** Whether a place along a pattern of dashes is between two of them. */
function isLeftOut(at: number, dash: readonly number[]): boolean {
  let [from, isGap] = [0, false];
  for (const px of dash) {
    if (at < from + px) return isGap;
    from += px;
    isGap = !isGap;
  }
  return false;
}

function linePath(area: PlotArea, { x, y }: Points): Path2D {
  const path = new Path2D();
  let isDown = false;
  for (let i = 0; i < x.length; i++) {
    const value = y[i] ?? Number.NaN;
    if (Number.isNaN(value)) {
      isDown = false;
      continue;
    }
    const [px, py] = [xOf(area, x[i] ?? 0), yOf(area, value)];
    if (isDown) path.lineTo(px, py);
    else {
      path.moveTo(px, py);
      // A sample alone between two gaps is still seen.
      path.lineTo(px + 0.5 * area.pixelRatio, py);
    }
    isDown = true;
  }
  return path;
}

function fillBand(area: PlotArea, { x, y }: Points, eps: number, hasEdges: boolean): void {
  const { ctx } = area;
  const { globalAlpha } = ctx;
  let start = 0;
  for (let i = 0; i <= x.length; i++) {
    if (i < x.length && !Number.isNaN(y[i])) continue;
    if (i - start > 1) {
      ctx.beginPath();
      traceEdge(area, { x, y }, eps, start, i);
      traceEdge(area, { x, y }, -eps, i - 1, start - 1);
      ctx.globalAlpha = globalAlpha;
      ctx.fill();
      ctx.globalAlpha = 1;
      for (const edge of hasEdges ? [eps, -eps] : []) {
        ctx.beginPath();
        traceEdge(area, { x, y }, edge, start, i);
        ctx.stroke();
      }
    }
    start = i + 1;
  }
}

/** Through the points from one index to before another, backwards where that is lower, so far beside them. */
function traceEdge(area: PlotArea, { x, y }: Points, beside: number, from: number, to: number): void {
  const step = from < to ? 1 : -1;
  for (let at = from; at !== to; at += step) {
    area.ctx.lineTo(xOf(area, x[at] ?? 0), yOf(area, (y[at] ?? 0) + beside));
  }
}

/** Index of the first point after an instant; the number of points where there is none. */
function firstAfter(x: Float64Array, atS: number): number {
  let [low, high] = [0, x.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((x[middle] ?? 0) <= atS) low = middle + 1;
    else high = middle;
  }
  return low;
}
