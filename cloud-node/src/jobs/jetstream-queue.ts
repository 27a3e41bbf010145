import type { Clock } from "../clock.ts";
import { JetStreamJobs, type KeptJob } from "./jetstream-jobs.ts";
import { JetStreamLease } from "./jetstream-lease.ts";
import { JetStreamNames, makeStreams } from "./jetstream-names.ts";
import { JetStreamPulls, type WorkMessage } from "./jetstream-pulls.ts";
import { JetStreamTale } from "./jetstream-tale.ts";
import { isOver, type Job, type JobSpec } from "./job.ts";
import { JobError } from "./job-error.ts";
import { jobContent, specOf } from "./job-id.ts";
import { QueueLease } from "./job-lease.ts";
import {
  type JobEvent,
  type JobFilter,
  type JobLease,
  type JobQueue,
  MOST_JOBS,
  type SubmitOptions,
} from "./job-queue.ts";
import { blobsOf, type JobRecord, jobOf, newRecord } from "./job-record.ts";
import {
  afterLease,
  begunAnew,
  cancelling,
  DEFAULT_PACE,
  LONGEST_BACK_OFF_MS,
  type QueuePace,
  taken,
} from "./job-steps.ts";
import { type NatsLink, onNats } from "./nats-link.ts";
import { isSeat } from "./seat.ts";

export interface JetStreamQueueOptions {
  readonly clock: Clock;
  readonly pace?: QueuePace | undefined;
  /** How often a worker that waits looks for jobs that nobody was told of, ms. */
  readonly mendMs?: number | undefined;
}

const MEND_MS = 60_000;

/**
 * Jobs in NATS JetStream, for any number of machines. How a job stands is in a key-value bucket alone, changed only by
 * whoever saw its last change; messages of a work queue tell workers to look at it. A message too many does nothing, one
 * that is missing is sent again.
 */
export class JetStreamQueue implements JobQueue {
  readonly #link: NatsLink;
  readonly #clock: Clock;
  readonly #pace: QueuePace;
  readonly #mendMs: number;
  readonly #names: JetStreamNames;
  readonly #jobs: JetStreamJobs;
  readonly #pulls: JetStreamPulls;
  readonly #tale: JetStreamTale;
  #mendedMs = Number.NEGATIVE_INFINITY;
  #turns = 0;
  #isClosed = false;

  private constructor(link: NatsLink, names: JetStreamNames, jobs: JetStreamJobs, options: JetStreamQueueOptions) {
    const { clock, pace = DEFAULT_PACE, mendMs = MEND_MS } = options;
    this.#link = link;
    this.#clock = clock;
    this.#pace = pace;
    this.#mendMs = mendMs;
    this.#names = names;
    this.#jobs = jobs;
    this.#pulls = new JetStreamPulls(link, names, clock, pace.leaseMs);
    this.#tale = new JetStreamTale(link, names, jobs, clock);
  }

  /** @param link  stays open when the queue is closed @throws {JobError} `queue-away`, `disk-full` */
  static open(link: NatsLink, options: JetStreamQueueOptions): Promise<JetStreamQueue> {
    return onNats(link.connection.getServer(), async () => {
      const names = new JetStreamNames(link.prefix);
      await makeStreams(link, names);
      return new JetStreamQueue(link, names, await JetStreamJobs.open(link, names.jobs), options);
    });
  }

