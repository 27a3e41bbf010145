import type { LanePicture } from "./lane-picture.ts";
import { type BandLook, LanePlot } from "./lane-plot.ts";
import type { LaneRun } from "./lane-run.ts";
import type { LaneSource } from "./lane-source.ts";
import type { PlotTokens } from "./theme.ts";
import type { TimeSpan } from "./time-span.ts";
import type { TimeZone } from "./time-text.ts";

/** Where a lane shows itself. */
export interface LaneElements {
  readonly plot: HTMLElement;
  readonly value: HTMLElement;
  readonly note: HTMLElement;
}

/** One lane on the page: one channel, or a few of one unit over each other. */
export class LaneFace {
  /** What it shows; at most four. */
  readonly sources: readonly LaneSource[];
  readonly #elements: LaneElements;
  readonly #zone: () => TimeZone;
  readonly #fixed: LanePicture["fixed"];
  #tokens: PlotTokens;
  #plot: LanePlot | undefined;

  /** @param fixed  values at the edges, and lines across, where they are not those of the signal */
  constructor(
    sources: readonly LaneSource[],
    elements: LaneElements,
    tokens: PlotTokens,
    zone: () => TimeZone,
    fixed?: LanePicture["fixed"],
  ) {
    this.#fixed = fixed;
    this.sources = sources;
    this.#elements = elements;
    this.#tokens = tokens;
    this.#zone = zone;
  }

  /** Draw what its channels hold. */
  draw(view: TimeSpan, confirmedUs: number): void {
    // Made where it is first drawn: to make all at once would hold a frame up.
    this.#plot ??= new LanePlot(this.#elements.plot, this.#tokens, this.#zone);
    const look = this.#plot.show(this.#picture(confirmedUs), view.fromUs / 1e6, view.toUs / 1e6);
    this.#say("note", this.#noteOf(look));
  }

  /** Move over what is drawn already. */
  stretch(view: TimeSpan): void {
    this.#plot?.stretch(view.fromUs / 1e6, view.toUs / 1e6);
  }

  resetY(): void {
    this.#plot?.resetY();
  }

  setTokens(tokens: PlotTokens): void {
    this.#tokens = tokens;
    this.#plot?.setTokens(tokens);
  }

  resize(): void {
    const width = this.#elements.plot.clientWidth;
    if (width > 0) this.#plot?.resize(width);
  }

  /** Put the value at an instant beside the name. */
  showReading(atUs: number | undefined): void {
    const [only] = this.sources;
    const isAlone = this.sources.length === 1 && only !== undefined;
    const texts = this.sources.map((source) => `${source.channel.name} ${source.readingText(atUs)}`);
    this.#say("value", isAlone ? only.readingText(atUs) : texts.join(" · "));
  }

  /** Say in a sentence what the plot shows, for whoever cannot see it. */
  describe(view: TimeSpan): void {
    const zone = this.#zone();
    const text = this.sources.map((source) => source.sentence(view, zone)).join("; ");
    this.#elements.plot.setAttribute("aria-label", text);
  }

  close(): void {
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  #picture(confirmedUs: number): LanePicture {
    return {
      traces: this.sources.map(({ channel, columns, truth, runs }) => ({
        name: channel.name,
        columns,
        eps: channel.eps,
        truth,
        unbound: this.sources.length > 1 ? runs.filter(({ kind }) => kind === "saturated") : [],
        isRange: this.#fixed !== undefined,
      })),
      runs: this.#runs(),
      confirmedS: confirmedUs / 1e6,
      fixed: this.#fixed,
    };
  }

  /** Of channels over each other those of all: where one has nothing its line ends, and the others go on. */
  #runs(): readonly LaneRun[] {
    const [first, ...others] = this.sources;
    const has = (runs: readonly LaneRun[], { kind, fromUs, toUs }: LaneRun): boolean =>
      runs.some((run) => run.kind === kind && run.fromUs === fromUs && run.toUs === toUs);
    return first?.runs.filter((run) => others.every(({ runs }) => has(runs, run))) ?? [];
  }

  #noteOf(look: BandLook): string {
    return look === "thin" && this.sources.some(({ channel }) => channel.eps > 0)
      ? "± eps is thinner than the line"
      : "";
  }

  #say(where: "value" | "note", text: string): void {
    const element = this.#elements[where];
    // Writing what is there already would end a selection of text.
    if (element.textContent !== text) element.textContent = text;
  }
}
