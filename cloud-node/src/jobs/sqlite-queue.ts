import { Worker } from "node:worker_threads";
import type { Clock } from "../clock.ts";
import { threadFile } from "../thread-file.ts";
import type { Job, JobSpec } from "./job.ts";
import { JobError } from "./job-error.ts";
import { jobContent } from "./job-id.ts";
import { QueueLease } from "./job-lease.ts";
import type { JobEvent, JobFilter, JobLease, JobQueue, SubmitOptions } from "./job-queue.ts";
import { jobOf } from "./job-record.ts";
import { DEFAULT_PACE, type QueuePace } from "./job-steps.ts";
import { JobWaiters } from "./job-waiters.ts";
import { unpackJobError } from "./packed-job-error.ts";
import type { QueueAnswers, QueueAsk, QueueOrder, QueueReply, QueueThreadData } from "./sqlite-queue-messages.ts";

export interface SqliteQueueOptions {
  readonly clock: Clock;
  readonly pace?: QueuePace | undefined;
  /** Refuse to grow past so many database pages; for tests of a full disk. */
  readonly maxPages?: number | undefined;
}

/** How often other processes' changes are looked for at least while somebody listens, ms. */
const LOOK_MS = 200;
/** Of the thread, for what dies young: questions come and go, and more room for them is memory that nothing needs. */
const YOUNG_MB = 8;
const THREAD_URL = threadFile(import.meta.url, "sqlite-queue-thread");

interface Call {
  resolve(answer: QueueAnswers[keyof QueueAnswers]): void;
  reject(error: JobError): void;
}

/** Jobs in one SQLite file, for any number of processes of one machine; a thread of its own has the file. */
export class SqliteQueue implements JobQueue {
  readonly #file: string;
  readonly #options: SqliteQueueOptions;
  readonly #calls = new Map<number, Call>();
  readonly #listeners = new Set<(event: JobEvent) => void>();
  readonly #waiters: JobWaiters;
  #thread: Worker | undefined;
  #lastCall = 0;
  /** Whether the thread tells what becomes of jobs. */
  #isLooking = false;
  #isClosed = false;

  private constructor(file: string, options: SqliteQueueOptions) {
    this.#file = file;
    this.#options = options;
    this.#waiters = new JobWaiters(options.clock);
  }

  /**
   * Open a queue's file; make it where there is none.
   *
   * @throws {JobError} `queue-version`, `bad-queue`, `queue-away`, `disk-full`; a file of something else is left untouched
   */
  static async open(file: string, options: SqliteQueueOptions): Promise<SqliteQueue> {
    const queue = new SqliteQueue(file, options);
    try {
      await queue.#ask({ kind: "open" });
      return queue;
    } catch (error) {
      await queue.close();
      throw error;
    }
  }

  async submit(spec: JobSpec, options: SubmitOptions = {}): Promise<{ readonly job: Job; readonly isNew: boolean }> {
    const { id, canonical } = jobContent(spec);
    const { maxAttempts } = options;
    const { record, isNew } = await this.#ask({ kind: "submit", id, canonical, maxAttempts });
    return { job: jobOf(record), isNew };
  }

  async get(id: string): Promise<Job | undefined> {
    const record = await this.#ask({ kind: "get", id });
    return record && jobOf(record);
  }

