import type { Clock, Timer } from "../clock.ts";

/** A way in that can be held: what devices send waits with them. */
export interface Holdable {
  /** It cannot be held for longer, ms, since whoever is behind it would take the node for dead: it is let go before. */
  readonly longestHoldMs?: number;
  pause(): void;
  resume(): void;
}

/**
 * Why nothing is taken in: more waits for the disk than should, or for the threads that decode, or the node's own thread is
 * late with everything, because more comes than it takes.
 */
export type PressureCause = "store" | "decoding" | "busy";

/** How much the node held its devices back. */
export interface Pressure {
  /** Why it does so now; none: it does not. */
  readonly causes: readonly PressureCause[];
  /** Since the start, ms; the running one included. */
  readonly heldMs: number;
  readonly times: number;
}

/** How often the node's own thread is looked at: it is let go so soon after it has caught up. */
const LOOK_MS = 20;
/** Later than this it serves acknowledgements and commits too late as well, and what it has read comes first. */
const LATE_MS = 250;

/** Holds all ways in while any part of the node has more work than it should. */
export class BackPressure {
  readonly #clock: Clock;
  readonly #doors: () => Iterable<Holdable | undefined>;
  readonly #causes = new Set<PressureCause>();
  readonly #limits = new Set<Timer>();
  #look: Timer | undefined;
  #sinceMs = 0;
  #heldMs = 0;
  #times = 0;

  /** @param doors  those open now; one that opens later is not held before the next time */
  constructor(clock: Clock, doors: () => Iterable<Holdable | undefined>) {
    this.#clock = clock;
    this.#doors = doors;
  }

  get isOn(): boolean {
    return this.#causes.size > 0;
  }

  reading(): Pressure {
    const running = this.isOn ? this.#clock.nowMs() - this.#sinceMs : 0;
    return { causes: [...this.#causes], heldMs: this.#heldMs + running, times: this.#times };
  }

  hold(cause: PressureCause): void {
    const wasOn = this.isOn;
    this.#causes.add(cause);
    if (wasOn) return;
    this.#sinceMs = this.#clock.nowMs();
    this.#times += 1;
    for (const door of this.#doors()) {
      door?.pause();
      if (door?.longestHoldMs !== undefined) {
        this.#limits.add(this.#clock.setTimer(() => door.resume(), door.longestHoldMs));
      }
    }
  }

  release(cause: PressureCause): void {
    if (!this.#causes.delete(cause) || this.isOn) return;
    this.#heldMs += this.#clock.nowMs() - this.#sinceMs;
    this.#forgetLimits();
    for (const door of this.#doors()) {
      // What one door had kept may have been too much again: it holds them all, those before this one as well.
      if (this.isOn) return;
      door?.resume();
    }
  }

  /** Hold them from now on also while the node's own thread is late. */
  watch(): void {
    const dueMs = this.#clock.nowMs() + LOOK_MS;
    this.#look = this.#clock.setTimer(() => {
      if (this.#clock.nowMs() - dueMs > LATE_MS) this.hold("busy");
      else this.release("busy");
      this.watch();
    }, LOOK_MS);
  }

  /** Let go of all timers. */
  close(): void {
    this.#look?.cancel();
    this.#forgetLimits();
  }

  #forgetLimits(): void {
    for (const limit of this.#limits) limit.cancel();
    this.#limits.clear();
  }
}
