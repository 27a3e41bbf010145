import type { Clock, Timer } from "../clock.ts";
import { systemClock } from "../clock.ts";
import type { Job, JobProgress, JobSpec } from "./job.ts";
import { JobError } from "./job-error.ts";
import type { JobEvent, JobFilter, JobLease, JobQueue, SubmitOptions } from "./job-queue.ts";
import type { QueuePace } from "./job-steps.ts";
import { SqliteQueue } from "./sqlite-queue.ts";

/** Leases are long, so that none ends by itself on a machine that is slow; pauses are short. */
const PACE: QueuePace = { leaseMs: 600_000, backOffMs: 1 };
const LOOK_MS = 5;

/** The computer's clock, whose Unix time can be put forward. */
class ShiftedClock implements Clock {
  readonly #clock = systemClock();
  aheadMs = 0;

  nowMs(): number {
    return this.#clock.nowMs();
  }

  unixUs(): number {
    return this.#clock.unixUs() + 1_000 * this.aheadMs;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    return this.#clock.setTimer(callback, delayMs);
  }
}

/** A queue in a file, and what a test may do to it. */
export class TrialQueue implements JobQueue {
  readonly #queue: JobQueue;
  readonly #clock: ShiftedClock;
  /** Workers cannot reach it. */
  isAway = false;
  /** It takes no line of a log, and does not say so. */
  isLogStuck = false;
  /** What holders of leases asked while it was away. */
  readonly refused: (keyof JobLease)[] = [];
  /** What the next jobs that are told to be done are answered with. */
  readonly endErrors: JobError[] = [];
  /** What the next jobs that are told to be done have to wait for. */
  readonly endGates: Promise<void>[] = [];
  /** What workers said of their progress, with the time at which they did. */
  readonly told: { readonly id: string; readonly progress: JobProgress; readonly ms: number }[] = [];

  static async open(file: string): Promise<TrialQueue> {
    const clock = new ShiftedClock();
    return new TrialQueue(await SqliteQueue.open(file, { clock, pace: PACE }), clock);
  }

  private constructor(queue: JobQueue, clock: ShiftedClock) {
    this.#queue = queue;
    this.#clock = clock;
  }

  async submit(spec: JobSpec, options?: SubmitOptions) {
    this.#check();
    return await this.#queue.submit(spec, options);
  }

  get(id: string): Promise<Job | undefined> {
    return this.#queue.get(id);
  }

  list(filter: JobFilter): Promise<Job[]> {
    return this.#queue.list(filter);
  }

  log(id: string): Promise<string[]> {
    return this.#queue.log(id);
  }

  watch(listener: (event: JobEvent) => void): () => void {
    return this.#queue.watch(listener);
  }

  async claim(workloads: readonly string[], worker: string): Promise<JobLease | undefined> {
    this.#check();
    const lease = await this.#queue.claim(workloads, worker);
    return lease === undefined ? undefined : this.#watched(lease);
  }

  async wait(workloads: readonly string[], ms: number, signal: AbortSignal): Promise<void> {
    this.#check();
    await this.#queue.wait(workloads, ms, signal);
  }

  async cancel(id: string): Promise<Job> {
    this.#check();
    return await this.#queue.cancel(id);
  }

  retry(id: string): Promise<Job> {
    return this.#queue.retry(id);
  }

  prune(beforeMs: number): Promise<string[]> {
    return this.#queue.prune(beforeMs);
  }

  references(): Promise<Set<string>> {
    return this.#queue.references();
  }

  close(): Promise<void> {
    return this.#queue.close();
  }

  /** Let every lease run out that is not extended after this. */
  passLease(): void {
    this.#clock.aheadMs += PACE.leaseMs;
  }

  /** Let the lease of a job run out, and give the job to somebody else. */
  async steal({ id, workload }: Job): Promise<void> {
    for (;;) {
      this.passLease();
      const stolen = await this.#queue.claim([workload], "another");
      if (stolen?.job.id === id) return;
    }
  }

  /** Wait until a job is as a test wants it. */
  async until(id: string, isSo: (job: Job) => boolean): Promise<Job> {
    for (;;) {
      const job = await this.get(id);
      if (job !== undefined && isSo(job)) return job;
      await new Promise<void>((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /** Wait until a job is over. */
  ended(id: string): Promise<Job> {
    return this.until(id, ({ state }) => state !== "queued" && state !== "running");
  }

  #watched(lease: JobLease): JobLease {
    const reached = <Args extends unknown[], Answer>(
      step: keyof JobLease,
      ask: (...args: Args) => Promise<Answer>,
    ): ((...args: Args) => Promise<Answer>) => {
      return async (...args) => {
        if (this.isAway) this.refused.push(step);
        this.#check();
        return await ask(...args);
      };
    };
    return {
      job: lease.job,
      attempt: lease.attempt,
      extend: reached("extend", async (progress) => {
        if (progress !== undefined) this.told.push({ id: lease.job.id, progress, ms: performance.now() });
        return await lease.extend(progress);
      }),
      checkpoint: reached("checkpoint", (ref) => lease.checkpoint(ref)),
      log: reached("log", (line) => (this.isLogStuck ? new Promise(() => {}) : lease.log(line))),
      done: reached("done", async (result) => {
        const error = this.endErrors.shift();
        if (error !== undefined) throw error;
        await this.endGates.shift();
        return await lease.done(result);
      }),
      failed: reached("failed", (failure, isFinal) => lease.failed(failure, isFinal)),
      cancelled: reached("cancelled", () => lease.cancelled()),
      release: reached("release", (away) => lease.release(away)),
    };
  }

  #check(): void {
    if (this.isAway) throw new JobError("queue-away", "the queue is away", "wait for it");
  }
}
