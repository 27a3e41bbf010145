import uPlot from "uplot";
import { formatValue } from "../../src/api/number-text.ts";
import { FONT, type LanePicture, PicturePainter } from "./lane-picture.ts";
import type { PlotArea } from "./plot-area.ts";
import type { PlotTokens } from "./theme.ts";
import { type TimeZone, tickText, timeTicks } from "./time-text.ts";
import { type ValueTicks, valueTicks } from "./value-ticks.ts";

/** What the legend must say of the band. */
export type BandLook = "band" | "thin";

/** Left of the lane, for its values. */
export const AXIS_PX = 56;
/** Right of the last time label, or it is cut. */
export const RIGHT_PX = 28;
const TOP_PX = 8;
const TIME_AXIS_PX = 20;
/** A band under this is thinner than the line that it is for, and the legend says so. */
const THIN_BAND_PX = 3;
/** Free room above and below the signal and its bound, as a part of their range. */
const Y_MARGIN = 0.12;
const TIME_LABEL_PX = 84;
const MOST_VALUES = 4;
/** Of a time label; more than half of one beyond the edge is cut. */
const LABEL_CHAR_PX = 6.8;
const NOTHING: LanePicture = { traces: [], runs: [], confirmedS: 0, fixed: undefined };

interface Range {
  readonly low: number;
  readonly high: number;
}

/** One plot: its lines, bands, gaps and what the twin expects, on one canvas. */
export class LanePlot {
  readonly #plot: uPlot;
  readonly #zone: () => TimeZone;
  readonly #heightPx: number;
  readonly #painter = new PicturePainter();
  #tokens: PlotTokens;
  #picture = NOTHING;
  /** Of the signal and its bounds. */
  #range: Range | undefined;
  #stepS = 1;
  #values: ValueTicks = { step: 1, at: [] };

