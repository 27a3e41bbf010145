import type { Clock, Timer } from "../clock.ts";
import type { AckTimes } from "./ack-policy.ts";
import { type ArrivalWindow, GRACE_MS, type MissingReport } from "./arrival-window.ts";

export interface AcknowledgerOptions {
  readonly clock: Clock;
  readonly acks: AckTimes;
  readonly window: ArrivalWindow;
  /** Send an ack of what is confirmed by now, asking for these ranges. */
  send(missing: MissingReport["ranges"]): void;
}

/** One timer that is only ever moved forward. */
class Alarm {
  readonly #clock: Clock;
  #timer: Timer | undefined;
  #dueMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isSet(): boolean {
    return this.#timer !== undefined;
  }

  within(delayMs: number, ring: () => void): void {
    const dueMs = this.#clock.nowMs() + delayMs;
    if (this.#timer !== undefined && this.#dueMs <= dueMs) return;
    this.cancel();
    this.#dueMs = dueMs;
    this.#timer = this.#clock.setTimer(() => {
      this.#timer = undefined;
      ring();
    }, delayMs);
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}

/** Decides when an epoch's frames are acknowledged, and when its holes are asked for. */
export class Acknowledger {
  readonly #options: AcknowledgerOptions;
  readonly #ackAlarm: Alarm;
  readonly #holeAlarm: Alarm;
  #frames = 0;
  #isDue = false;

  constructor(options: AcknowledgerOptions) {
    this.#options = options;
    this.#ackAlarm = new Alarm(options.clock);
    this.#holeAlarm = new Alarm(options.clock);
  }

  get isIdle(): boolean {
    return !this.#ackAlarm.isSet && !this.#holeAlarm.isSet;
  }

  /** So many more frames are confirmed. */
  confirmed(frames: number): void {
    const { everyFrames, ageMs } = this.#options.acks;
    this.#frames += frames;
    if (this.#isDue || this.#frames >= everyFrames) this.now();
    else this.#ackAlarm.within(ageMs, () => this.now());
  }

  /** Acknowledge as soon as something more is confirmed. */
  withNext(): void {
    this.#isDue = true;
  }

  /** Whoever sends what is confirmed has not heard so: tell it again, once for all that come together. */
  soon(): void {
    this.#ackAlarm.within(GRACE_MS, () => this.now());
  }

  now(): void {
    this.#send(this.#missing());
  }

  /** The window may have new holes: look again within this time. */
  watchHoles(delayMs: number): void {
    if (!this.#options.window.hasHoles) return;
    this.#holeAlarm.within(delayMs, () => {
      const report = this.#missing();
      if (report.ranges.length > 0) this.#send(report);
      else if (report.againMs !== undefined) this.watchHoles(report.againMs);
    });
  }

  close(): void {
    this.#ackAlarm.cancel();
    this.#holeAlarm.cancel();
  }

  #missing(): MissingReport {
    return this.#options.window.missing(this.#options.clock.nowMs());
  }

  #send({ ranges, againMs }: MissingReport): void {
    this.#ackAlarm.cancel();
    this.#isDue = false;
    this.#frames = 0;
    this.#options.send(ranges);
    if (againMs !== undefined) this.watchHoles(againMs);
  }
}
