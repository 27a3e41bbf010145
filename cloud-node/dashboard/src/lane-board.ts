import type { LaneUpdate } from "../../src/api/lane-feed.ts";
import type { BucketsAnswer } from "../../src/api/schemas/history-schema.ts";
import { BoardLane, type LaneElements, type LaneReading } from "./board-lane.ts";
import { BoardView } from "./board-view.ts";
import { type AskFailure, HistoryClient } from "./history-client.ts";
import { AXIS_PX, RIGHT_PX } from "./lane-plot.ts";
import type { LaneRun } from "./lane-run.ts";
import { plotTokens } from "./theme.ts";
import { lengthUs, type TimeSpan } from "./time-span.ts";
import { dateAndTime, durationText, type TimeZone, timeOfDay } from "./time-text.ts";
import type { ValueChannel } from "./value-text.ts";

/** What the page says around the lanes. */
export interface BoardState {
  /** The newest is at the right edge, and moves. */
  readonly isLive: boolean;
  readonly view: TimeSpan;
  /** How much newer the device is than what is shown, µs. */
  readonly newerUs: number;
  /** Resolution in words; "" while nothing is known. */
  readonly resolution: string;
  readonly isLoading: boolean;
  readonly failure: AskFailure | undefined;
  /** The range was asked for, and there is nothing in it. */
  readonly isEmpty: boolean;
  /** Device time of the last confirmed sample where the picture stands still because nothing came since, µs. */
  readonly heldUs: number | undefined;
  readonly selection: TimeSpan | undefined;
}

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
/** While a finger or a wheel moves, only every so often is asked. */
const ASK_AFTER_MS = 80;
/** What is asked for again may have come. */
const PENDING_MS = 5000;
/** How far, as a part of the window, the newest sample may move away from the right edge. */
const HELD_SHARE = 0.8;

/**
 * The lanes of one device: takes samples in, asks for the past, draws. No sample passes through the page's state; what
 * people read around the lanes does, at most once a second.
 */
export class LaneBoard {
  readonly view: BoardView;
  readonly #options: BoardOptions;
  readonly #client: HistoryClient;
  readonly #lanes = new Map<string, BoardLane>();
  readonly #timers: number[] = [];
  #width = 0;
  #update: LaneUpdate | undefined;
  #isNew = false;
  #answer: BucketsAnswer | undefined;
  #isLoading = false;
  #failure: AskFailure | undefined;
  #askTimer = 0;
  #drawnToUs = 0;
  #saidMs = Number.NEGATIVE_INFINITY;
  #marks: (() => void) | undefined;
  #isPaused = false;
  #frozenUs = 0;

