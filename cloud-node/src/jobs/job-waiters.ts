import type { Clock, Timer } from "../clock.ts";
import type { JobRecord } from "./job-record.ts";

/** One who waits for work. */
interface JobWaiter {
  /** Settles when there may be something, when the time is up, or when nobody wants to wait any more. */
  readonly over: Promise<void>;
  /** There may be something from this time on. @param unixMs  Unix time, ms */
  readyAt(unixMs: number): void;
  end(): void;
}

interface Waiting {
  readonly workloads: ReadonlySet<string>;
  readyAt(unixMs: number): void;
  end(): void;
}

/** Workers that wait for something to claim, woken by what is heard of jobs and by the time. */
export class JobWaiters {
  readonly #clock: Clock;
  readonly #waiting = new Set<Waiting>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  /** @param ms  wait so long at most */
  add(workloads: readonly string[], ms: number, signal: AbortSignal): JobWaiter {
    let timer: Timer | undefined;
    let dueMs = Number.POSITIVE_INFINITY;
    let settle = () => {};
    const over = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const end = () => {
      timer?.cancel();
      signal.removeEventListener("abort", end);
      this.#waiting.delete(waiting);
      settle();
    };
    const readyAt = (unixMs: number) => {
      if (unixMs >= dueMs || !this.#waiting.has(waiting)) return;
      dueMs = unixMs;
      timer?.cancel();
      const pauseMs = unixMs - this.#nowMs();
      if (pauseMs <= 0) end();
      else timer = this.#clock.setTimer(end, pauseMs);
    };
    const waiting: Waiting = { workloads: new Set(workloads), readyAt, end };
    this.#waiting.add(waiting);
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end();
    else readyAt(this.#nowMs() + ms);
    return { over, readyAt, end };
  }

  /** Something became of a job. */
  notice({ workload, state, dueMs, leaseMs }: JobRecord): void {
    const readyMs = state === "queued" ? dueMs : leaseMs;
    if (readyMs === null) return;
    for (const waiting of this.#waiting) if (waiting.workloads.has(workload)) waiting.readyAt(readyMs);
  }

  endAll(): void {
    for (const { end } of this.#waiting) end();
  }

  #nowMs(): number {
    return Math.floor(this.#clock.unixUs() / 1_000);
  }
}
