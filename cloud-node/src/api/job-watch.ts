import type { Clock, Timer } from "../clock.ts";
import type { JobEvent } from "../jobs/job-queue.ts";
import { isSeat } from "../jobs/seat.ts";
import type { ApiJobs } from "./api-node.ts";
import { jobRow } from "./job-answers.ts";
import type { JobRow } from "./schemas/job-schema.ts";

/** Jobs that a page is told of. */
const SHOWN_JOBS = 100;
/** All of them are read again so often: what was forgotten, or happened while the queue was away, is not told. */
const READ_AGAIN_MS = 10_000;

/** A job as a page follows it. */
export interface LiveJob extends JobRow {
  /** Lines of its log that were heard since the page's node began to listen: another number means that there are more. */
  readonly loggedLines: number;
}

/** The newest jobs as far as they are known. */
export interface KnownJobs {
  /** Newest first; a row that changed is another object. Undefined: not read yet. */
  readonly jobs: readonly LiveJob[] | undefined;
  /** Why the queue cannot be read now; null: it can. */
  readonly problem: string | null;
}

/** Knows the newest jobs of a queue for all streams that show them, and asks nothing while none does. */
export class JobWatch {
  readonly #queue: ApiJobs["queue"];
  readonly #clock: Clock;
  readonly #jobs = new Map<string, LiveJob>();
  /** Heard of while all jobs are being read: what was read of them may be older. */
  readonly #fresh = new Set<string>();
  #followers = 0;
  #sorted: readonly LiveJob[] | undefined;
  #isRead = false;
  #problem: string | null = null;
  #leave: (() => void) | undefined;
  #timer: Timer | undefined;

  constructor(queue: ApiJobs["queue"], clock: Clock) {
    this.#queue = queue;
    this.#clock = clock;
  }

  /** Follow the jobs. @returns ends it */
  follow(): () => void {
    this.#followers += 1;
    if (this.#followers === 1) this.#begin();
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#followers -= 1;
      if (this.#followers === 0) this.#end();
    };
  }

  get known(): KnownJobs {
    if (this.#isRead) this.#sorted ??= [...this.#jobs.values()].sort(newestFirst).slice(0, SHOWN_JOBS);
    return { jobs: this.#sorted, problem: this.#problem };
  }

  #begin(): void {
    this.#leave = this.#queue.watch((event) => this.#hear(event));
    void this.#read();
  }

  #end(): void {
    this.#leave?.();
    this.#timer?.cancel();
    this.#leave = undefined;
    this.#timer = undefined;
    this.#jobs.clear();
    this.#sorted = undefined;
    this.#isRead = false;
  }

  #hear(event: JobEvent): void {
    if (event.kind === "job" && isSeat(event.job)) return;
    const id = event.kind === "job" ? event.job.id : event.id;
    const before = this.#jobs.get(id);
    this.#fresh.add(id);
    if (event.kind === "job") {
      this.#jobs.set(id, { ...jobRow(event.job), loggedLines: before?.loggedLines ?? 0 });
    } else if (before !== undefined) {
      this.#jobs.set(id, { ...before, loggedLines: before.loggedLines + 1 });
    }
    this.#sorted = undefined;
  }

  async #read(): Promise<void> {
    const leave = this.#leave;
    this.#fresh.clear();
    try {
      const jobs = await this.#queue.list({ hidesSeats: true, limit: SHOWN_JOBS });
      if (this.#leave !== leave) return;
      const kept = new Map([...this.#jobs].filter(([id]) => this.#fresh.has(id)));
      for (const job of jobs) {
        const before = this.#jobs.get(job.id);
        if (kept.has(job.id)) continue;
        const row = { ...jobRow(job), loggedLines: before?.loggedLines ?? 0 };
        kept.set(job.id, before !== undefined && JSON.stringify(before) === JSON.stringify(row) ? before : row);
      }
      this.#jobs.clear();
      for (const [id, row] of kept) this.#jobs.set(id, row);
      this.#isRead = true;
      this.#sorted = undefined;
      this.#problem = null;
    } catch (error) {
      if (this.#leave !== leave) return;
      this.#problem = error instanceof Error ? error.message : String(error);
    }
    this.#timer = this.#clock.setTimer(() => void this.#read(), READ_AGAIN_MS);
  }
}

function newestFirst(a: LiveJob, b: LiveJob): number {
  return b.submittedMs - a.submittedMs || (a.id < b.id ? -1 : 1);
}
