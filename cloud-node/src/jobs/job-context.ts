import { mkdirSync } from "node:fs";
import { systemClock } from "../clock.ts";
import type { BlobRef } from "./blob-store.ts";
import { FileBlobs } from "./file-blobs.ts";
import type { JobProgress, NamedBlob } from "./job.ts";
import { JobError } from "./job-error.ts";
import { shortened } from "./job-failure.ts";
import { Pace } from "./pace.ts";
import { seededRandom } from "./seeded-random.ts";
import type { ThreadChannel } from "./thread-channel.ts";
import { attemptOver, type ThreadLine } from "./thread-line.ts";
import { STOP_REASONS, type StopReason, type ThreadOrder, type WriteTarget } from "./thread-messages.ts";
import type { JobContext } from "./workload.ts";

/** Four times a second. */
const TELL_PAUSE_MS = 250;
/** Lines of one pause that are kept: a workload that logs in a loop fills neither memory nor the queue. */
const MOST_LINES = 16;
/** Small pieces cost a message each. */
const CHUNK_BYTES = 1024 * 1024;

/** What a workload sees, in its thread: everything else is asked of the worker. */
export class ThreadContext implements JobContext {
  readonly jobId: string;
  readonly attempt: number;
  readonly inputs: readonly NamedBlob[];
  readonly channel: ThreadChannel | undefined;
  readonly #line: ThreadLine;
  readonly #order: ThreadOrder;
  readonly #stop: Int32Array;
  readonly #clock = systemClock();
  readonly #stopper = new AbortController();
  readonly #pace: Pace;
  /** Reads that are open; those of files end with the attempt, whoever still goes on with them. */
  readonly #reads = new Set<AsyncGenerator<Uint8Array>>();
  #isClosed = false;
  #random: (() => number) | undefined;
  #hasScratch = false;
  #progress: JobProgress = { fraction: null, note: "", metrics: {} };
  #isProgressNew = false;
  #lines: string[] = [];
  #leftOut = 0;

  /** @param stop  see `ThreadData` */
  constructor(order: ThreadOrder, stop: Int32Array, line: ThreadLine, channel: ThreadChannel | undefined) {
    this.jobId = order.jobId;
    this.attempt = order.attempt;
    this.inputs = order.inputs;
    this.channel = channel;
    this.#order = order;
    this.#stop = stop;
    this.#line = line;
    this.#pace = new Pace(this.#clock, TELL_PAUSE_MS, () => this.#tell());
    this.look();
  }

  get signal(): AbortSignal {
    return this.#stopper.signal;
  }

