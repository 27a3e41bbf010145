import type { LaneUpdate } from "../../src/api/lane-feed.ts";
import type { BucketsAnswer } from "../../src/api/schemas/history-schema.ts";
import { BoardPast } from "./board-past.ts";
import { type BoardState, resolutionText } from "./board-state.ts";
import { BoardView } from "./board-view.ts";
import { ERROR_EDGES, errorBuckets, errorLane, errorSource, truthBuckets, truthLane } from "./error-lane.ts";
import { FrameQueue } from "./frame-queue.ts";
import { type LaneElements, LaneFace } from "./lane-face.ts";
import { AXIS_PX, RIGHT_PX } from "./lane-plot.ts";
import type { LaneRun } from "./lane-run.ts";
import { LaneSource } from "./lane-source.ts";
import { type PlotTokens, plotTokens } from "./theme.ts";
import { lengthUs, type TimeSpan } from "./time-span.ts";
import { type TimeZone, timeOfDay } from "./time-text.ts";
import type { ValueChannel } from "./value-text.ts";

/** What a board needs of the page. */
export interface BoardOptions {
  readonly device: string;
  /** Time between two samples, µs. */
  readonly periodUs: number;
  readonly zone: () => TimeZone;
  /** Device time now, µs. */
  readonly nowUs: () => number;
  readonly onState: (state: BoardState) => void;
}

/** Plots move at most ten times a second; once for a person who asked for less motion. */
const REDRAW_MS = 100;
const REDUCED_REDRAW_MS = 1000;
const NUMBERS_MS = 1000;
const DESCRIBE_MS = 5000;
/** What is asked for again may have come. */
const PENDING_MS = 5000;
/** How far, as a part of the window, the newest sample may move away from the right edge. */
const HELD_SHARE = 0.8;

/**
 * The lanes of one device: takes samples in, asks for the past, draws, a few lanes a frame. No sample passes through the
 * page's state; what people read around the lanes does, at most once a second.
 */
export class LaneBoard {
  readonly view: BoardView;
  readonly past: BoardPast;
  readonly #options: BoardOptions;
  readonly #queue = new FrameQueue();
  readonly #sources = new Map<string, LaneSource>();
  readonly #errors = errorSource();
  readonly #faces = new Set<LaneFace>();
  readonly #timers: number[] = [];
  #tokens: PlotTokens;
  #width = 0;
  #update: LaneUpdate | undefined;
  #isNew = false;
  #drawnToUs = 0;
  #saidMs = Number.NEGATIVE_INFINITY;
  #marks: (() => void) | undefined;
  #isPaused = false;
  #hasTruth = false;
  #frozenUs = 0;