  constructor(options: BoardOptions) {
    this.#options = options;
    this.#client = new HistoryClient(options.device);
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
    window.clearTimeout(this.#askTimer);
    this.#client.cancel();
  }

  /** Show a lane of this channel here. @returns ends it */
  mount(channel: ValueChannel, elements: LaneElements): () => void {
    const lane = this.#lane(channel);
    const unmount = lane.mount(elements, this.#options.zone);
    this.setWidth(elements.plot.clientWidth);
    if (this.#answer === undefined) this.#isNew = true;
    if (!this.view.isLive) this.#ask();
    this.#tick();
    return unmount;
  }

  /** CSS pixels that a lane has, its axis included. */
  setWidth(width: number): void {
    if (width === this.#width || width === 0) return;
    this.#width = width;
    for (const lane of this.#lanes.values()) lane.resize();
    this.#isNew = true;
    this.#onView(false);
  }

  /** Width of the plots alone, CSS pixels. */
  get plotPx(): number {
    return Math.max(1, this.#width - AXIS_PX - RIGHT_PX);
  }

  /** Nothing moves until this is taken back. */
  set isPaused(isPaused: boolean) {
    if (isPaused && !this.#isPaused) this.#frozenUs = this.#liveSpan().toUs;
    this.#isPaused = isPaused;
    this.#isNew = true;
    this.#onView(false);
  }

  /** Take what the stream says. */
  apply(update: LaneUpdate): void {
    this.#update = update;
    this.#isNew = true;
    this.view.newestUs = update.confirmedUs;
    for (const [c, channel] of update.channels.entries()) this.#lane(channel).ring.apply(update, c);
  }

  /** Colours, contrast, or the zone changed. */
  restyle(): void {
    const tokens = plotTokens();
    for (const lane of this.#lanes.values()) lane.setTokens(tokens);
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

  /** Device time of the nearest sample that the device is known to have in a direction; undefined: not known. */
  sampledNear(direction: -1 | 1): number | undefined {
    const { span, all } = this.view;
    if (all === undefined) return undefined;
    // A range without samples is a gap, or lies beside all that there is.
    if (span.toUs <= all.fromUs) return all.fromUs;
    if (span.fromUs >= all.toUs) return all.toUs;
    const runs = this.#answer?.runs.filter(({ kind }) => kind !== "saturated") ?? [];
    const edges = runs.map(({ fromUs, toUs }) => (direction === -1 ? fromUs : toUs));
    if (edges.length === 0) return undefined;
    return direction === -1 ? Math.min(...edges) : Math.max(...edges);
  }

  /** Ask again for what failed. */
  retry(): void {
    this.#ask();
  }

  /** Width of what one point stands for, µs. */
  get bucketUs(): number {
    return this.#answer?.widthUs ?? this.#update?.widthUs ?? this.#options.periodUs;
  }

  /** What the cursor says: "10:24:19.4, x 0.42 g ± 0.05, confirmed". */
  cursorText(): string {
    const { cursorUs } = this.view;
    const at = cursorUs ?? this.#update?.confirmedUs;
    if (at === undefined) return "no samples yet";
    const zone = this.#options.zone();
    const said = this.#mounted().map(({ name, reading }) => `${name} ${reading.value}, ${reading.state}`);
    return `${timeOfDay(at, zone, this.bucketUs < 1_000_000 ? 1 : 0)}, ${said.join("; ")}`;
  }

  /** The buckets on show, for a table of them; of what is live, those that were drawn last. */
  table(): { readonly lanes: readonly BoardLane[]; readonly view: TimeSpan } {
    return { lanes: [...this.#lanes.values()].filter(({ isMounted }) => isMounted), view: this.view.span };
  }

  #mounted(): { readonly name: string; readonly reading: LaneReading }[] {
    const lanes = [...this.#lanes.values()].filter(({ isMounted }) => isMounted);
    return lanes.map((lane) => ({ name: lane.channel.name, reading: lane.reading(this.view.cursorUs) }));
  }

  #lane(channel: ValueChannel): BoardLane {
    const known = this.#lanes.get(channel.name);
    if (known !== undefined) return known;
    const lane = new BoardLane(channel);
    this.#lanes.set(channel.name, lane);
    return lane;
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
    if (isOther && this.view.isLive) this.#backToLive();
    else if (isOther) {
      for (const lane of this.#lanes.values()) lane.stretch(this.view.span);
      window.clearTimeout(this.#askTimer);
      this.#client.cancel();
      this.#askTimer = window.setTimeout(() => this.#ask(), ASK_AFTER_MS);
      this.#isLoading = true;
    }
    this.#showReadings();
    this.#saidMs = Number.NEGATIVE_INFINITY;
    this.#tick();
    this.#marks?.();
  }

  #backToLive(): void {
    window.clearTimeout(this.#askTimer);
    this.#client.cancel();
    this.#answer = undefined;
    this.#failure = undefined;
    this.#isLoading = false;
    this.#isNew = true;
    for (const lane of this.#lanes.values()) lane.resetY();
  }

  async #ask(): Promise<void> {
    const channels = [...this.#lanes.values()].filter(({ isMounted }) => isMounted).map(({ channel }) => channel.name);
    if (channels.length === 0 || this.view.isLive) return;
    this.#isLoading = true;
    const asked = await this.#client.load(this.view.span, this.plotPx, channels);
    if (asked === undefined || this.view.isLive) return;
    this.#isLoading = false;
    this.#failure = "failure" in asked ? asked.failure : undefined;
    if ("answer" in asked) this.#show(asked.answer);
    this.#saidMs = Number.NEGATIVE_INFINITY;
    this.#tick();
  }

  #show(answer: BucketsAnswer): void {
    this.#answer = answer;
    for (const { name, first, second } of answer.channels) {
      const lane = this.#lanes.get(name);
      if (lane === undefined) continue;
      lane.columns.clear();
      if (answer.widthUs !== null) {
        lane.columns.fillBuckets({ t0Us: answer.t0Us, widthUs: answer.widthUs, first, second });
      }
      lane.runs = runsOf(answer, name);
      lane.resetY();
      lane.draw(this.view.span, this.#update?.confirmedUs ?? answer.span?.toUs ?? 0);
    }
    this.#showReadings();
    this.#describe();
  }

  /** A gap that is asked for again may be there now. */
  #askAgain(): void {
    if (this.view.isLive || this.#isPaused || document.hidden || this.#isLoading) return;
    if (this.#answer?.runs.some(({ kind }) => kind === "gap-pending") === true) void this.#ask();
  }

  #tick(): void {
    if (document.hidden) return;
    if (this.view.isLive) this.#drawLive();
    const nowMs = performance.now();
    if (nowMs - this.#saidMs < NUMBERS_MS) return;
    this.#saidMs = nowMs;
    if (this.view.isLive) this.#showReadings();
    this.#marks?.();
    this.#options.onState(this.#state());
  }

  #drawLive(): void {
    const update = this.#update;
    const view = this.#liveSpan();
    if (update === undefined || (view.toUs === this.#drawnToUs && !this.#isNew)) return;
    this.#drawnToUs = view.toUs;
    this.#isNew = false;
    const { times, values } = update.extrapolated;
    const pending = pendingRun(update, view.toUs);
    for (const [c, { name }] of update.channels.entries()) {
      const lane = this.#lanes.get(name);
      if (lane === undefined || !lane.isMounted) continue;
      const guess = pending === undefined ? { times, values: values[c] ?? [] } : { times: [], values: [] };
      if (!this.#isPaused) lane.columns.fillLive(lane.ring, guess);
      lane.runs = pending === undefined ? lane.ring.runs : [...lane.ring.runs, pending];
      lane.draw(view, update.confirmedUs);
    }
  }

  #showReadings(): void {
    for (const lane of this.#lanes.values()) lane.showReading(this.view.cursorUs);
  }

  #describe(): void {
    const { span } = this.view;
    for (const lane of this.#lanes.values()) if (lane.isMounted) lane.describe(span, this.#options.zone());
  }

  #state(): BoardState {
    const { isLive, span } = this.view;
    const nowUs = this.#options.nowUs();
    const answer = isLive ? undefined : this.#answer;
    const confirmedUs = this.#update?.confirmedUs ?? 0;
    const isHeld = isLive && confirmedUs > 0 && nowUs - confirmedUs > lengthUs(span) * HELD_SHARE;
    const bucketUs = isLive ? this.#update?.widthUs : answer?.widthUs;
    return {
      isLive: isLive && !this.#isPaused,
      view: span,
      newerUs: Math.max(0, nowUs - span.toUs),
      resolution: bucketUs == null ? "" : resolutionText(bucketUs, this.#options.periodUs),
      isLoading: this.#isLoading,
      failure: this.#failure,
      isEmpty: answer?.channels.every(({ first }) => first.every((value) => value === null)) === true,
      heldUs: isHeld ? confirmedUs : undefined,
      selection: this.view.selection,
    };
  }
}

/** "bucket 640 ms = 64 samples" */
function resolutionText(bucketUs: number, periodUs: number): string {
  const samples = Math.max(1, Math.round(bucketUs / periodUs));
  if (samples === 1) return `every sample, ${durationText(bucketUs)} apart`;
  return `bucket ${durationText(bucketUs)} = ${samples} samples`;
}

function runsOf(answer: BucketsAnswer, name: string): LaneRun[] {
  return answer.runs.filter(({ channel }) => channel === null || channel === name);
}

function pendingRun({ pendingUs }: LaneUpdate, toUs: number): LaneRun | undefined {
  return pendingUs === null || pendingUs >= toUs ? undefined : { kind: "gap-pending", fromUs: pendingUs, toUs };
}

/** "No samples from A to B." */
export function emptyText({ fromUs, toUs }: TimeSpan, zone: TimeZone): string {
  return `No samples from ${dateAndTime(fromUs, zone)} to ${dateAndTime(toUs, zone)}.`;
}
