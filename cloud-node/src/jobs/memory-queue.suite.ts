import { createHash } from "node:crypto";
import { EventEmitter, once } from "node:events";
import type { BlobRef } from "./blob-store.ts";
import { DEFAULT_ATTEMPTS, type Job, type JobFailure, type JobProgress, type JobResult, type JobSpec } from "./job.ts";
import { JobError } from "./job-error.ts";
import type { JobEvent, JobFilter, JobLease, JobQueue, SubmitOptions } from "./job-queue.ts";

const RETRY_MS = 5;

/** A queue in memory, and what a test may do to it. */
export class MemoryQueue implements JobQueue {
  readonly #jobs = new Map<string, Job>();
  readonly #logs = new Map<string, string[]>();
  readonly #events = new EventEmitter();
  /** Every call but `get` and `log` fails while it is set. */
  isAway = false;
  /** What workers said of their progress, with the time at which they did. */
  readonly told: { readonly id: string; readonly progress: JobProgress; readonly ms: number }[] = [];

  async submit(spec: JobSpec, options: SubmitOptions = {}) {
    this.#check();
    const id = createHash("sha256").update(JSON.stringify(spec)).digest("hex");
    const known = this.#jobs.get(id);
    if (known !== undefined) return { job: known, isNew: false };
    const job: Job = {
      ...spec,
      ...{ id, state: "queued", attempts: 0, maxAttempts: options.maxAttempts ?? DEFAULT_ATTEMPTS },
      ...{ progress: null, result: null, error: null, checkpoint: null, worker: null, isCancelling: false },
      ...{ submittedMs: Date.now(), startedMs: null, endedMs: null, dueMs: 0 },
    };
    this.#set(job);
    return { job, isNew: true };
  }

  async get(id: string): Promise<Job | undefined> {
    return this.#jobs.get(id);
  }

  async list({ limit }: JobFilter): Promise<Job[]> {
    return [...this.#jobs.values()].reverse().slice(0, limit);
  }

  async log(id: string): Promise<string[]> {
    return this.#logs.get(id) ?? [];
  }

  watch(listener: (event: JobEvent) => void): () => void {
    const heard = (job: Job) => listener({ kind: "job", job });
    this.#events.on("job", heard);
    return () => this.#events.off("job", heard);
  }

  async claim(workloads: readonly string[], worker: string): Promise<JobLease | undefined> {
    this.#check();
    const isDue = (job: Job) => job.state === "queued" && workloads.includes(job.workload) && job.dueMs <= Date.now();
    const job = [...this.#jobs.values()].find(isDue);
    if (job === undefined) return undefined;
    const attempt = job.attempts + 1;
    this.#set({ ...job, state: "running", attempts: attempt, worker, startedMs: Date.now() });
    return this.#lease(job.id, attempt);
  }

  async wait(_workloads: readonly string[], ms: number, signal: AbortSignal): Promise<void> {
    this.#check();
    const either = AbortSignal.any([signal, AbortSignal.timeout(Math.min(ms, RETRY_MS))]);
    await once(this.#events, "job", { signal: either }).catch(() => undefined);
  }

  async cancel(id: string): Promise<Job> {
    this.#check();
    const job = this.#known(id);
    if (job.state === "queued") return this.#set({ ...job, state: "cancelled", endedMs: Date.now() });
    if (job.state === "running") return this.#set({ ...job, isCancelling: true });
    throw new JobError("wrong-state", `job ${id} is ${job.state}`, "nothing");
  }

  async retry(id: string): Promise<Job> {
    return this.#set({ ...this.#known(id), state: "queued", attempts: 0, isCancelling: false, error: null, dueMs: 0 });
  }

  async prune(): Promise<string[]> {
    return [];
  }

  async references(): Promise<Set<string>> {
    return new Set();
  }

  async close(): Promise<void> {
    this.#events.removeAllListeners();
  }

  /** Give a job to somebody else, as when its lease ran out. */
  steal(id: string): void {
    const job = this.#known(id);
    this.#set({ ...job, attempts: job.attempts + 1, worker: "another" });
  }

  /** Wait until a job is as a test wants it. */
  async until(id: string, isSo: (job: Job) => boolean): Promise<Job> {
    for (;;) {
      const job = this.#known(id);
      if (isSo(job)) return job;
      await once(this.#events, "job");
    }
  }

  /** Wait until a job is over. */
  ended(id: string): Promise<Job> {
    return this.until(id, ({ state }) => state !== "queued" && state !== "running");
  }

  #lease(id: string, attempt: number): JobLease {
    const held = (): Job | undefined => {
      this.#check();
      const job = this.#known(id);
      return job.state === "running" && job.attempts === attempt ? job : undefined;
    };
    const put = async (change: (job: Job) => Partial<Job>): Promise<boolean> => {
      const job = held();
      if (job === undefined) return false;
      this.#set({ ...job, ...change(job) });
      return true;
    };
    const ended = { endedMs: Date.now() };
    return {
      job: this.#known(id),
      attempt,
      extend: async (progress) => {
        const job = held();
        if (job === undefined) return "lost";
        if (progress !== undefined) {
          this.told.push({ id, progress, ms: performance.now() });
          this.#set({ ...job, progress });
        }
        return job.isCancelling ? "cancelling" : "held";
      },
      checkpoint: (checkpoint: BlobRef) => put(() => ({ checkpoint })),
      log: async (line) => {
        this.#check();
        this.#logs.set(id, [...(this.#logs.get(id) ?? []), line]);
        this.#events.emit("job", this.#known(id));
      },
      done: (result: JobResult) => put(() => ({ state: "done", result, error: null, ...ended })),
      failed: (failure, isFinal) =>
        put((job) => {
          const error: JobFailure = { ...failure, attempt, worker: job.worker ?? "", atMs: Date.now() };
          if (isFinal) return { state: "failed", error, ...ended };
          if (attempt >= job.maxAttempts) return { state: "dead", error, ...ended };
          return { state: "queued", error, dueMs: Date.now() + RETRY_MS };
        }),
      cancelled: () => put(() => ({ state: "cancelled", ...ended })),
      release: () => put((job) => ({ state: "queued", attempts: job.attempts - 1, worker: null })),
    };
  }

  #set(job: Job): Job {
    this.#jobs.set(job.id, job);
    this.#events.emit("job", job);
    return job;
  }

  #known(id: string): Job {
    const job = this.#jobs.get(id);
    if (job === undefined) throw new JobError("unknown-job", `no job ${id}`, "see `jobs list`");
    return job;
  }

  #check(): void {
    if (this.isAway) throw new JobError("queue-away", "the queue is away", "wait for it");
  }
}