  async submit(spec: JobSpec, options: SubmitOptions = {}): Promise<{ readonly job: Job; readonly isNew: boolean }> {
    const { id, canonical } = jobContent(spec);
    const record = newRecord(specOf(canonical), id, this.#nowMs(), options.maxAttempts);
    return this.#ask(async () => {
      const revision = await this.#jobs.add(record);
      const kept = revision === undefined ? await this.#jobs.need(id) : { record, revision };
      // Also of one that waits already: whoever handed it in may have ended before he said so.
      if (kept.record.state === "queued") await this.#announce(kept);
      return { job: jobOf(kept.record), isNew: revision !== undefined };
    });
  }

  async get(id: string): Promise<Job | undefined> {
    const kept = await this.#ask(() => this.#jobs.get(id));
    return kept && jobOf(kept.record);
  }

  async list({ states, workload, hidesSeats = false, before, limit }: JobFilter): Promise<Job[]> {
    return this.#ask(async () => {
      const first = before === undefined ? undefined : (await this.#jobs.need(before)).record;
      const most = Math.min(Math.max(1, Math.trunc(limit)), MOST_JOBS);
      let found: JobRecord[] = [];
      for await (const { record } of this.#jobs.all()) {
        const isWanted = states?.includes(record.state) !== false && (workload ?? record.workload) === record.workload;
        if (!isWanted || (hidesSeats && isSeat(record))) continue;
        if (first === undefined || newestFirst(first, record) < 0) found.push(record);
        // No more in memory than are asked for, however many there are.
        if (found.length >= 2 * most) found = found.sort(newestFirst).slice(0, most);
      }
      return found.sort(newestFirst).slice(0, most).map(jobOf);
    });
  }

  log(id: string): Promise<string[]> {
    return this.#ask(() => this.#tale.lines(id));
  }

  watch(listener: (event: JobEvent) => void): () => void {
    return this.#tale.watch(listener);
  }

  async claim(workloads: readonly string[], worker: string): Promise<JobLease | undefined> {
    // Each first in its turn, so that none waits for ever behind another.
    this.#turns += 1;
    const from = this.#turns % Math.max(1, workloads.length);
    for (const workload of [...workloads.slice(from), ...workloads.slice(0, from)]) {
      for (;;) {
        const message = await this.#ask(() => this.#pulls.take(workload));
        if (message === undefined) break;
        const lease = await this.#ask(() => this.#begin(message, worker));
        if (lease !== undefined) return lease;
      }
    }
    return undefined;
  }

  async wait(workloads: readonly string[], ms: number, signal: AbortSignal): Promise<void> {
    await this.#mend();
    await this.#pulls.wait(workloads, ms, signal);
  }

  cancel(id: string): Promise<Job> {
    return this.#ask(async () => jobOf((await this.#jobs.change(id, (it) => cancelling(it, this.#nowMs()))).record));
  }

  retry(id: string): Promise<Job> {
    return this.#ask(async () => {
      const kept = await this.#jobs.change(id, (it) => begunAnew(it, this.#nowMs()));
      await this.#tale.unbury(kept.record);
      await this.#announce(kept);
      return jobOf(kept.record);
    });
  }

  prune(beforeMs: number): Promise<string[]> {
    return this.#ask(async () => {
      const old: KeptJob[] = [];
      for await (const kept of this.#jobs.all()) if (isBefore(kept.record.endedMs, beforeMs)) old.push(kept);
      const gone: string[] = [];
      for (const kept of old) {
        if (!(await this.#jobs.forget(kept))) continue;
        await this.#tale.forget(kept.record);
        gone.push(kept.record.id);
      }
      return gone;
    });
  }

  references(): Promise<Set<string>> {
    return this.#ask(async () => {
      const found = new Set<string>();
      for await (const { record } of this.#jobs.all()) for (const sha256 of blobsOf(record)) found.add(sha256);
      return found;
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#pulls.close();
    await this.#tale.close();
  }

  /** Take the job of a message, if there is still something to take. */
  async #begin(message: WorkMessage, worker: string): Promise<JobLease | undefined> {
    // What the message says is true until somebody changes it, and then nothing is written over it.
    let said = message.kept;
    for (;;) {
      const kept = said ?? (await this.#jobs.get(message.id));
      const nowMs = this.#nowMs();
      const next = kept && this.#next(kept.record, worker, nowMs);
      if (kept === undefined || next === undefined) {
        await this.#settle(message, kept?.record);
        return undefined;
      }
      const revision = await this.#jobs.put(next, kept.revision);
      // Somebody else was faster: see what he made of it.
      said = undefined;
      if (revision === undefined) continue;
      if (next.state !== "running") {
        await this.#settle(message, next);
        return undefined;
      }
      const owner = {
        jobs: this.#jobs,
        clock: this.#clock,
        pace: this.#pace,
        settle: async (record: JobRecord) => {
          if (record.state === "running") message.working();
          else await this.#settle(message, record);
        },
        log: (id: string, line: string) => this.#ask(() => this.#tale.addLine(id, line)),
        ask: <Result>(act: () => Promise<Result>) => this.#ask(act),
      };
      return new QueueLease(next, new JetStreamLease(owner, { record: next, revision }));
    }
  }

  /** What becomes of a job that a message tells of; undefined: nothing yet, or nothing any more. */
  #next(record: JobRecord, worker: string, nowMs: number): JobRecord | undefined {
    if (this.#restMs(record, nowMs) > 0) return undefined;
    if (record.state === "queued") return taken(record, worker, nowMs, this.#pace);
    return record.state === "running" ? afterLease(record, nowMs, this.#pace) : undefined;
  }

  /**
   * How long it is to be left alone: its worker may be silent, or the next attempt has to wait. Clocks of machines differ:
   * what says that it would take longer than it ever may is none to go by, and then it is NATS that decides.
   */
  #restMs({ state, attempts, givenBack = 0, dueMs, leaseMs }: JobRecord, nowMs: number): number {
    // Nobody tried it: nothing to wait for.
    if (state === "queued" && attempts === 0 && givenBack === 0) return 0;
    const restMs = (state === "queued" ? dueMs : (leaseMs ?? 0)) - nowMs;
    return restMs <= (state === "queued" ? LONGEST_BACK_OFF_MS : this.#pace.leaseMs) ? restMs : 0;
  }

  /** Tell the work queue when somebody is to look at a job again: never, once it is over. */
  async #settle(message: WorkMessage, record: JobRecord | undefined): Promise<void> {
    if (record !== undefined && !isOver(record.state)) return message.nak(this.#restMs(record, this.#nowMs()));
    // Where it cannot be said now, it is said when the message comes again.
    if (record?.state === "dead") await this.#tale.bury(record);
    message.ack();
  }

  /** Tell the workers of a job; twice within two minutes is once. */
  async #announce(kept: KeptJob): Promise<void> {
    const { id, workload, round, submittedMs } = kept.record;
    await this.#link.writes.write(this.#names.workOf(workload, id), JSON.stringify(kept), {
      messageId: `${id}.${round}.${submittedMs}`,
    });
  }

  /** Tell workers again of what waits, or was left, and has no message: whoever was to send it ended before. */
  async #mend(): Promise<void> {
    const nowMs = this.#clock.nowMs();
    if (nowMs < this.#mendedMs + this.#mendMs) return;
    this.#mendedMs = nowMs;
    await this.#ask(async () => {
      const { jsm } = this.#link;
      const open: KeptJob[] = [];
      for await (const kept of this.#jobs.all()) if (!isOver(kept.record.state)) open.push(kept);
      const { state } = await jsm.streams.info(this.#names.work, { subjects_filter: this.#names.workOf("*", "*") });
      for (const kept of open) {
        const { record } = kept;
        const isTold = state.subjects?.[this.#names.workOf(record.workload, record.id)] !== undefined;
        if (!isTold) await this.#announce(kept);
      }
    }).catch(() => {
      // Where it cannot be asked now, the next one who waits asks.
    });
  }

  #ask<Result>(act: () => Promise<Result>): Promise<Result> {
    const where = this.#link.connection.getServer();
    if (this.#isClosed) return Promise.reject(new JobError("queue-away", `${where} closed`, "open it again"));
    return onNats(where, act);
  }

  #nowMs(): number {
    return Math.floor(this.#clock.unixUs() / 1_000);
  }
}

/** By the time at which they were handed in; those of one millisecond by their ids, in one order everywhere. */
function newestFirst(a: JobRecord, b: JobRecord): number {
  return b.submittedMs - a.submittedMs || Number(a.id < b.id) - Number(a.id > b.id);
}

function isBefore(timeMs: number | null, beforeMs: number): boolean {
  return timeMs !== null && timeMs < beforeMs;
}
