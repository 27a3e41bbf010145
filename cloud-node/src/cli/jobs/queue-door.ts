import { createReadStream } from "node:fs";
import { jobAnswer, jobsAnswer } from "../../api/job-answers.ts";
import type { JobAnswer } from "../../api/schemas/job-schema.ts";
import type { Clock } from "../../clock.ts";
import type { BlobRef } from "../../jobs/blob-store.ts";
import { collectGarbage } from "../../jobs/collect-garbage.ts";
import type { Job, JobSpec } from "../../jobs/job.ts";
import { JobError } from "../../jobs/job-error.ts";
import type { JobFilter, JobQueue } from "../../jobs/job-queue.ts";
import type { OpenQueue } from "../../jobs/open-queue.ts";
import { FILE_PIECE_BYTES, type JobDoor, type Moving } from "./job-door.ts";

/** The jobs of a queue that this process has open. */
export class QueueDoor implements JobDoor {
  readonly #open: OpenQueue;
  readonly #queue: JobQueue;
  readonly #clock: Clock;
  readonly take: JobDoor["take"];
  #leave: (() => void) | undefined;
  readonly #waiting = new Set<() => void>();
  #hasChanged = false;

  constructor(open: OpenQueue, clock: Clock) {
    this.#open = open;
    this.#queue = open.queue;
    this.#clock = clock;
    if (open.blobs.folder !== undefined) this.take = (file, moving) => open.blobs.put(sourceOf(file), moving);
  }

  async submit(spec: JobSpec, maxAttempts: number | undefined) {
    const { job } = await this.#queue.submit(spec, { maxAttempts });
    return { id: job.id, state: job.state };
  }

  async get(id: string): Promise<JobAnswer> {
    const job: Job | undefined = await this.#queue.get(id);
    if (job === undefined) throw new JobError("unknown-job", `there is no job ${id}`, "see `lockstep jobs list`");
    return jobAnswer(job);
  }

  async list(filter: JobFilter) {
    return [...jobsAnswer(await this.#queue.list({ ...filter, hidesSeats: true }), filter.limit).jobs];
  }

  async log(id: string): Promise<string[]> {
    await this.get(id);
    return await this.#queue.log(id);
  }

  async cancel(id: string): Promise<JobAnswer> {
    return jobAnswer(await this.#queue.cancel(id));
  }

  async retry(id: string): Promise<JobAnswer> {
    return jobAnswer(await this.#queue.retry(id));
  }

  async prune(beforeMs: number): Promise<string[]> {
    const ids = await this.#queue.prune(beforeMs);
    // Perhaps no node and no worker runs here that would do it.
    await collectGarbage(this.#queue, this.#open.blobs, this.#clock.unixUs() / 1000);
    return ids;
  }

  async put(file: string, expect: BlobRef, { onProgress, signal }: Moving): Promise<void> {
    await this.#open.blobs.put(sourceOf(file), { expect, onProgress, signal });
  }

  read(ref: BlobRef, { onProgress, signal }: Moving): AsyncIterable<Uint8Array> {
    return this.#open.blobs.get(ref, { onProgress, signal });
  }

  async change(ms: number, signal: AbortSignal): Promise<void> {
    this.#leave ??= this.#queue.watch(() => {
      this.#hasChanged = true;
      for (const wake of this.#waiting) wake();
    });
    if (!this.#hasChanged && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          signal.removeEventListener("abort", wake);
          this.#waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, ms);
        signal.addEventListener("abort", wake);
        this.#waiting.add(wake);
      });
    }
    this.#hasChanged = false;
  }

  async close(): Promise<void> {
    this.#leave?.();
    await this.#open.close();
  }
}

function sourceOf(file: string) {
  return (start: number) => createReadStream(file, { start, highWaterMark: FILE_PIECE_BYTES });
}
