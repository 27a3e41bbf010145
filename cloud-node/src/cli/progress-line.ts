import type { Clock } from "@lockstep/edge-sdk";
import { formatQuantity } from "../api/number-text.ts";
import type { OutputStream } from "./surroundings.ts";

/** Work shorter than this shows nothing. */
const QUIET_MS = 1000;
/** At most five times a second. */
const INTERVAL_MS = 200;
const BAR_CELLS = 20;
/** The rate forgets with this half-life. */
const RATE_HALF_LIFE_MS = 30_000;
/** A time left is guessed only after this long, and this far. */
const GUESS_AFTER_MS = 5000;
const GUESS_FROM = 0.02;
/** A new guess is shown only when it is this far off the one shown. */
const GUESS_CHANGE = 0.1;
const ERASE_LINE = "\r\u001b[K";

/**
 * Progress of long work on one line of a terminal; nothing at all where standard error is no terminal.
 *
 *     encode  2/2 code and check  [##########..........]  52 %  41.0 MB/s  about 30 s
 */
export class ProgressLine {
  readonly #stream: OutputStream;
  readonly #clock: Clock;
  readonly #title: string;
  readonly #rateUnit: string;
  readonly #startedMs: number;
  #stage = "";
  #stageStartedMs: number;
  #lastDrawMs = Number.NEGATIVE_INFINITY;
  #lastDone = 0;
  #lastDoneMs: number;
  /** Of work, per millisecond. */
  #rate = 0;
  #shownLeftMs: number | undefined;
  #isDrawn = false;
  #share = 0;

  /** @param rateUnit  what its speed is told in */
  constructor(stream: OutputStream, clock: Clock, title: string, rateUnit = "B/s") {
    this.#rateUnit = rateUnit;
    this.#stream = stream;
    this.#clock = clock;
    this.#title = title;
    this.#startedMs = clock.nowMs();
    this.#stageStartedMs = this.#startedMs;
    this.#lastDoneMs = this.#startedMs;
  }

  /** How far the work is: "52 % of 2/2 code and check". */
  get place(): string {
    return this.#stage === "" ? this.#percent : `${this.#percent} of ${this.#stage}`;
  }

  get #percent(): string {
    return `${Math.floor(this.#share * 100)} %`;
  }

  /** Say what is done now, while the work as a whole goes on. */
  name(stage: string): void {
    this.#stage = stage;
  }

  /** Begin the next part of the work, such as "1/2 survey". */
  stage(name: string): void {
    this.#stage = name;
    this.#share = 0;
    this.#stageStartedMs = this.#clock.nowMs();
    this.#lastDoneMs = this.#stageStartedMs;
    this.#lastDone = 0;
    this.#rate = 0;
    this.#shownLeftMs = undefined;
  }

  /**
   * @param done  of the input, done and kept, in whatever `total` is in
   * @param total  the input in all; 0 where nobody knows
   * @param work  what the speed is told of, where that is not `done`
   */
  update(done: number, total: number, work = done): void {
    this.#share = total > 0 ? Math.min(done / total, 1) : 0;
    const nowMs = this.#clock.nowMs();
    if (this.#stream.isTTY !== true || nowMs - this.#startedMs < QUIET_MS) return;
    if (nowMs - this.#lastDrawMs < INTERVAL_MS) return;
    this.#learnRate(work, nowMs);
    this.#lastDrawMs = nowMs;
    const share = this.#share;
    const cells = Math.floor(share * BAR_CELLS);
    const bar = `[${"#".repeat(cells)}${".".repeat(BAR_CELLS - cells)}]`;
    const rate = formatQuantity(this.#rate * 1000, this.#rateUnit);
    const left = this.#timeLeft(share, share > 0 ? (work * (1 - share)) / share : 0, nowMs);
    const far = total > 0 ? [bar, this.#percent] : [];
    this.#draw([this.#title, this.#stage, ...far, rate, left]);
  }

  /** All input is in; the result is being made durable. */
  finishing(): void {
    if (this.#isDrawn) this.#draw([this.#title, this.#stage, "finishing"]);
  }

  /** Take the line away. */
  clear(): void {
    if (this.#isDrawn) this.#stream.write(ERASE_LINE);
    this.#isDrawn = false;
  }

  #learnRate(done: number, nowMs: number): void {
    const elapsedMs = nowMs - this.#lastDoneMs;
    if (elapsedMs <= 0) return;
    const rate = (done - this.#lastDone) / elapsedMs;
    const keep = this.#rate === 0 ? 0 : 0.5 ** (elapsedMs / RATE_HALF_LIFE_MS);
    this.#rate = keep * this.#rate + (1 - keep) * rate;
    this.#lastDone = done;
    this.#lastDoneMs = nowMs;
  }

  #timeLeft(share: number, workLeft: number, nowMs: number): string {
    if (nowMs - this.#stageStartedMs < GUESS_AFTER_MS || share < GUESS_FROM || this.#rate <= 0) return "";
    const leftMs = workLeft / this.#rate;
    const shown = this.#shownLeftMs;
    if (shown === undefined || Math.abs(leftMs - shown) > GUESS_CHANGE * shown) this.#shownLeftMs = leftMs;
    return `about ${roundedTime(this.#shownLeftMs ?? leftMs)}`;
  }

  #draw(parts: readonly string[]): void {
    const line = parts.filter((part) => part !== "").join("  ");
    this.#stream.write(`${ERASE_LINE}${line.slice(0, (this.#stream.columns ?? 80) - 1)}`);
    this.#isDrawn = true;
  }
}

/** Rounded up to what a guess is worth: 10 s below a minute, 1 min below ten, then 10 min. */
function roundedTime(ms: number): string {
  const seconds = ms / 1000;
  if (seconds <= 50) return `${Math.max(10, Math.ceil(seconds / 10) * 10)} s`;
  if (seconds <= 540) return `${Math.ceil(seconds / 60)} min`;
  return `${Math.ceil(seconds / 600) * 10} min`;
}
