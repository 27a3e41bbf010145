import { jobContentId } from "@lockstep/protocol";
import { DEFAULT_ATTEMPTS, type Job, type JobSpec } from "../jobs/job.ts";
import { JobError } from "../jobs/job-error.ts";
import type { JobEvent, JobFilter, JobLease, JobQueue, SubmitOptions } from "../jobs/job-queue.ts";

/** A queue without workers: tests say what becomes of its jobs. Nothing outlives it. */
export class MemoryQueue implements JobQueue {
  readonly jobs = new Map<string, Job>();
  readonly listeners = new Set<(event: JobEvent) => void>();
  /** Called before anything is answered; what it throws is the answer. */
  before: () => Promise<void> | void = () => {};

  async submit(spec: JobSpec, { maxAttempts = DEFAULT_ATTEMPTS }: SubmitOptions = {}) {
    await this.before();
    const id = jobContentId(spec);
    const known = this.jobs.get(id);
    if (known !== undefined) return { job: known, isNew: false };
    const job: Job = {
      ...{ ...spec, id, maxAttempts, state: "queued", attempts: 0, progress: null, result: null, error: null },
      ...{ checkpoint: null, worker: null, isCancelling: false, startedMs: null, endedMs: null },
      ...{ submittedMs: this.jobs.size, dueMs: 0 },
    };
    this.jobs.set(id, job);
    return { job, isNew: true };
  }

  async get(id: string): Promise<Job | undefined> {
    await this.before();
    return this.jobs.get(id);
  }

  async cancel(id: string): Promise<Job> {
    await this.before();
    const job = this.#known(id);
    if (job.state === "queued") return this.change(id, { state: "cancelled" });
    if (job.state === "running") return this.change(id, { isCancelling: true });
    throw new JobError("wrong-state", `job ${id} is ${job.state}`, "nothing");
  }

  watch(listener: (event: JobEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** What a worker, or time, does to a job. */
  change(id: string, change: Partial<Job>): Job {
    const job = { ...this.#known(id), ...change };
    this.jobs.set(id, job);
    for (const listener of this.listeners) listener({ kind: "job", job });
    return job;
  }

  async list({ limit }: JobFilter): Promise<Job[]> {
    return [...this.jobs.values()].reverse().slice(0, limit);
  }

  async log(): Promise<string[]> {
    return [];
  }

  async claim(): Promise<JobLease | undefined> {
    return undefined;
  }

  async wait(): Promise<void> {}

  async retry(id: string): Promise<Job> {
    return this.change(id, { state: "queued", error: null, attempts: 0 });
  }

  async prune(): Promise<string[]> {
    return [];
  }

  async references(): Promise<Set<string>> {
    return new Set();
  }

  async close(): Promise<void> {}

  #known(id: string): Job {
    const job = this.jobs.get(id);
    if (job === undefined) throw new JobError("unknown-job", `there is no job ${id}`, "submit it");
    return job;
  }
}