  constructor(parent: HTMLElement, tokens: PlotTokens, zone: () => TimeZone) {
    this.#tokens = tokens;
    this.#zone = zone;
    this.#heightPx = parent.clientHeight;
    const color = (name: "ink2" | "rule") => () => this.#tokens[name];
    const axis = {
      stroke: color("ink2"),
      grid: { stroke: color("rule"), width: 1 },
      ticks: { stroke: color("rule"), size: 4 },
      gap: 4,
      font: FONT,
    };
    this.#plot = new uPlot(
      {
        width: Math.max(parent.clientWidth, AXIS_PX + RIGHT_PX),
        height: this.#heightPx,
        padding: [TOP_PX, RIGHT_PX, 0, 0],
        legend: { show: false },
        cursor: { show: false },
        scales: { x: { time: false, auto: false }, y: { auto: false } },
        axes: [
          {
            ...axis,
            size: TIME_AXIS_PX,
            splits: (plot, _axis, min, max) => this.#timeTicks(plot, min, max),
            values: (plot, ticks) => this.#timeLabels(plot, ticks),
          },
          {
            ...axis,
            size: AXIS_PX,
            splits: () => this.#values.at,
            values: (_plot, ticks) => ticks.map((tick) => formatValue(tick, this.#values.step)),
          },
        ],
        // uPlot has the axes; what is between them is drawn here: its own paths know neither runs nor columns of pixels.
        series: [{}, { points: { show: false }, paths: () => null }],
        hooks: { drawAxes: [(plot) => this.#draw(plot)] },
      },
      [
        [0, 1],
        [null, null],
      ],
      parent,
    );
  }

  /** Show this between two instants, s. */
  show(picture: LanePicture, fromS: number, toS: number): BandLook {
    this.#picture = picture;
    this.#fitValues(fromS, toS);
    this.#redraw(fromS, toS);
    const { low = 0, high = 1 } = this.#edges() ?? {};
    const bandPx = Math.min(...picture.traces.map(({ eps }) => ((2 * eps) / (high - low)) * this.#innerPx()));
    return bandPx < THIN_BAND_PX ? "thin" : "band";
  }

  /** Move over what is drawn already; the next `show` replaces it. */
  stretch(fromS: number, toS: number): void {
    this.#redraw(fromS, toS);
  }

  /** Fit the values anew at the next `show`. */
  resetY(): void {
    this.#range = undefined;
  }

  setTokens(tokens: PlotTokens): void {
    this.#tokens = tokens;
    this.#plot.redraw(false, true);
  }

  resize(width: number): void {
    this.#plot.setSize({ width, height: this.#heightPx });
  }

  destroy(): void {
    this.#plot.destroy();
  }

  #redraw(fromS: number, toS: number): void {
    this.#plot.batch(() => {
      const edges = this.#edges();
      if (edges !== undefined) this.#plot.setScale("y", { min: edges.low, max: edges.high });
      // Draws everything anew, the same scale too.
      this.#plot.setScale("x", { min: fromS, max: toS });
    });
  }

  /** Height between the axes, CSS pixels. */
  #innerPx(): number {
    return this.#heightPx - TOP_PX - TIME_AXIS_PX;
  }

  #edges(): Range | undefined {
    const { fixed } = this.#picture;
    if (fixed !== undefined) return fixed;
    if (this.#range === undefined) return undefined;
    const { low, high } = this.#range;
    const margin = (high - low) * Y_MARGIN || Math.abs(high) * Y_MARGIN || 1;
    return { low: low - margin, high: high + margin };
  }

  #timeTicks(plot: uPlot, min: number, max: number): number[] {
    const widthPx = plot.bbox.width / devicePixelRatio;
    const { stepS, atS } = timeTicks(min, max, Math.floor(widthPx / TIME_LABEL_PX), this.#zone());
    this.#stepS = stepS;
    return atS;
  }

  /** A label that would be cut at the edge is left out; its line stays. */
  #timeLabels(plot: uPlot, ticks: readonly number[]): string[] {
    const widthPx = plot.bbox.width / devicePixelRatio;
    return ticks.map((tick) => {
      const text = tickText(tick, this.#stepS, this.#zone());
      const isCut = plot.valToPos(tick, "x") + (text.length * LABEL_CHAR_PX) / 2 > widthPx + RIGHT_PX;
      return isCut ? "" : text;
    });
  }

  /** Grows at once with the signal, and never shrinks by itself: a lane that breathes cannot be read. */
  #fitValues(fromS: number, toS: number): void {
    const { traces, fixed } = this.#picture;
    if (fixed !== undefined) {
      this.#values = { step: 1, at: [...fixed.lines, 0] };
      return;
    }
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const { columns, eps } of traces) {
      const { x, confirmed, guess, length } = columns;
      for (let i = 0; i < length; i++) {
        const at = x[i] ?? 0;
        if (at < fromS || at > toS) continue;
        const value = Number.isNaN(confirmed[i]) ? (guess[i] ?? Number.NaN) : (confirmed[i] ?? Number.NaN);
        if (value - eps < low) low = value - eps;
        if (value + eps > high) high = value + eps;
      }
    }
    const [known, before] = [this.#range, this.#edges()];
    if (low > high || (before !== undefined && low >= before.low && high <= before.high)) return;
    this.#range = { low: Math.min(low, known?.low ?? low), high: Math.max(high, known?.high ?? high) };
    const isFlat = this.#range.low === this.#range.high;
    const { low: from, high: to } = (isFlat ? this.#edges() : undefined) ?? this.#range;
    this.#values = valueTicks(from, to, MOST_VALUES);
  }

  #area(plot: uPlot): PlotArea | undefined {
    const { x, y } = plot.scales;
    if (x?.min == null || x.max == null || y?.min == null || y.max == null) return undefined;
    const { left, top, width, height } = plot.bbox;
    const view = { fromS: x.min, toS: x.max, low: y.min, high: y.max };
    return { ctx: plot.ctx, left, top, width, height, pixelRatio: devicePixelRatio, ...view };
  }

  #draw(plot: uPlot): void {
    const area = this.#area(plot);
    if (area !== undefined) this.#painter.paint(area, this.#picture, this.#tokens);
  }
}
