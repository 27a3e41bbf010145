import type { LaneRun } from "./lane-run.ts";
import type { PlotTokens } from "./theme.ts";

/** Where instants and values are on a canvas, in its own pixels. */
export interface PlotArea {
  readonly ctx: CanvasRenderingContext2D;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly pixelRatio: number;
  /** Device time at the left and at the right edge, s. */
  readonly fromS: number;
  readonly toS: number;
  /** Values at the lower and at the upper edge. */
  readonly low: number;
  readonly high: number;
}

/** Points of one lane: time, s, and value; NaN lifts the pen. */
export interface Points {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

const HATCH_PX = 6;
const MIN_RUN_PX = 2;
const CAP_PX = 2;
const PENDING_DASH_PX = 4;
/** Lines along the band's edges help only where there is room between them, and between the samples. */
const EDGE_BAND_PX = 12;
const EDGE_SAMPLE_PX = 4;

/** Canvas x of an instant, s. */
export function xOf({ left, width, fromS, toS }: PlotArea, atS: number): number {
  return left + ((atS - fromS) / (toS - fromS)) * width;
}

/** Canvas y of a value. */
export function yOf({ top, height, low, high }: PlotArea, value: number): number {
  return top + (1 - (value - low) / (high - low)) * height;
}

/** Draw through every point, lifting the pen where there is none. */
export function linePath(area: PlotArea, { x, y }: Points): Path2D {
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

/** Everything under the line: the promise, where it holds, and what takes its place where it does not. */
export function drawGround(
  area: PlotArea,
  points: Points,
  eps: number,
  runs: readonly LaneRun[],
  tokens: PlotTokens,
): void {
  const { ctx, left, top, width, height } = area;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  if (eps > 0) drawBand(area, points, eps, tokens);
  for (const run of runs) if (run.kind === "saturated") drawSaturated(area, points, run, tokens);
  for (const run of runs) if (run.kind !== "saturated") drawGap(area, run, tokens);
  ctx.restore();
}

/** ± eps around confirmed samples alone. */
function drawBand(area: PlotArea, { x, y }: Points, eps: number, tokens: PlotTokens): void {
  const { ctx } = area;
  const bandPx = Math.abs(yOf(area, eps) - yOf(area, -eps)) / area.pixelRatio;
  const samplePx = area.width / area.pixelRatio / Math.max(1, x.length);
  const hasEdges = bandPx >= EDGE_BAND_PX && samplePx >= EDGE_SAMPLE_PX;
  ctx.fillStyle = tokens.s1;
  ctx.strokeStyle = tokens.s1;
  ctx.lineWidth = area.pixelRatio;
  let start = 0;
  for (let i = 0; i <= x.length; i++) {
    if (i < x.length && !Number.isNaN(y[i])) continue;
    if (i - start > 1) {
      ctx.beginPath();
      traceEdge(area, { x, y }, eps, start, i);
      traceEdge(area, { x, y }, -eps, i - 1, start - 1);
      ctx.globalAlpha = tokens.bandAlpha;
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

function placeOf(area: PlotArea, { fromUs, toUs }: LaneRun): { readonly left: number; readonly width: number } {
  const left = xOf(area, fromUs / 1e6);
  return { left, width: Math.max(xOf(area, toUs / 1e6) - left, MIN_RUN_PX * area.pixelRatio) };
}

/** A gap has a shape: dashed where it is asked for again, hatched where it is lost. */
function drawGap(area: PlotArea, run: LaneRun, tokens: PlotTokens): void {
  const { ctx, top, height, pixelRatio } = area;
  const { left, width } = placeOf(area, run);
  if (left > area.left + area.width || left + width < area.left) return;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  ctx.fillStyle = tokens.raise;
  ctx.fillRect(left, top, width, height);
  ctx.lineWidth = 2 * pixelRatio;
  if (run.kind === "gap-pending" || run.kind === "expired") {
    ctx.strokeStyle = tokens.edge;
    ctx.setLineDash([PENDING_DASH_PX * pixelRatio, PENDING_DASH_PX * pixelRatio]);
  } else {
    ctx.strokeStyle = tokens.bad;
    hatch(area, left, width);
  }
  ctx.strokeRect(left, top, width, height);
  ctx.restore();
}

/** The bound holds for the clipped value only: no band, and a cap at the level where it was clipped. */
function drawSaturated(area: PlotArea, { x, y }: Points, run: LaneRun, tokens: PlotTokens): void {
  const { ctx, top, height, pixelRatio } = area;
  const { left, width } = placeOf(area, run);
  if (left > area.left + area.width || left + width < area.left) return;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  ctx.fillStyle = tokens.panel;
  ctx.fillRect(left, top, width, height);
  ctx.strokeStyle = tokens.warn;
  ctx.lineWidth = pixelRatio;
  hatch(area, left, width);
  const level = clipLevel(area, x, y, run);
  if (level !== undefined) {
    ctx.fillStyle = tokens.warn;
    ctx.fillRect(left, yOf(area, level) - (CAP_PX / 2) * pixelRatio, width, CAP_PX * pixelRatio);
  }
  ctx.restore();
}

/** The extreme in the run that is farther from the middle of the lane: where the sensor's range ends. */
function clipLevel({ low, high }: PlotArea, x: Float64Array, y: Float64Array, run: LaneRun): number | undefined {
  const middle = (low + high) / 2;
  let level: number | undefined;
  for (let i = 0; i < x.length; i++) {
    const [at, value] = [(x[i] ?? 0) * 1e6, y[i] ?? Number.NaN];
    if (at < run.fromUs || at >= run.toUs || Number.isNaN(value)) continue;
    if (level === undefined || Math.abs(value - middle) > Math.abs(level - middle)) level = value;
  }
  return level;
}

/** Lines at 45°, at places that stay where they are while time moves on. */
function hatch({ ctx, top, height, pixelRatio }: PlotArea, left: number, width: number): void {
  const step = HATCH_PX * pixelRatio;
  ctx.save();
  ctx.lineWidth = pixelRatio;
  ctx.beginPath();
  for (let at = left - height; at < left + width; at += step) {
    ctx.moveTo(at, top + height);
    ctx.lineTo(at + height, top);
  }
  ctx.stroke();
  ctx.restore();
}
