import type { Clock, Timer } from "../clock.ts";
import type { Logger } from "../logger.ts";
import type { JobProgress } from "./job.ts";
import { JobError } from "./job-error.ts";
import type { JobLease } from "./job-queue.ts";

export interface LeaseKeeperOptions {
  readonly lease: Pick<JobLease, "extend">;
  /** How long the queue leaves a job to whoever has it, ms. */
  readonly leaseMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told once: somebody wants the job to end, or it is somebody else's. */
  readonly stop: (reason: "cancelled" | "lease-lost") => void;
}

/** Holds a job while it is worked on: three times in a lease time, and whenever there is progress to tell. */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  #progress: JobProgress | undefined;
  #isAsking = false;
  #asked: Promise<void> = Promise.resolve();
  #isClosed = false;
  #timer: Timer | undefined;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
    this.#setTimer();
  }

  /** Say how far it is; while the queue is asked already, the newest is told after that. */
  tell(progress: JobProgress): void {
    this.#progress = progress;
    if (!this.#isAsking) this.#asked = this.#extend();
  }

  /** Resolves once the queue has answered to all that was told, or could not; undefined: it has. */
  told(): Promise<void> | undefined {
    return this.#isAsking ? this.#asked : undefined;
  }

  /** Ask no more. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #setTimer(): void {
    if (!this.#isClosed) this.#timer = this.#options.clock.setTimer(() => void this.#due(), this.#options.leaseMs / 3);
  }

  async #due(): Promise<void> {
    if (!this.#isAsking) this.#asked = this.#extend();
    await this.#asked;
    this.#setTimer();
  }

  async #extend(): Promise<void> {
    const { lease, logger, stop } = this.#options;
    this.#isAsking = true;
    const progress = this.#progress;
    this.#progress = undefined;
    try {
      const answer = await lease.extend(progress);
      if (!this.#isClosed && answer !== "held") stop(answer === "cancelling" ? "cancelled" : "lease-lost");
    } catch (error) {
      // The work goes on: a queue that comes back says itself whether somebody else has the job by then.
      logger.warn({ error: String(error) }, "the queue does not answer");
      // What it refuses for good must not be what every later extension fails of.
      if (error instanceof JobError && error.isPassing) this.#progress ??= progress;
    } finally {
      this.#isAsking = false;
    }
    if (this.#progress !== undefined && this.#progress !== progress && !this.#isClosed) await this.#extend();
  }
}