  async list(filter: JobFilter): Promise<Job[]> {
    return (await this.#ask({ kind: "list", filter })).map(jobOf);
  }

  log(id: string): Promise<string[]> {
    return this.#ask({ kind: "log", id });
  }

  watch(listener: (event: JobEvent) => void): () => void {
    // Of its own, so that one who listens twice hears twice, and ends once.
    const own = (event: JobEvent) => listener(event);
    this.#listeners.add(own);
    this.#follow();
    return () => this.#listeners.delete(own);
  }

  async claim(workloads: readonly string[], worker: string): Promise<JobLease | undefined> {
    const record = await this.#ask({ kind: "claim", workloads, worker });
    if (record === undefined) return undefined;
    const { id, turn } = record;
    return new QueueLease(record, {
      step: (step) => this.#ask({ kind: "step", id, turn, step }),
      log: async (line) => {
        await this.#ask({ kind: "note", id, turn, line });
      },
    });
  }

  async wait(workloads: readonly string[], ms: number, signal: AbortSignal): Promise<void> {
    if (this.#isClosed) return;
    const waiter = this.#waiters.add(workloads, ms, signal);
    this.#follow();
    try {
      // Where it cannot be told, the time that was given is waited for.
      const readyMs = await this.#ask({ kind: "ready", workloads }).catch(() => undefined);
      if (readyMs !== undefined) waiter.readyAt(readyMs);
      await waiter.over;
    } finally {
      waiter.end();
    }
  }

  async cancel(id: string): Promise<Job> {
    return jobOf(await this.#ask({ kind: "cancel", id }));
  }

  async retry(id: string): Promise<Job> {
    return jobOf(await this.#ask({ kind: "retry", id }));
  }

  prune(beforeMs: number): Promise<string[]> {
    return this.#ask({ kind: "prune", beforeMs });
  }

  async references(): Promise<Set<string>> {
    return new Set(await this.#ask({ kind: "references" }));
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#listeners.clear();
    this.#waiters.endAll();
    const thread = this.#thread;
    if (thread !== undefined) {
      const isGone = new Promise((resolve) => thread.once("exit", resolve));
      await this.#ask({ kind: "close" }).catch(() => {});
      this.#isClosed = true;
      await isGone;
    }
    this.#isClosed = true;
  }

  #ask<Ask extends QueueAsk>(ask: Ask): Promise<QueueAnswers[Ask["kind"]]> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(this.#away("closed", "open it again"));
      this.#lastCall += 1;
      // A thread answers every question as its kind says.
      this.#calls.set(this.#lastCall, { resolve: resolve as Call["resolve"], reject });
      const order: QueueOrder = { call: this.#lastCall, nowMs: this.#nowMs(), ask };
      this.#started().postMessage(order);
    });
  }

  #started(): Worker {
    if (this.#thread !== undefined) return this.#thread;
    const { pace = DEFAULT_PACE, maxPages = 0 } = this.#options;
    const workerData: QueueThreadData = { file: this.#file, maxPages, pace };
    const thread = new Worker(THREAD_URL, { workerData, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } });
    thread.on("message", (reply: QueueReply) => this.#hear(reply));
    let cause: unknown;
    thread.on("error", (error) => {
      cause = error;
    });
    thread.on("exit", () => {
      // The next question starts another.
      this.#thread = undefined;
      const error = this.#away(cause === undefined ? "closed" : `lost its thread (${cause})`, "try again");
      for (const call of this.#calls.values()) call.reject(error);
      this.#calls.clear();
    });
    this.#thread = thread;
    // One that ended in the middle of it told nothing of what became of jobs meanwhile: whoever listens hears the rest.
    if (this.#isLooking) this.#tellThread("follow");
    return thread;
  }

  #hear(reply: QueueReply): void {
    if (reply.kind === "events") {
      for (const record of reply.records) {
        this.#waiters.notice(record);
        this.#tell({ kind: "job", job: jobOf(record) });
      }
      for (const { id, line } of reply.lines) this.#tell({ kind: "log", id, line });
      return;
    }
    const call = this.#calls.get(reply.call);
    this.#calls.delete(reply.call);
    if (reply.kind === "answer") call?.resolve(reply.answer);
    else call?.reject(unpackJobError(reply.error));
  }

  #tell(event: JobEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  get #isFollowed(): boolean {
    return this.#listeners.size > 0 || this.#waiters.isWaiting;
  }

  #follow(): void {
    if (this.#isLooking || this.#isClosed) return;
    // A thread that is only started now is told as it starts.
    if (this.#thread !== undefined) this.#tellThread("follow");
    this.#isLooking = true;
    this.#lookLater();
  }

  #tellThread(kind: "follow" | "unfollow"): void {
    // Where the file cannot be read now, the next question says so.
    this.#ask({ kind }).catch(() => {});
  }

  #lookLater(): void {
    this.#options.clock.setTimer(() => {
      if (this.#isClosed) return;
      if (!this.#isFollowed) {
        this.#isLooking = false;
        this.#tellThread("unfollow");
        return;
      }
      this.#ask({ kind: "look" })
        .catch(() => {})
        .finally(() => this.#lookLater());
    }, LOOK_MS);
  }

  #nowMs(): number {
    return Math.floor(this.#options.clock.unixUs() / 1_000);
  }

  #away(what: string, remedy: string): JobError {
    return new JobError("queue-away", `${this.#file} ${what}`, remedy);
  }
}
