import { formatCounted, formatValue, UNKNOWN } from "../../src/api/number-text.ts";
import { LaneColumns } from "./lane-columns.ts";
import { type BandLook, LanePlot } from "./lane-plot.ts";
import { LaneRing } from "./lane-ring.ts";
import { type LaneRun, runAt, runText } from "./lane-run.ts";
import { type PlotTokens, plotTokens } from "./theme.ts";
import { lengthUs, type TimeSpan } from "./time-span.ts";
import { dateAndTime, durationText, type TimeZone } from "./time-text.ts";
import { boundedText, unitText, type ValueChannel } from "./value-text.ts";

/** Where a lane shows itself. */
export interface LaneElements {
  readonly plot: HTMLElement;
  readonly value: HTMLElement;
  readonly note: HTMLElement;
}

/** What is at an instant of a lane. */
export interface LaneReading {
  /** "0.42 ± 0.05 g", or why there is none. */
  readonly value: string;
  /** "confirmed", "expected, without a bound", "clipped", "lost" … */
  readonly state: string;
}

const NO_RUNS: readonly LaneRun[] = [];

/** One channel on the page: its newest buckets, what is drawn of it now, and the words for it. */
export class BoardLane {
  readonly channel: ValueChannel;
  readonly ring = new LaneRing();
  readonly columns = new LaneColumns();
  runs: readonly LaneRun[] = NO_RUNS;
  #plot: LanePlot | undefined;
  #elements: LaneElements | undefined;

  constructor(channel: ValueChannel) {
    this.channel = channel;
  }

  get isMounted(): boolean {
    return this.#plot !== undefined;
  }

  /** Show the lane here from now on. @returns ends it */
  mount(elements: LaneElements, zone: () => TimeZone): () => void {
    const plot = new LanePlot(elements.plot, plotTokens(), zone);
    this.#plot = plot;
    this.#elements = elements;
    return () => {
      plot.destroy();
      this.#plot = undefined;
      this.#elements = undefined;
    };
  }

  /** Draw what the columns hold. */
  draw(view: TimeSpan, confirmedUs: number): void {
    const ground = { eps: this.channel.eps, runs: this.runs, confirmedS: confirmedUs / 1e6 };
    const look = this.#plot?.show(this.columns, ground, view.fromUs / 1e6, view.toUs / 1e6);
    if (look !== undefined) this.#say("note", noteOf(look, this.channel.eps));
  }

  /** Move over what is drawn already. */
  stretch(view: TimeSpan): void {
    this.#plot?.stretch(view.fromUs / 1e6, view.toUs / 1e6);
  }

  resetY(): void {
    this.#plot?.resetY();
  }

  setTokens(tokens: PlotTokens): void {
    this.#plot?.setTokens(tokens);
  }

  resize(): void {
    const width = this.#elements?.plot.clientWidth ?? 0;
    if (width > 0) this.#plot?.resize(width);
  }

  /** What is at an instant; undefined: the newest that is confirmed. */
  reading(atUs: number | undefined): LaneReading {
    const { columns, channel } = this;
    const at = atUs === undefined ? lastConfirmed(columns) : columns.nearest(atUs / 1e6);
    const us = atUs ?? (columns.x[at] ?? Number.NaN) * 1e6;
    const run = runAt(this.runs, us);
    if (run !== undefined && run.kind !== "saturated") return { value: UNKNOWN, state: runText(run.kind) };
    const isNear = at >= 0 && Math.abs((columns.x[at] ?? Number.NaN) * 1e6 - us) <= columns.bucketS * 1e6;
    if (!isNear) return { value: UNKNOWN, state: "no sample" };
    const confirmed = columns.confirmed[at] ?? Number.NaN;
    if (!Number.isNaN(confirmed)) {
      const other = pairOf(columns, at);
      const [low, high] = [Math.min(confirmed, other), Math.max(confirmed, other)];
      const state = run === undefined ? "confirmed" : `confirmed, ${runText(run.kind)}`;
      return { value: boundedText(low, high, channel), state };
    }
    const guess = columns.guess[at] ?? Number.NaN;
    if (Number.isNaN(guess)) return { value: UNKNOWN, state: "no sample" };
    return { value: `${formatValue(guess, channel.eps)}${unitText(channel.unit)}`, state: "expected, without a bound" };
  }

  /** Put the value at an instant beside the channel's name. */
  showReading(atUs: number | undefined): void {
    const { value, state } = this.reading(atUs);
    this.#say("value", state === "confirmed" ? value : value === UNKNOWN ? `– (${state})` : `${value} (${state})`);
  }

  /** The plot in one sentence, for whoever cannot see it. */
  describe(view: TimeSpan, zone: TimeZone): void {
    const { channel, columns, runs } = this;
    let [low, high] = [Number.NaN, Number.NaN];
    for (const value of columns.confirmed) {
      if (Number.isNaN(value)) continue;
      low = Number.isNaN(low) ? value : Math.min(low, value);
      high = Number.isNaN(high) ? value : Math.max(high, value);
    }
    const range = Number.isNaN(low) ? "no samples" : `from ${boundedText(low, high, channel).replace(" … ", " to ")}`;
    const gaps = runs.filter(({ kind }) => kind !== "saturated").length;
    const text = [
      `${channel.name}, ${durationText(lengthUs(view))} to ${dateAndTime(view.toUs, zone)}`,
      range,
      gaps === 0 ? "no gaps" : formatCounted(gaps, "gap"),
    ].join(": ");
    this.#elements?.plot.setAttribute("aria-label", text);
  }

  #say(where: "value" | "note", text: string): void {
    const element = this.#elements?.[where];
    // Writing what is there already would end a selection of text.
    if (element !== undefined && element.textContent !== text) element.textContent = text;
  }
}

function noteOf(look: BandLook, eps: number): string {
  return look === "thin" && eps > 0 ? "± eps is thinner than the line" : "";
}

function lastConfirmed({ confirmed, length }: LaneColumns): number {
  for (let i = length - 1; i >= 0; i--) if (!Number.isNaN(confirmed[i])) return i;
  return -1;
}

/** The other extreme of the bucket that a point belongs to: the two stand half a width apart. */
function pairOf(columns: LaneColumns, at: number): number {
  const x = columns.x[at] ?? 0;
  for (const other of [at - 1, at + 1]) {
    const value = columns.confirmed[other];
    const isSameBucket = Math.abs((columns.x[other] ?? Number.NaN) - x) < 0.75 * columns.bucketS;
    const isEarlierHalf = Math.floor(x / columns.bucketS) === Math.floor((columns.x[other] ?? 0) / columns.bucketS);
    if (value !== undefined && !Number.isNaN(value) && isSameBucket && isEarlierHalf) return value;
  }
  return columns.confirmed[at] ?? Number.NaN;
}
