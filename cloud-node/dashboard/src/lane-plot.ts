import uPlot from "uplot";
import { formatValue } from "../../src/api/number-text.ts";
import type { LaneColumns } from "./lane-columns.ts";
import { drawGround, linePath, type PlotArea } from "./lane-ground.ts";
import type { LaneRun } from "./lane-run.ts";
import type { PlotTokens } from "./theme.ts";
import { type TimeZone, tickText, timeTicks } from "./time-text.ts";

/** Everything that a lane's canvas shows besides its line. */
export interface LaneGround {
  readonly eps: number;
  readonly runs: readonly LaneRun[];
  /** Device time of the last confirmed sample, s: an upright line, if it is in view. */
  readonly confirmedS: number;
}

/** What the legend must say of the band. */
export type BandLook = "band" | "thin";

/** Left of the lane, for its values. */
export const AXIS_PX = 56;
/** Right of the last time label, or it is cut. */
export const RIGHT_PX = 28;
const HEIGHT_PX = 104;
const LINE_PX = 1.5;
/** A band under this is thinner than the line that it is for, and the legend says so. */
const THIN_BAND_PX = 3;
const DASH = [5, 4];
/** Free room above and below the signal and its bound, as a part of their range. */
const Y_MARGIN = 0.12;
const TIME_LABEL_PX = 84;
const FONT = "12px system-ui";

/** One channel's plot: line, band, gaps and what the twin expects, on one canvas. */
export class LanePlot {
  readonly #plot: uPlot;
  readonly #zone: () => TimeZone;
  #tokens: PlotTokens;
  #ground: LaneGround = { eps: 0, runs: [], confirmedS: 0 };
  #y: { readonly min: number; readonly max: number } | undefined;
  #stepS = 1;

