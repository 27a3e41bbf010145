import { WINDOW_FRAMES } from "@lockstep/protocol";
import type { Counters } from "../counters.ts";

/** Who sums up what waits in all lanes. */
export interface TurnsAccount {
  /** So many frames and bytes more wait, or fewer. */
  waits(frames: number, bytes: number): void;
}

interface Turn {
  readonly bytes: number;
  run(): void;
}

/** Of one lane: as much as its window holds. */
const MOST_BYTES = 1 << 20;

/** What comes for an epoch while a thread decodes one of its frames: it waits, in the order in which it came. */
export class WaitingTurns {
  readonly #counters: Counters;
  readonly #account: TurnsAccount | undefined;
  #isHeld = false;
  #isClosed = false;
  #waiting: Turn[] = [];
  #bytes = 0;

  constructor(counters: Counters, account: TurnsAccount | undefined) {
    this.#counters = counters;
    this.#account = account;
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
   * @param bytes  that it keeps until then
   * @returns false when nothing is ahead of it
   */
  wait(bytes: number, run: () => void): boolean {
    if (!this.#isHeld) return false;
    if (this.#waiting.length >= WINDOW_FRAMES || this.#bytes + bytes > MOST_BYTES) {
      this.#counters.add("frames.beyond-window");
      return true;
    }
    this.#waiting.push({ bytes, run });
    this.#count(1, bytes);
    return true;
  }

  /** The frame is back. @param goOn  what is done with it, before all that waited; nothing once it is closed */
  release(goOn: () => void): void {
    this.#isHeld = false;
    if (this.#isClosed) return;
    goOn();
    while (!this.#isHeld) {
      const turn = this.#waiting.shift();
      if (turn === undefined) return;
      this.#count(-1, -turn.bytes);
      turn.run();
    }
  }

  /** Forget what waits: it can come again. */
  clear(): void {
    const { length } = this.#waiting;
    this.#waiting = [];
    if (length > 0) this.#count(-length, -this.#bytes);
  }

  /** Forget what waits, and what becomes of the frame that is with a thread. */
  close(): void {
    this.#isClosed = true;
    this.clear();
  }

  #count(frames: number, bytes: number): void {
    this.#bytes += bytes;
    this.#account?.waits(frames, bytes);
  }
}
