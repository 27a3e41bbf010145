import { WINDOW_FRAMES } from "@lockstep/protocol";
import type { Counters } from "../counters.ts";

/** What comes for an epoch while a thread decodes one of its frames: it waits, in the order in which it came. */
export class WaitingTurns {
  readonly #counters: Counters;
  #isHeld = false;
  readonly #waiting: (() => void)[] = [];

  constructor(counters: Counters) {
    this.#counters = counters;
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** A frame is with a thread. */
  hold(): void {
    this.#isHeld = true;
  }

  /**
   * Run this once its turn comes, if it is not now. Beyond a window's worth it is left out: it can come again.
   *
   * @returns false when nothing is ahead of it
   */
  wait(turn: () => void): boolean {
    if (!this.#isHeld) return false;
    if (this.#waiting.length < WINDOW_FRAMES) this.#waiting.push(turn);
    else this.#counters.add("frames.beyond-window");
    return true;
  }

  /** The frame is back. @param goOn  what is done with it, before all that waited */
  release(goOn: () => void): void {
    this.#isHeld = false;
    goOn();
    while (!this.#isHeld) {
      const turn = this.#waiting.shift();
      if (turn === undefined) return;
      turn();
    }
  }
}