  constructor(parent: HTMLElement, tokens: PlotTokens, zone: () => TimeZone) {
    this.#tokens = tokens;
    this.#zone = zone;
    const color = (name: "s1" | "ink2" | "rule") => () => this.#tokens[name];
    const axis = {
      stroke: color("ink2"),
      grid: { stroke: color("rule"), width: 1 },
      ticks: { stroke: color("rule"), size: 4 },
      gap: 4,
      font: FONT,
    };
    const paths: uPlot.Series.PathBuilder = (plot, series) => {
      const area = this.#area(plot);
      const [x, y] = [plot.data[0] as unknown as Float64Array, plot.data[series] as unknown as Float64Array];
      return area === undefined ? null : { stroke: linePath(area, { x, y }) };
    };
    // Aligned to pixels a line would be moved by a part of its width, and no more be in the middle of its band.
    const line = { pxAlign: 0, stroke: color("s1"), width: LINE_PX, points: { show: false }, paths };
    this.#plot = new uPlot(
      {
        width: Math.max(parent.clientWidth, AXIS_PX + RIGHT_PX),
        height: HEIGHT_PX,
        padding: [8, RIGHT_PX, 0, 0],
        legend: { show: false },
        cursor: { show: false },
        scales: { x: { time: false, auto: false }, y: { auto: false } },
        axes: [
          {
            ...axis,
            size: 20,
            splits: (plot, _axis, min, max) => this.#ticks(plot, min, max),
            values: (_plot, ticks) => ticks.map((tick) => tickText(tick, this.#stepS, this.#zone())),
          },
          {
            ...axis,
            size: AXIS_PX,
            splits: (_plot, _axis, min, max) => [min + (max - min) * 0.1, (min + max) / 2, max - (max - min) * 0.1],
            values: (_plot, ticks) => ticks.map((tick) => formatValue(tick, this.#labelEps())),
          },
        ],
        series: [{}, line, { ...line, dash: DASH }],
        hooks: {
          drawAxes: [(plot) => this.#drawGround(plot)],
          draw: [(plot) => this.#drawThrough(plot)],
        },
      },
      [[], [], []],
      parent,
    );
  }

  /** Show these points between two instants, s. */
  show(columns: LaneColumns, ground: LaneGround, fromS: number, toS: number): BandLook {
    this.#ground = ground;
    this.#fitY(columns, ground.eps, fromS, toS);
    this.#plot.batch(() => {
      const data = [columns.x, columns.confirmed, columns.guess];
      this.#plot.setData(data as unknown as uPlot.AlignedData, false);
      this.#plot.setScale("x", { min: fromS, max: toS });
      if (this.#y !== undefined) this.#plot.setScale("y", this.#y);
    });
    const { height } = this.#plot.bbox;
    const bandPx =
      this.#y === undefined ? 0 : ((2 * ground.eps) / (this.#y.max - this.#y.min)) * (height / devicePixelRatio);
    return bandPx < THIN_BAND_PX ? "thin" : "band";
  }

  /** Move over what is drawn already; the next `show` replaces it. */
  stretch(fromS: number, toS: number): void {
    this.#plot.setScale("x", { min: fromS, max: toS });
  }

  /** Fit the values anew at the next `show`. */
  resetY(): void {
    this.#y = undefined;
  }

  setTokens(tokens: PlotTokens): void {
    this.#tokens = tokens;
    this.#plot.redraw(false, true);
  }

  resize(width: number): void {
    this.#plot.setSize({ width, height: HEIGHT_PX });
  }

  destroy(): void {
    this.#plot.destroy();
  }

  #ticks(plot: uPlot, min: number, max: number): number[] {
    const widthPx = plot.bbox.width / devicePixelRatio;
    const { stepS, atS } = timeTicks(min, max, Math.floor(widthPx / TIME_LABEL_PX), this.#zone());
    this.#stepS = stepS;
    return atS;
  }

  /** Labels differ from each other, and claim no more than the axis can show. */
  #labelEps(): number {
    const range = this.#y === undefined ? 0 : this.#y.max - this.#y.min;
    return Math.max(this.#ground.eps, range / 200);
  }

  /** Grows at once with the signal, and never shrinks by itself: a lane that breathes cannot be read. */
  #fitY(columns: LaneColumns, eps: number, fromS: number, toS: number): void {
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    const { x, confirmed, guess, length } = columns;
    for (let i = 0; i < length; i++) {
      const at = x[i] ?? 0;
      if (at < fromS || at > toS) continue;
      const value = Number.isNaN(confirmed[i]) ? (guess[i] ?? Number.NaN) : (confirmed[i] ?? Number.NaN);
      if (value - eps < min) min = value - eps;
      if (value + eps > max) max = value + eps;
    }
    if (min > max) return;
    const known = this.#y;
    if (known !== undefined && min >= known.min && max <= known.max) return;
    const margin = (max - min) * Y_MARGIN || Math.abs(max) * Y_MARGIN || 1;
    this.#y = {
      min: Math.min(min - margin, known?.min ?? Number.POSITIVE_INFINITY),
      max: Math.max(max + margin, known?.max ?? Number.NEGATIVE_INFINITY),
    };
  }

  #area(plot: uPlot): PlotArea | undefined {
    const { x, y } = plot.scales;
    if (x?.min == null || x.max == null || y?.min == null || y.max == null) return undefined;
    const { left, top, width, height } = plot.bbox;
    const view = { fromS: x.min, toS: x.max, low: y.min, high: y.max };
    return { ctx: plot.ctx, left, top, width, height, pixelRatio: devicePixelRatio, ...view };
  }

  #drawGround(plot: uPlot): void {
    const area = this.#area(plot);
    if (area === undefined) return;
    const [x, y] = [plot.data[0] as unknown as Float64Array, plot.data[1] as unknown as Float64Array];
    drawGround(area, { x, y }, this.#ground.eps, this.#ground.runs, this.#tokens);
  }

  /** The line left of which everything is confirmed. */
  #drawThrough(plot: uPlot): void {
    const { ctx, bbox, scales } = plot;
    if (scales.x?.min == null || scales.x.max == null) return;
    const at = Math.round(plot.valToPos(this.#ground.confirmedS, "x", true));
    if (!(at >= bbox.left && at <= bbox.left + bbox.width)) return;
    ctx.fillStyle = this.#tokens.ink2;
    ctx.fillRect(at, bbox.top, devicePixelRatio, bbox.height);
  }
}
