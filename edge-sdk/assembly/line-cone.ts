import { ceilDivide } from "./fixed-point";
import { wordOf } from "./line-ways";

/**
 * The cone of slopes that keep every sample so far within the bound, for a line from one start, 2 (to - from) / span:
 * low <= slope < high. Its edges are fractions of integers, compared by cross products. With i counted from the start, D
 * the bin width and 2 (x - from) - D <= 2 (to - from) i / span < 2 (x - from) + D, the rounded line is within the bound.
 */
export let coneLowTop: i64 = 0;
export let coneLowBottom: i64 = 1;
export let coneHighTop: i64 = 0;
export let coneHighBottom: i64 = 1;
/** It has left 0, and in which direction. */
export let coneIsMoving: bool = false;
export let coneIsFalling: bool = false;
/** The slopes of the grid that `findSlopes` found. */
export let slopeLow: i64 = 0;
export let slopeHigh: i64 = 0;

// The channel in hand
let column: usize = 0; // i32 per row: its samples
let step: i64 = 0;
let grid: i64 = 0;
let isFarInside: bool = false;

/** Take a channel in hand. `allInside`: no value within the bound of a sample is outside int32. */
export function beginCones(samples: usize, binWidth: i64, lineGrid: i64, allInside: bool): void {
  column = samples;
  step = binWidth;
  grid = lineGrid;
  isFarInside = allInside;
}

/** A line starts: nothing is known of its slope. */
export function openCone(): void {
  setCone(i64.MIN_VALUE >> 20, 1, i64.MAX_VALUE >> 20, 1);
  coneIsMoving = false;
}

/** Return to what a cone was. */
export function setCone(lowTop: i64, lowBottom: i64, highTop: i64, highBottom: i64): void {
  coneLowTop = lowTop;
  coneLowBottom = lowBottom;
  coneHighTop = highTop;
  coneHighBottom = highBottom;
}

/** Is it as wide at the span as the grid, whose slopes it then holds for certain? */
export function isWide(span: i64): bool {
  const opening = coneHighTop * coneLowBottom - coneLowTop * coneHighBottom;
  return isFarInside && opening * span >= 2 * grid * coneLowBottom * coneHighBottom;
}

/** Has it closed? It remains so. */
export function hasClosed(): bool {
  return coneHighTop * coneLowBottom <= coneLowTop * coneHighBottom;
}

/** Does every slope of the cone go up, or down? It remains so. */
export function hasMoved(lowTop: i64, highTop: i64): bool {
  coneIsFalling = highTop <= 0;
  coneIsMoving = coneIsFalling || lowTop > 0;
  return coneIsMoving;
}

/** Narrow the cone by a few rows; it may close. `origin`: 2 from + step. */
export function narrow(t: i32, span: i32, until: i32, origin: i64): void {
  let lowTop = coneLowTop;
  let lowBottom = coneLowBottom;
  let highTop = coneHighTop;
  let highBottom = coneHighBottom;
  // What the edges are at the span, times their bottoms
  let lowAt = lowTop * span;
  let highAt = highTop * span;
  const width = 2 * step;
  let at = wordOf(column, t + span);
  for (; span < until; span++) {
    const under = 2 * <i64>load<i32>(at) - origin;
    at += 4;
    const over = under + width;
    if (under * lowBottom > lowAt) {
      lowTop = under;
      lowBottom = span;
      lowAt = under * span;
    }
    if (over * highBottom < highAt) {
      highTop = over;
      highBottom = span;
      highAt = over * span;
    }
    lowAt += lowTop;
    highAt += highTop;
  }
  coneLowTop = lowTop;
  coneLowBottom = lowBottom;
  coneHighTop = highTop;
  coneHighBottom = highBottom;
}

/**
 * Find the lowest and the highest slope of the grid within the cone's edges at the span, that end inside int32.
 *
 * @returns whether there is one
 */
export function findSlopes(from: i64, lowTop: i64, lowBottom: i64, highTop: i64, highBottom: i64, span: i64): bool {
  slopeLow = ceilDivide(lowTop * span, 2 * grid * lowBottom);
  const edge = highTop * span;
  const unit = 2 * grid * highBottom;
  if (isFarInside) {
    // As a rule there is one or none, which takes no second division to tell
    const at = slopeLow * unit;
    if (at >= edge) return false;
    slopeHigh = at + unit >= edge ? slopeLow : ceilDivide(edge, unit) - 1;
    return true;
  }
  if (from + slopeLow * grid < i32.MIN_VALUE) slopeLow = ceilDivide(i32.MIN_VALUE - from, grid);
  slopeHigh = ceilDivide(edge, unit) - 1;
  if (from + slopeHigh * grid > i32.MAX_VALUE) slopeHigh = (<i64>i32.MAX_VALUE - from) / grid;
  return slopeLow <= slopeHigh;
}
