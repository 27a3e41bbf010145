import { randomBytes } from "node:crypto";
import { createWriteStream, existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import { BlobDesk, CHECKPOINT_FILE, SCRATCH_FOLDER } from "./blob-desk.ts";
import type { BlobStore } from "./blob-store.ts";
import { callDesk } from "./call-desk.ts";
import type { ChannelReach } from "./channel-reach.ts";
import type { Job, JobResult, NamedBlob } from "./job.ts";
import { JobError } from "./job-error.ts";
import { type AttemptFailure, failureOf } from "./job-failure.ts";
import type { JobLease, JobQueue } from "./job-queue.ts";
import type { JobThread, ThreadEnd } from "./job-thread.ts";
import { LeaseKeeper } from "./lease-keeper.ts";
import { isSeat, readSeat, type Seat } from "./seat.ts";
import { SharedJob } from "./shared-job.ts";
import type { SharedPlaces, StopReason } from "./thread-messages.ts";

export interface JobRunOptions extends ChannelReach {
  readonly queue: JobQueue;
  readonly blobs: BlobStore;
  readonly leaseMs: number;
  /** From asking an attempt to end until its thread is ended, ms. */
  readonly graceMs: number;
  /** Folder for the folders of attempts. */
  readonly scratch: string;
  /** How long a shared job waits for others to take its places, ms; some wait half as long again. */
  readonly peersMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;
const MOST_WAITING_LINES = 256;
/** What the log still has to say is waited for so long before the end is told, ms. */
const LOG_WAIT_MS = 1_000;
/** Far below the time that garbage is left alone. */
const RENEW_MS = 600_000;

interface AttemptEnd {
  readonly end: ThreadEnd;
  readonly outputs: readonly NamedBlob[];
  /** Too few workers took its places. */
  readonly isShort: boolean;
}

/** One attempt at one job: from the lease to what the queue is told of its end. */
export class JobRun {
  readonly #options: JobRunOptions;
  readonly #lease: JobLease;
  readonly #thread: JobThread;
  readonly #stopped = new AbortController();
  readonly #ended = Promise.withResolvers<void>();
  readonly #left = Promise.withResolvers<void>();
  #hasLeft = false;
  #logged: Promise<unknown> = Promise.resolve();
  #waitingLines = 0;
  #isLogClosed = false;
  #reason: StopReason | undefined;

  constructor(options: JobRunOptions, lease: JobLease, thread: JobThread) {
    this.#options = options;
    this.#lease = lease;
    this.#thread = thread;
  }

  /** Resolves once its thread is free for another one: what is left is to tell the queue. */
  get left(): Promise<void> {
    return this.#left.promise;
  }

  get job(): Job {
    return this.#lease.job;
  }

  /** Work on it until its end is told to the queue. @returns what was told */
  async run(): Promise<ThreadEnd["kind"] | StopReason> {
    const keeper = new LeaseKeeper({ ...this.#options, lease: this.#lease, stop: (reason) => this.stop(reason) });
    try {
      const ended = await this.#attempt(keeper).catch((error: unknown) => failedBefore(error));
      this.#leave();
      await this.#closeLog(keeper.told());
      return await this.#tell(ended);
    } finally {
      this.#leave();
      keeper.close();
    }
  }

  #leave(): void {
    this.#hasLeft = true;
    this.#left.resolve();
  }

  /** Let it end: its thread is asked to, and ended after the grace time. */
  stop(reason: StopReason): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    // Another one's, by now.
    if (this.#hasLeft) return;
    this.#thread.stop(reason);
    this.#stopped.abort(new JobError("cancelled", `the attempt is to end, ${reason}`, "end it"));
    const { clock, graceMs } = this.#options;
    const timer = clock.setTimer(() => void this.#kill(), graceMs);
    this.#ended.promise.then(() => timer.cancel());
  }

  async #kill(): Promise<void> {
    this.#log(`it did not end within ${this.#options.graceMs} ms of being asked to: its thread was ended`);
    await this.#thread.kill();
  }

  async #attempt(keeper: LeaseKeeper): Promise<AttemptEnd> {
    const { scratch, blobs, logger, clock } = this.#options;
    const { job, attempt } = this.#lease;
    // Made by whoever first puts something there: most small jobs never do.
    const folder = join(scratch, `${job.id.slice(0, 8)}-${attempt}-${randomBytes(4).toString("hex")}`);
    const desk = new BlobDesk({ blobs, folder, checkpoint: (ref) => this.#checkpoint(ref), clock });
    let shared: SharedJob | undefined;
    try {
      const { seat, params } = await this.#seat();
      const hasCheckpoint = await this.#fetchCheckpoint(folder);
      const open = async (places: SharedPlaces) => {
        shared = new SharedJob({ ...this.#options, job, attempt, seat, signal: this.#stopped.signal });
        await shared.open(places);
        return shared.index;
      };
      const begin = {
        ...{ workload: job.workload, params, jobId: seat?.job ?? job.id, attempt: seat?.attempt ?? attempt },
        ...{ inputs: job.inputs, blobFolder: blobs.folder, scratch: join(folder, SCRATCH_FOLDER), hasCheckpoint, seat },
      };
      const ended = this.#thread.run(begin, {
        desk: callDesk(desk, open, () => shared),
        told: (progress, lines) => {
          if (progress !== undefined) keeper.tell(progress);
          for (const line of lines) this.#log(line);
        },
      });
      if (this.#reason !== undefined) this.#thread.stop(this.#reason);
      this.#renewLater(desk);
      const end = await ended;
      this.#ended.resolve();
      if (end.kind === "done") {
        const isWanted = () => this.#reason === undefined;
        await this.#patiently(() => desk.renew(), "the outputs of a job wait for the blobs", isWanted);
      }
      return { end, outputs: desk.outputs, isShort: shared?.isShort === true };
    } finally {
      this.#ended.resolve();
      if (!this.#thread.isFit) await this.#thread.kill();
      await desk.close();
      await shared?.close();
      // A folder that cannot be removed costs room, and no job.
      if (existsSync(folder)) {
        await rm(folder, { recursive: true, force: true }).catch((error: unknown) =>
          logger.warn({ folder, error: String(error) }, "the folder of an attempt is left behind"),
        );
      }
    }
  }

  /** Until the attempt has ended. */
  #renewLater(desk: BlobDesk): void {
    const { clock, logger } = this.#options;
    const timer = clock.setTimer(() => {
      desk.renew().catch((error: unknown) => {
        // What is gone fails the attempt at its end.
        logger.warn({ job: this.job.id, error: String(error) }, "the outputs of a job could not be renewed");
      });
      this.#renewLater(desk);
    }, RENEW_MS);
    this.#ended.promise.then(() => timer.cancel());
  }

  /** Its own parameters; those of the job that it is a place of, if that is still worked on. */
  async #seat(): Promise<{ readonly seat: Seat | undefined; readonly params: Job["params"] }> {
    const { job } = this.#lease;
    if (!isSeat(job)) return { seat: undefined, params: job.params };
    const { seat, params } = readSeat(job);
    const owner = await this.#options.queue.get(seat.job);
    const isSame = owner?.workload === job.workload && owner.startedMs === seat.startedMs;
    if (owner?.state === "running" && isSame) return { seat, params };
    throw new JobError("bad-job", `the shared job ${seat.job} is over`, "nothing: its next attempt offers new places");
  }

  /** A checkpoint that cannot be read costs time, and no job: it is begun anew. */
  async #fetchCheckpoint(folder: string): Promise<boolean> {
    const { checkpoint } = this.#lease.job;
    if (checkpoint === null) return false;
    try {
      await mkdir(folder, { recursive: true });
      const source = this.#options.blobs.get(checkpoint, { signal: this.#stopped.signal });
      await pipeline(source, createWriteStream(join(folder, CHECKPOINT_FILE)));
      return true;
    } catch (error) {
      const isBad = error instanceof JobError && (error.code === "missing-blob" || error.code === "tampered-blob");
      if (!isBad) throw error;
      this.#log(`its checkpoint cannot be read (${error.message}): it begins anew`);
      return false;
    }
  }

  async #checkpoint(ref: Parameters<JobLease["checkpoint"]>[0]): Promise<void> {
    if (await this.#lease.checkpoint(ref)) return;
    this.stop("lease-lost");
    throw new JobError("lease-lost", "the job is somebody else's by now", "nothing: it is worked on there");
  }

  #log(line: string): void {
    // A queue that is slow, or away, must not have lines pile up.
    if (this.#isLogClosed || this.#waitingLines >= MOST_WAITING_LINES) return;
    this.#waitingLines += 1;
    this.#logged = this.#logged
      .then(() => (this.#isLogClosed ? undefined : this.#lease.log(line)))
      .catch((error: unknown) => {
        this.#options.logger.warn({ job: this.job.id, line, error: String(error) }, "a line of a job's log was lost");
      })
      .finally(() => {
        this.#waitingLines -= 1;
      });
  }

  /** Give the lines and the progress that are left a moment; a queue that is slow must not hold up the job's end. */
  async #closeLog(told?: Promise<void>): Promise<void> {
    if (this.#waitingLines === 0 && told === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#options.clock.setTimer(() => {
      this.#isLogClosed = true;
      resolve();
    }, LOG_WAIT_MS);
    await Promise.race([Promise.all([this.#logged, told]), promise]);
    timer.cancel();
  }

  async #tell({ end, outputs, isShort }: AttemptEnd): Promise<ThreadEnd["kind"] | StopReason> {
    const lease = this.#lease;
    const reason = this.#reason;
    if (reason === "lease-lost") return reason;
    // Work that was finished nevertheless is not thrown away, unless somebody wanted it to be.
    if (reason === "released" && end.kind !== "done") return await this.#told(() => lease.release(), reason);
    if (reason === "cancelled") return await this.#told(() => lease.cancelled(), reason);
    switch (end.kind) {
      case "done":
        return await this.#done({ value: end.value, outputs });
      case "failed": {
        const { isFinal, ...failure } = end.failure;
        // That the queue, the blobs or other workers were away is no fault of the job: the queue says how often it counts.
        if (isShort || failure.code === "queue-away") return await this.#giveBack(failure);
        return await this.#told(() => lease.failed(failure, isFinal), end.kind);
      }
      case "killed":
        return await this.#told(() => lease.release(), "released");
    }
  }

  /** A result that the queue refuses would be refused again: the job has failed. */
  async #done(result: JobResult): Promise<"done" | "failed" | "lease-lost"> {
    try {
      return await this.#told(() => this.#lease.done(result), "done");
    } catch (error) {
      if (!(error instanceof JobError) || !error.isFinal) throw error;
      const { code, message } = failureOf(error);
      // What it was asked with is not what is wrong.
      const failure = { code: code === "bad-params" ? "bad-result" : code, message } as const;
      return await this.#told(() => this.#lease.failed(failure, true), "failed");
    }
  }

  /** Let the job begin again, but not at once: whatever was away may still be. */
  async #giveBack(away: Pick<AttemptFailure, "code" | "message">): Promise<StopReason> {
    this.#options.logger.warn({ job: this.job.id, error: away.message }, "a job is given back: something is away");
    this.#log(`it is given back: ${away.message}`);
    await this.#closeLog();
    return await this.#told(() => this.#lease.release(away), "released");
  }

  /** A queue that is away keeps an end waiting; only a worker that ends does not wait for it. */
  async #told<End extends string>(tell: () => Promise<boolean>, end: End): Promise<End | "lease-lost"> {
    const isWanted = () => this.#reason !== "released";
    return (await this.#patiently(tell, "the end of a job waits for the queue", isWanted)) ? end : "lease-lost";
  }

  /** Do something that passes in the end: again and again while what it needs is away, or full, and it is still wanted. */
  async #patiently<Value>(act: () => Promise<Value>, what: string, isWanted: () => boolean): Promise<Value> {
    const { clock, logger } = this.#options;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        return await act();
      } catch (error) {
        const isPassing = error instanceof JobError && error.isPassing;
        if (!isPassing || !isWanted()) throw error;
        logger.warn({ job: this.job.id, error: error.message }, what);
        await new Promise<void>((resolve) => clock.setTimer(resolve, pauseMs));
      }
    }
  }
}

function failedBefore(error: unknown): AttemptEnd {
  return { end: { kind: "failed", failure: failureOf(error) }, outputs: [], isShort: false };
}
