import uPlot from "uplot";
import type { LaneRun } from "../../src/api/lane-buckets.ts";
import { formatValue } from "../../src/api/number-text.ts";
import type { LaneColumns } from "./lane-data.ts";
import type { PlotTokens } from "./theme.ts";

/** Everything that a lane's canvas shows besides its line. */
export interface LaneGround {
  readonly eps: number;
  readonly runs: readonly LaneRun[];
  /** Device time of the last confirmed sample, s; the band ends there. */
  readonly confirmedS: number;
}

/** What the legend must say of the band. */
export type BandLook = "band" | "thin";

const HEIGHT_PX = 104;
const LINE_PX = 1.5;
/** A band under this is thinner than the line that it is for, and the legend says so. */
const THIN_BAND_PX = 3;
const DASH = [5, 4];
/** Free room above and below the signal and its bound, as a part of their range. */
const Y_MARGIN = 0.12;
const HATCH_PX = 6;
const MIN_RUN_PX = 2;
/** Whole seconds, because labels show no parts of them; wide enough for one label and air. */
const TIME_STEPS_S = [1, 2, 5, 10, 15, 30, 60];
const TIME_LABEL_PX = 76;
/** Right of the last time label, or it is cut. */
const RIGHT_PX = 28;
const AXIS_PX = 56;

/** One channel's plot: line, band, gaps and what the twin expects, on one canvas. */
export class LanePlot {
  readonly #plot: uPlot;
  #tokens: PlotTokens;
  #ground: LaneGround = { eps: 0, runs: [], confirmedS: 0 };
  #y: { min: number; max: number } | undefined;

