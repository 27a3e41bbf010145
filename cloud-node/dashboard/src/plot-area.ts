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

/** Points of one lane: time, s, rising, and value; NaN lifts the pen. */
export interface Points {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/** Canvas x of an instant, s. */
export function xOf({ left, width, fromS, toS }: PlotArea, atS: number): number {
  return left + ((atS - fromS) / (toS - fromS)) * width;
}

/** Canvas y of a value. */
export function yOf({ top, height, low, high }: PlotArea, value: number): number {
  return top + (1 - (value - low) / (high - low)) * height;
}
