import { type PlotArea, type Points, xOf, yOf } from "./plot-area.ts";

/**
 * What a line covers of each column of pixels: its highest and its lowest point there, the way between two points
 * included.
 *
 * A dense line drawn as one upright bar for each column is the line, to the pixel; a rasteriser that strokes thousands of
 * points which cross each other takes a hundred times as long for the same picture.
 */
export class PixelColumns {
  #top = new Float32Array(0);
  #bottom = new Float32Array(0);
  #count = 0;
  #left = 0;

  /** Columns of pixels from the area's left edge. */
  get count(): number {
    return this.#count;
  }

  /** Canvas x of the first column. */
  get left(): number {
    return this.#left;
  }

  /** Canvas y of the highest point in a column; NaN where the line does not go. */
  top(column: number): number {
    return this.#top[column] ?? Number.NaN;
  }

  /** Canvas y of the lowest point in a column; NaN where the line does not go. */
  bottom(column: number): number {
    return this.#bottom[column] ?? Number.NaN;
  }

  /** Take these points, in place of those before. */
  fill(area: PlotArea, { x, y }: Points): void {
    this.#left = Math.round(area.left);
    this.#count = Math.max(0, Math.round(area.width));
    if (this.#count > this.#top.length) {
      this.#top = new Float32Array(this.#count);
      this.#bottom = new Float32Array(this.#count);
    }
    this.#top.fill(Number.NaN);
    this.#bottom.fill(Number.NaN);
    let [fromX, fromY] = [Number.NaN, Number.NaN];
    for (let i = 0; i < x.length; i++) {
      const value = y[i] ?? Number.NaN;
      if (Number.isNaN(value)) {
        fromX = Number.NaN;
        continue;
      }
      const [toX, toY] = [xOf(area, x[i] ?? 0) - this.#left, yOf(area, value)];
      if (Number.isNaN(fromX)) this.#cover(Math.floor(toX), toY, toY);
      else this.#coverWay(fromX, fromY, toX, toY);
      fromX = toX;
      fromY = toY;
    }
  }

  /** From one point to the next, through every column between. */
  #coverWay(fromX: number, fromY: number, toX: number, toY: number): void {
    const [first, last] = [Math.floor(fromX), Math.floor(toX)];
    if (first === last) {
      this.#cover(first, Math.min(fromY, toY), Math.max(fromY, toY));
      return;
    }
    const slope = (toY - fromY) / (toX - fromX);
    for (let at = Math.max(first, 0); at <= Math.min(last, this.#count - 1); at++) {
      const a = fromY + slope * (Math.max(at, fromX) - fromX);
      const b = fromY + slope * (Math.min(at + 1, toX) - fromX);
      this.#cover(at, Math.min(a, b), Math.max(a, b));
    }
  }

  #cover(column: number, top: number, bottom: number): void {
    if (column < 0 || column >= this.#count) return;
    const [known, deepest] = [this.#top[column] ?? Number.NaN, this.#bottom[column] ?? Number.NaN];
    if (!(known <= top)) this.#top[column] = top;
    if (!(deepest >= bottom)) this.#bottom[column] = bottom;
  }
}