  /**
   * @param onCursor  told the index of the point under the cursor, null when it left
   */
  constructor(parent: HTMLElement, tokens: PlotTokens, syncKey: string, onCursor: (index: number | null) => void) {
    this.#tokens = tokens;
    const color = (name: "s1" | "ink2" | "rule") => () => this.#tokens[name];
    const axis = {
      stroke: color("ink2"),
      grid: { stroke: color("rule"), width: 1 },
      ticks: { stroke: color("rule"), size: 4 },
      gap: 4,
    };
    const font = "12px system-ui";
    this.#plot = new uPlot(
      {
        width: parent.clientWidth,
        height: HEIGHT_PX,
        padding: [8, RIGHT_PX, 0, 0],
        legend: { show: false },
        cursor: { sync: { key: syncKey }, drag: { x: false, y: false }, points: { show: false }, y: false },
        scales: { x: { time: true, auto: false }, y: { auto: false } },
        axes: [
          {
            ...axis,
            font,
            size: 20,
            space: TIME_LABEL_PX,
            incrs: TIME_STEPS_S,
            values: (_plot, ticks) => ticks.map(timeOfDay),
          },
          { ...axis, font, size: AXIS_PX, splits: (_plot, _axis, min, max) => [min, (min + max) / 2, max] },
        ],
        series: [
          {},
          { stroke: color("s1"), width: LINE_PX, points: { show: false } },
          { stroke: color("s1"), width: LINE_PX, dash: DASH, points: { show: false } },
        ],
        hooks: {
          drawAxes: [(plot) => this.#drawGround(plot)],
          draw: [(plot) => this.#drawThrough(plot)],
          setCursor: [(plot) => onCursor(plot.cursor.idx ?? null)],
        },
      },
      [[], [], []],
      parent,
    );
    const axes = this.#plot.axes[1];
    if (axes !== undefined) axes.values = (_plot, ticks) => ticks.map((tick) => formatValue(tick, this.#ground.eps));
  }

  /** Show these points between two instants, s. */
  show(columns: LaneColumns, ground: LaneGround, fromS: number, toS: number): BandLook {
    this.#ground = ground;
    this.#fitY(columns, ground.eps);
    this.#plot.batch(() => {
      this.#plot.setData([columns.x, columns.confirmed, columns.extrapolated], false);
      this.#plot.setScale("x", { min: fromS, max: toS });
      if (this.#y !== undefined) this.#plot.setScale("y", this.#y);
    });
    const bandPx = Math.abs(this.#plot.valToPos(ground.eps, "y") - this.#plot.valToPos(-ground.eps, "y"));
    return bandPx < THIN_BAND_PX ? "thin" : "band";
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

  /** Grows at once with the signal, and never shrinks by itself: a lane that breathes cannot be read. */
  #fitY(columns: LaneColumns, eps: number): void {
    let min = this.#y?.min ?? Number.POSITIVE_INFINITY;
    let max = this.#y?.max ?? Number.NEGATIVE_INFINITY;
    let hasGrown = false;
    for (const values of [columns.confirmed, columns.extrapolated]) {
      for (const value of values) {
        if (value === null) continue;
        if (value - eps < min) [min, hasGrown] = [value - eps, true];
        if (value + eps > max) [max, hasGrown] = [value + eps, true];
      }
    }
    if (!hasGrown) return;
    const margin = (max - min) * Y_MARGIN || 1;
    this.#y = { min: min - margin, max: max + margin };
  }

  #drawGround(plot: uPlot): void {
    const { ctx } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(plot.bbox.left, plot.bbox.top, plot.bbox.width, plot.bbox.height);
    ctx.clip();
    for (const run of this.#ground.runs) this.#drawRun(plot, run);
    this.#drawBand(plot);
    ctx.restore();
  }

  /** ± eps around confirmed samples alone: a promise is drawn only where it holds. */
  #drawBand(plot: uPlot): void {
    const { ctx } = plot;
    const [x, confirmed] = plot.data;
    const { eps } = this.#ground;
    if (confirmed === undefined || eps === 0) return;
    ctx.fillStyle = this.#tokens.s1;
    ctx.globalAlpha = this.#tokens.bandAlpha;
    let start = 0;
    for (let index = 0; index <= confirmed.length; index++) {
      if (index < confirmed.length && confirmed[index] != null) continue;
      if (index - start > 1) this.#fillBand(plot, x, confirmed, start, index);
      start = index + 1;
    }
    ctx.globalAlpha = 1;
  }

  #fillBand(
    plot: uPlot,
    x: ArrayLike<number>,
    y: ArrayLike<number | null | undefined>,
    from: number,
    to: number,
  ): void {
    const { eps } = this.#ground;
    const pos = (index: number, by: number): [number, number] => [
      plot.valToPos(x[index] ?? 0, "x", true),
      plot.valToPos((y[index] ?? 0) + by, "y", true),
    ];
    plot.ctx.beginPath();
    for (let index = from; index < to; index++) plot.ctx.lineTo(...pos(index, eps));
    for (let index = to - 1; index >= from; index--) plot.ctx.lineTo(...pos(index, -eps));
    plot.ctx.fill();
  }

  /** A gap has a shape: hatched where samples are lost, under a warning colour where they were clipped. */
  #drawRun(plot: uPlot, run: LaneRun): void {
    const { ctx, bbox } = plot;
    const left = plot.valToPos(run.from / 1e6, "x", true);
    const width = Math.max(plot.valToPos(run.to / 1e6, "x", true) - left, MIN_RUN_PX * devicePixelRatio);
    const color = run.kind === "saturated" ? this.#tokens.warn : this.#tokens.bad;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, bbox.top, width, bbox.height);
    ctx.clip();
    if (run.kind !== "saturated") {
      ctx.fillStyle = this.#tokens.raise;
      ctx.fillRect(left, bbox.top, width, bbox.height);
    }
    ctx.strokeStyle = color;
    ctx.lineWidth = devicePixelRatio;
    ctx.beginPath();
    for (let at = left - bbox.height; at < left + width; at += HATCH_PX * devicePixelRatio) {
      ctx.moveTo(at, bbox.top + bbox.height);
      ctx.lineTo(at + bbox.height, bbox.top);
    }
    ctx.stroke();
    ctx.strokeRect(left, bbox.top, width, bbox.height);
    ctx.restore();
  }

  /** The line left of which everything is confirmed. */
  #drawThrough(plot: uPlot): void {
    const { ctx, bbox } = plot;
    const at = Math.round(plot.valToPos(this.#ground.confirmedS, "x", true));
    if (!(at >= bbox.left && at <= bbox.left + bbox.width)) return;
    ctx.fillStyle = this.#tokens.ink2;
    ctx.fillRect(at, bbox.top, devicePixelRatio, bbox.height);
  }
}

/** "10:24:19" */
export function timeOfDay(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString("en-GB");
}