  constructor(options: BoardOptions) {
    this.#options = options;
    this.#tokens = plotTokens();
    this.past = new BoardPast(
      options.device,
      () => (this.view.isLive ? undefined : this.#question()),
      (isAnswer) => this.#onPast(isAnswer),
    );
    this.view = new BoardView(
      (isOther) => this.#onView(isOther),
      () => this.#liveSpan(),
    );
    const isReduced = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#timers.push(window.setInterval(() => this.#tick(), isReduced ? REDUCED_REDRAW_MS : REDRAW_MS));
    this.#timers.push(window.setInterval(() => this.#describe(), DESCRIBE_MS));
    this.#timers.push(window.setInterval(() => this.#askAgain(), PENDING_MS));
  }

  close(): void {
    for (const timer of this.#timers) window.clearInterval(timer);
    this.past.clear();
    this.#queue.close();
  }

  /** Show a lane of these channels here, over each other where there are more. @returns ends it */
  mount(channels: readonly ValueChannel[], elements: LaneElements): () => void {
    const sources = channels.map((channel) => this.#source(channel));
    return this.#mount(new LaneFace(sources, elements, this.#tokens, this.#options.zone), elements);
  }

  /** Show the error of all channels here, as a part of their bounds. @returns ends it */
  mountError(elements: LaneElements): () => void {
    const { zone } = this.#options;
    return this.#mount(new LaneFace([this.#errors], elements, this.#tokens, zone, ERROR_EDGES), elements);
  }

  #mount(face: LaneFace, elements: LaneElements): () => void {
    this.#faces.add(face);
    this.setWidth(elements.plot.clientWidth);
    this.#isNew = true;
    if (!this.view.isLive) void this.past.ask();
    this.#tick();
    return () => {
      this.#faces.delete(face);
      this.#queue.drop(face);
      face.close();
    };
  }

  /** CSS pixels that a lane has, its axis included. */
  setWidth(width: number): void {
    if (width === this.#width || width === 0) return;
    this.#width = width;
    for (const face of this.#faces) face.resize();
    this.#isNew = true;
    this.#onView(false);
  }

  /** Width of the plots alone, CSS pixels. */
  get plotPx(): number {
    return Math.max(1, this.#width - AXIS_PX - RIGHT_PX);
  }

  /** Nothing moves until this is taken back. */
  set isPaused(isPaused: boolean) {
    if (isPaused === this.#isPaused) return;
    if (isPaused) this.#frozenUs = this.#liveSpan().toUs;
    this.#isPaused = isPaused;
    this.#isNew = true;
    this.#onView(false);
  }

  /** Whether what was really measured is drawn over what was reconstructed. */
  set hasTruth(hasTruth: boolean) {
    if (hasTruth === this.#hasTruth) return;
    this.#hasTruth = hasTruth;
    this.#isNew = true;
    if (!this.view.isLive) void this.past.ask();
  }

  /** Take what the stream says. */
  apply(update: LaneUpdate): void {
    this.#update = update;
    this.#isNew = true;
    this.view.newestUs = update.confirmedUs;
    for (const [c, channel] of update.channels.entries()) {
      const { ring, truthRing } = this.#source(channel);
      const truth = truthLane(update, c);
      ring.apply(update, c);
      if (truth !== undefined) truthRing.take(update, truth);
    }
    const error = errorLane(update);
    if (error !== undefined) this.#errors.ring.take(update, error);
    if (!update.isWhole) return;
    this.#tick();
    this.#sayNow();
    this.#queue.add("describe", () => this.#describe());
  }

  /** Colours, contrast, or the zone changed. */
  restyle(): void {
    this.#tokens = plotTokens();
    for (const face of this.#faces) face.setTokens(this.#tokens);
    this.#describe();
  }

  /** Be told when cursor, selection or what they stand on may have moved. @returns ends it */
  onMarks(listener: () => void): () => void {
    this.#marks = listener;
    listener();
    return () => {
      this.#marks = undefined;
    };
  }

  /** Width of what one point stands for, µs. */
  get bucketUs(): number {
    return this.past.answer?.widthUs ?? this.#update?.widthUs ?? this.#options.periodUs;
  }

  /** What the cursor says: "10:24:19.4, x 0.42 g ± 0.05, confirmed". */
  cursorText(): string {
    const { cursorUs } = this.view;
    const at = cursorUs ?? this.#update?.confirmedUs;
    if (at === undefined) return "no samples yet";
    const zone = this.#options.zone();
    const said = this.shown().map((source) => {
      const { value, state } = source.reading(cursorUs);
      return `${source.channel.name} ${value}, ${state}`;
    });
    return `${timeOfDay(at, zone, this.bucketUs < 1_000_000 ? 1 : 0)}, ${said.join("; ")}`;
  }

  /** Channels on show, each once, from top to bottom. */
  shown(): LaneSource[] {
    return this.#sourcesOnShow().filter((source) => source !== this.#errors);
  }

  #sourcesOnShow(): LaneSource[] {
    return [...new Set([...this.#faces].flatMap(({ sources }) => sources))];
  }

  #source(channel: ValueChannel): LaneSource {
    const known = this.#sources.get(channel.name);
    if (known !== undefined) return known;
    const source = new LaneSource(channel);
    this.#sources.set(channel.name, source);
    return source;
  }

  #question() {
    return {
      span: this.view.span,
      widthPx: this.plotPx,
      channels: this.shown().map(({ channel }) => channel.name),
      hasTruth: this.#hasTruth || this.#sourcesOnShow().includes(this.#errors),
    };
  }

  /** The window that ends now, in whole pixels; time stands still before the newest sample leaves on the left. */
  #liveSpan(): TimeSpan {
    const nowUs = this.#options.nowUs();
    const windowUs = this.#update?.windowUs ?? 10_000_000;
    const confirmedUs = this.#update?.confirmedUs ?? 0;
    const latestUs = confirmedUs === 0 ? nowUs : confirmedUs + HELD_SHARE * windowUs;
    const pixelUs = Math.max(1, Math.round(windowUs / this.plotPx));
    const rightUs = this.#isPaused ? this.#frozenUs : Math.min(Math.max(nowUs, confirmedUs), latestUs);
    const toUs = Math.ceil(rightUs / pixelUs) * pixelUs;
    return { fromUs: toUs - windowUs, toUs };
  }

  /** The view changed. @param isOther  what was asked for is not what is shown any more */
  #onView(isOther: boolean): void {
    if (isOther && this.view.isLive) {
      this.past.clear();
      this.#isNew = true;
      for (const face of this.#faces) face.resetY();
    } else if (isOther) {
      const { span } = this.view;
      for (const face of this.#faces) this.#queue.add(face, () => face.stretch(span));
      this.past.askSoon();
    }
    if (this.view.isLive) this.#tick();
    this.#sayNow();
  }

  /** Say what the page says around the lanes once they are drawn, however lately it was said before. */
  #sayNow(): void {
    this.#queue.drop("say");
    this.#queue.add("say", () => {
      this.#saidMs = performance.now();
      this.#showReadings();
      this.#marks?.();
      this.#options.onState(this.#state());
    });
  }

  #onPast(isAnswer: boolean): void {
    const { answer } = this.past;
    if (isAnswer && answer !== undefined) {
      const { span } = this.view;
      const confirmedUs = this.#update?.confirmedUs ?? answer.span?.toUs ?? 0;
      for (const face of this.#faces) {
        this.#queue.add(face, () => {
          for (const source of face.sources) this.#fillPast(source, answer);
          face.resetY();
          face.draw(span, confirmedUs);
        });
      }
      this.#queue.add("describe", () => this.#describe());
    }
    this.#sayNow();
  }

  #fillPast(source: LaneSource, { t0Us, widthUs, channels }: BucketsAnswer): void {
    const { name } = source.channel;
    const { truth } = this.past;
    const own = channels.find((channel) => channel.name === name);
    if (source === this.#errors) source.fillPast(truth && errorBuckets(truth), this.past.runsOf(name));
    else source.fillPast(own && widthUs !== null ? { t0Us, widthUs, ...own } : undefined, this.past.runsOf(name));
    source.fillTruth(truth && this.#hasTruth ? truthBuckets(truth, name) : undefined);
  }

  /** A gap that is asked for again may be there now. */
  #askAgain(): void {
    if (this.view.isLive || this.#isPaused || document.hidden) return;
    if (this.past.isPending) void this.past.ask();
  }

  #tick(): void {
    if (document.hidden) return;
    if (this.view.isLive) this.#drawLive();
    if (performance.now() - this.#saidMs >= NUMBERS_MS) this.#sayNow();
  }

  #drawLive(): void {
    const update = this.#update;
    const view = this.#liveSpan();
    if (update === undefined || (view.toUs === this.#drawnToUs && !this.#isNew)) return;
    this.#drawnToUs = view.toUs;
    this.#isNew = false;
    const pending = pendingRun(update, view.toUs);
    const places = new Map(update.channels.map(({ name }, c) => [name, c]));
    const { times, values } = update.extrapolated;
    for (const face of this.#faces) {
      this.#queue.add(face, () => {
        if (!this.view.isLive) return;
        for (const source of face.sources) {
          const c = places.get(source.channel.name);
          const isGuessed = pending === undefined && c !== undefined;
          const guess = isGuessed ? { times, values: values[c] ?? [] } : { times: [], values: [] };
          const { runs } = source.ring;
          if (!this.#isPaused)
            source.fillLive(guess, pending === undefined ? runs : [...runs, pending], this.#hasTruth);
        }
        face.draw(view, update.confirmedUs);
      });
    }
  }

  #showReadings(): void {
    for (const face of this.#faces) face.showReading(this.view.cursorUs);
  }

  #describe(): void {
    const { span } = this.view;
    for (const face of this.#faces) face.describe(span);
  }

  #state(): BoardState {
    const { isLive, span } = this.view;
    const nowUs = this.#options.nowUs();
    const answer = isLive ? undefined : this.past.answer;
    const confirmedUs = this.#update?.confirmedUs ?? 0;
    const isHeld = isLive && confirmedUs > 0 && nowUs - confirmedUs > lengthUs(span) * HELD_SHARE;
    const bucketUs = isLive ? this.#update?.widthUs : answer?.widthUs;
    return {
      isLive: isLive && !this.#isPaused,
      view: span,
      newerUs: Math.max(0, nowUs - span.toUs),
      resolution: bucketUs == null ? "" : resolutionText(bucketUs, this.#options.periodUs),
      isLoading: this.past.isLoading,
      failure: this.past.failure,
      emptied: answer !== undefined && isEmpty(answer) ? { ...answer.kept, nearest: answer.nearest } : undefined,
      heldUs: isHeld ? confirmedUs : undefined,
      selection: this.view.selection,
    };
  }
}

function isEmpty({ channels }: BucketsAnswer): boolean {
  return channels.every(({ first }) => first.every((value) => value === null));
}

function pendingRun({ pendingUs }: LaneUpdate, toUs: number): LaneRun | undefined {
  return pendingUs === null || pendingUs >= toUs ? undefined : { kind: "gap-pending", fromUs: pendingUs, toUs };
}
