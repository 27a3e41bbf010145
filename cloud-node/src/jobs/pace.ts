import type { Clock, Timer } from "../clock.ts";

/** Lets something be told as often as it likes, and says when it may be passed on: never sooner than a pause after the last. */
export class Pace {
  readonly #clock: Clock;
  readonly #pauseMs: number;
  readonly #tell: () => void;
  #lastMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;

  /** @param tell  passes on what there is by then */
  constructor(clock: Clock, pauseMs: number, tell: () => void) {
    this.#clock = clock;
    this.#pauseMs = pauseMs;
    this.#tell = tell;
  }

  /** There is something: it is told at once, or when the pause is over. */
  touch(): void {
    const leftMs = this.#lastMs + this.#pauseMs - this.#clock.nowMs();
    // Also where no timer could fire, as in a loop that never gives way.
    if (leftMs <= 0) this.#now();
    else this.#timer ??= this.#clock.setTimer(() => this.#now(), leftMs);
  }

  /** Tell what is waiting, whatever the pause; nothing when nothing is. */
  flush(): void {
    if (this.#timer !== undefined) this.#now();
  }

  #now(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#lastMs = this.#clock.nowMs();
    this.#tell();
  }
}