  get scratch(): string {
    const { scratch } = this.#order;
    if (!this.#hasScratch) mkdirSync(scratch, { recursive: true });
    this.#hasScratch = true;
    return scratch;
  }

  /** See whether it should end. */
  look(): void {
    const reason = STOP_REASONS[Atomics.load(this.#stop, 0) - 1];
    if (reason !== undefined && !this.signal.aborted) this.#stopper.abort(stopped(reason));
  }

  random(): number {
    // Places of a shared job have numbers of their own.
    const place = this.channel === undefined || this.channel.index === 0 ? "" : ` ${this.channel.index}`;
    this.#random ??= seededRandom(`${this.jobId}${place}`);
    return this.#random();
  }

  nowMs(): number {
    return this.#clock.unixUs() / 1000;
  }

  log(line: string): void {
    this.look();
    this.#lines.push(shortened(line));
    if (this.#lines.length > MOST_LINES) {
      this.#lines.shift();
      this.#leftOut += 1;
    }
    this.#pace.touch();
  }

  progress(progress: Partial<JobProgress>): void {
    this.look();
    this.#progress = updated(this.#progress, progress);
    this.#isProgressNew = true;
    this.#pace.touch();
  }

  read(input: BlobRef): AsyncIterable<Uint8Array> {
    const ref = { sha256: input.sha256, bytes: input.bytes };
    const { blobFolder } = this.#order;
    if (blobFolder === undefined) return this.#read(ref);
    // No byte of a file goes through the worker, which all of its threads would have to share.
    return this.#readFile(ref, new FileBlobs(blobFolder));
  }

  file(input: NamedBlob): Promise<string> {
    return this.#line.call("file", [{ name: input.name, sha256: input.sha256, bytes: input.bytes }]);
  }

  async write(name: string, source: AsyncIterable<Uint8Array>): Promise<NamedBlob> {
    return { name, ...(await this.#write({ kind: "output", name }, source)) };
  }

  async writeFile(name: string, path: string): Promise<NamedBlob> {
    return { name, ...(await this.#line.call("write-file", [name, path])) };
  }

  resume(): AsyncIterable<Uint8Array> | undefined {
    return this.#order.hasCheckpoint ? this.#read("checkpoint") : undefined;
  }

  async checkpoint(source: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#write({ kind: "checkpoint" }, source);
  }

  /** Tell what was not told yet, and let go of what is still open. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#pace.flush();
    for (const chunks of this.#reads) await chunks.return(undefined);
  }

  #tell(): void {
    const lines = this.#leftOut === 0 ? this.#lines : [`(${this.#leftOut} lines left out)`, ...this.#lines];
    this.#line.tell(this.#isProgressNew ? this.#progress : undefined, lines);
    this.#isProgressNew = false;
    this.#lines = [];
    this.#leftOut = 0;
  }

  async *#readFile(ref: BlobRef, blobs: FileBlobs): AsyncGenerator<Uint8Array> {
    if (this.#isClosed) throw attemptOver();
    const chunks = blobs.get(ref, { signal: this.signal });
    this.#reads.add(chunks);
    try {
      for await (const chunk of chunks) {
        yield chunk;
        if (this.#isClosed) throw attemptOver();
      }
    } finally {
      this.#reads.delete(chunks);
    }
  }

  async *#read(ref: BlobRef | "checkpoint"): AsyncGenerator<Uint8Array> {
    const read = await this.#line.call("read-open", [ref]);
    try {
      for (let next = this.#next(read); ; ) {
        this.signal.throwIfAborted();
        const chunk = await next;
        if (chunk === undefined) return;
        // On its way while this one is looked at.
        next = this.#next(read);
        yield chunk;
      }
    } finally {
      await this.#line.call("read-close", [read]);
    }
  }

  #next(read: number): Promise<Uint8Array | undefined> {
    const next = this.#line.call("read-next", [read]);
    // Of one that is not waited for any more nobody needs to know.
    next.catch(() => {});
    return next;
  }

  async #write(target: WriteTarget, source: AsyncIterable<Uint8Array>): Promise<BlobRef> {
    const write = await this.#line.call("write-open", [target]);
    try {
      let sent: Promise<undefined> = Promise.resolve(undefined);
      for await (const piece of source) {
        for (let from = 0; from < piece.length; from += CHUNK_BYTES) {
          this.signal.throwIfAborted();
          // A copy: the piece stays the workload's, which may fill it again.
          const chunk = new Uint8Array(piece.subarray(from, from + CHUNK_BYTES));
          // One is on its way while the next one is made.
          await sent;
          sent = this.#line.call("write-chunk", [write, chunk], [chunk.buffer]);
          sent.catch(() => {});
        }
      }
      await sent;
    } catch (error) {
      await this.#line.call("write-break", [write]);
      throw error;
    }
    return await this.#line.call("write-end", [write]);
  }
}

/**
 * What a workload tells, over what it told before. It may be anybody's JavaScript: what is not as typed is left out here,
 * and what makes no sense as a number by the queue.
 */
function updated(before: JobProgress, told: unknown): JobProgress {
  const { fraction, note, metrics }: { readonly [name: string]: unknown } = Object(told);
  return {
    fraction: typeof fraction === "number" || fraction === null ? fraction : before.fraction,
    note: typeof note === "string" ? note : before.note,
    metrics: typeof metrics === "object" && metrics !== null ? numbersOf(metrics) : before.metrics,
  };
}

function numbersOf(metrics: object): JobProgress["metrics"] {
  return Object.fromEntries(Object.entries(metrics).filter(([, value]) => typeof value === "number"));
}

/** What a signal says of why it was given. */
function stopped(reason: StopReason): JobError {
  switch (reason) {
    case "cancelled":
      return new JobError("cancelled", "the job is to be cancelled", "`jobs retry` begins it anew");
    case "lease-lost":
      return new JobError("lease-lost", "the job is somebody else's by now", "nothing: it is worked on there");
    case "released":
      return new JobError("cancelled", "the worker ends", "nothing: the job waits for the next one");
  }
}
