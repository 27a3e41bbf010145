import type { LaneRun } from "./lane-run.ts";
import { type PlotArea, type Points, xOf, yOf } from "./plot-area.ts";
import type { PlotTokens } from "./theme.ts";

const HATCH_PX = 6;
const MIN_RUN_PX = 2;
const CAP_PX = 2;
/** Half of the line that a cap lies on. */
const BESIDE_LINE_PX = 0.75;
const BORDER_PX = 2;
const PENDING_DASH_PX = 4;

/**
 * Draw every stretch that is no plain signal: it has a shape, is never thinner than a person can see, and covers the
 * band, which holds for none of them.
 *
 * @param points  confirmed ones: where the sensor clipped, they say at which level
 */
export function drawRuns(area: PlotArea, points: Points, runs: readonly LaneRun[], tokens: PlotTokens): void {
  // What takes the value away lies over what only qualifies it.
  for (const run of runs) if (run.kind === "saturated") drawRun(area, points, run, tokens);
  for (const run of runs) if (run.kind !== "saturated") drawRun(area, points, run, tokens);
}

/**
 * ```
 * pending, expired  raised, dashed border: asked for again, or gone by age
 * lost, no reading  raised, hatched, solid border
 * saturated         hatched in place of the band, a cap at the level where it was clipped
 * ```
 */
function drawRun(area: PlotArea, points: Points, run: LaneRun, tokens: PlotTokens): void {
  const { ctx, top, height, pixelRatio } = area;
  const left = xOf(area, run.fromUs / 1e6);
  const width = Math.max(xOf(area, run.toUs / 1e6) - left, MIN_RUN_PX * pixelRatio);
  if (left > area.left + area.width || left + width < area.left) return;
  const isClipped = run.kind === "saturated";
  const isAwaited = run.kind === "gap-pending" || run.kind === "expired";
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  ctx.fillStyle = isClipped ? tokens.panel : tokens.raise;
  ctx.fillRect(left, top, width, height);
  ctx.strokeStyle = isClipped ? tokens.warn : isAwaited ? tokens.edge : tokens.bad;
  if (!isAwaited) hatch(area, left, width);
  if (isClipped) drawCap(area, points, run, { left, width }, tokens.warn);
  else {
    ctx.lineWidth = BORDER_PX * pixelRatio;
    ctx.setLineDash(isAwaited ? [PENDING_DASH_PX * pixelRatio, PENDING_DASH_PX * pixelRatio] : []);
    ctx.strokeRect(left, top, width, height);
  }
  ctx.restore();
}

/** The bound holds for the clipped value only: a cap just beyond the level where it was clipped, on the signal's line. */
function drawCap(
  area: PlotArea,
  points: Points,
  run: LaneRun,
  { left, width }: { readonly left: number; readonly width: number },
  color: string,
): void {
  const level = clipLevel(area, points, run);
  if (level === undefined) return;
  const { ctx, low, high, pixelRatio } = area;
  const beside = level > (low + high) / 2 ? -BESIDE_LINE_PX - CAP_PX : BESIDE_LINE_PX;
  ctx.fillStyle = color;
  ctx.fillRect(left, yOf(area, level) + beside * pixelRatio, width, CAP_PX * pixelRatio);
}

/** The extreme in the run that is farther from the middle of the lane: where the sensor's range ends. */
function clipLevel({ low, high }: PlotArea, { x, y }: Points, run: LaneRun): number | undefined {
  const middle = (low + high) / 2;
  let level: number | undefined;
  for (let i = 0; i < x.length; i++) {
    const [at, value] = [(x[i] ?? 0) * 1e6, y[i] ?? Number.NaN];
    if (at < run.fromUs || at >= run.toUs || Number.isNaN(value)) continue;
    if (level === undefined || Math.abs(value - middle) > Math.abs(level - middle)) level = value;
  }
  return level;
}

/** Lines at 45°, in the colour of strokes. */
function hatch({ ctx, top, height, pixelRatio }: PlotArea, left: number, width: number): void {
  const step = HATCH_PX * pixelRatio;
  ctx.lineWidth = pixelRatio;
  ctx.beginPath();
  for (let at = left - height; at < left + width; at += step) {
    ctx.moveTo(at, top + height);
    ctx.lineTo(at + height, top);
  }
  ctx.stroke();
}
