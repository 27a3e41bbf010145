import { getCompileCacheDir } from "node:module";
import { dirname } from "node:path";
import { Worker } from "node:worker_threads";
import type { Clock, Timer } from "../clock.ts";
import { threadFile } from "../thread-file.ts";
import type { JobProgress, JsonObject } from "./job.ts";
import { JobError } from "./job-error.ts";
import { type AttemptFailure, failureOf } from "./job-failure.ts";
import { packJobError } from "./packed-job-error.ts";
import {
  type FromThread,
  STOP_REASONS,
  type StopReason,
  type ThreadCallDesk,
  type ThreadData,
  type ThreadOrder,
  type ToThread,
} from "./thread-messages.ts";

const THREAD_URL = threadFile(import.meta.url, "worker-thread");
/** Between two looks at the memory that V8's own limits leave out: buffers and WebAssembly. */
const MEMORY_LOOK_MS = 500;
const MIB = 1024 * 1024;
/** Attempts that one thread serves: what a workload forgets to let go of does not add up for ever. */
const MOST_RUNS = 1_000;

/** A workload reads no environment; its thread is told where this process keeps modules compiled, if it does. */
function environment(): NodeJS.ProcessEnv {
  const kept = getCompileCacheDir();
  // A folder of this very version of Node, which the thread adds by itself.
  return kept === undefined ? {} : { NODE_COMPILE_CACHE: dirname(kept) };
}

/** How an attempt in a thread ended. */
export type ThreadEnd =
  | { readonly kind: "done"; readonly value: JsonObject }
  | { readonly kind: "failed"; readonly failure: AttemptFailure }
  /** By `kill`. */
  | { readonly kind: "killed" };

export interface JobThreadOptions {
  /** The registry's file, as a URL. */
  readonly registry: string;
  /** Those that it loads before a job asks for them. */
  readonly workloads: readonly string[];
  /** Of heap, and of heap and buffers together, MiB. */
  readonly memoryMb: number;
  readonly clock: Clock;
}

/** Who answers a thread, and hears of it. */
export interface ThreadHearer {
  readonly desk: ThreadCallDesk;
  told(progress: JobProgress | undefined, lines: readonly string[]): void;
}

type Begin = Omit<ThreadOrder, "kind" | "run">;

/** A thread for attempts, one after another: each but the last ended well, and left it as it was. */
export class JobThread {
  readonly #worker: Worker;
  readonly #options: JobThreadOptions;
  /** Shape (1), i32 in shared memory: see `ThreadData`. */
  readonly #stop = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  #runs = 0;
  #current: Attempt | undefined;
  /** Nothing can be said to it any more; or it can, and should not. */
  #isGone = false;
  #isSpent = false;
  #memoryTimer: Timer | undefined;

  constructor(options: JobThreadOptions) {
    this.#options = options;
    const { registry, workloads, memoryMb } = options;
    this.#worker = new Worker(THREAD_URL, {
      workerData: { registry, workloads: [...workloads], stop: this.#stop } satisfies ThreadData,
      env: environment(),
      argv: [],
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb: Math.max(8, memoryMb >> 3) },
    });
    this.#worker.stdout.resume();
    this.#worker.stderr.resume();
    this.#worker.on("message", (message: FromThread) => this.#heard(message));
    this.#worker.on("messageerror", (error) => this.#died(died(String(error))));
    this.#worker.on("error", (error: unknown) => this.#died(crash(error, memoryMb)));
    this.#worker.on("exit", (code) => this.#died(died(`exited with code ${code}`)));
  }

  /** Whether it stands ready, and no attempt was run in it. */
  get isFresh(): boolean {
    return this.isFit && this.#runs === 0;
  }

  /** Whether another attempt may be run in it. */
  get isFit(): boolean {
    return !this.#isGone && !this.#isSpent && this.#current === undefined && this.#runs < MOST_RUNS;
  }

  /** Run one attempt. Never rejects: whatever a workload does, this is how it ended. */
  run(begin: Begin, hearer: ThreadHearer): Promise<ThreadEnd> {
    this.#runs += 1;
    Atomics.store(this.#stop, 0, 0);
    const { promise, resolve } = Promise.withResolvers<ThreadEnd>();
    this.#current = { run: this.#runs, hearer, resolve };
    if (this.#isGone) this.#died(died("had ended"));
    else this.#post({ kind: "begin", run: this.#runs, ...begin });
    this.#lookAtMemory();
    return promise;
  }

  /** Ask the attempt to end. */
  stop(reason: StopReason): void {
    if (this.#current === undefined) return;
    Atomics.store(this.#stop, 0, STOP_REASONS.indexOf(reason) + 1);
    this.#post({ kind: "stop", run: this.#current.run });
  }

  /** End the thread, whatever it does. */
  async kill(): Promise<void> {
    this.#end({ kind: "killed" });
    this.#isGone = true;
    await this.#worker.terminate();
  }

  #heard(message: FromThread): void {
    const current = this.#current;
    // Of an attempt before this one.
    if (current === undefined || message.run !== current.run) return;
    if (message.kind === "tell") current.hearer.told(message.progress, message.lines);
    else if (message.kind === "call") void this.#answer(current, message);
    else if (message.kind === "done") this.#end({ kind: "done", value: JSON.parse(message.value) });
    else {
      // What failed may have left anything behind.
      this.#isSpent = true;
      this.#end({ kind: "failed", failure: message.failure });
    }
  }

  async #answer({ run, hearer }: Attempt, { id, name, args }: FromThread & { readonly kind: "call" }): Promise<void> {
    try {
      // The arguments of a call are those that its name asks for.
      const ask = hearer.desk[name] as (...args: readonly unknown[]) => Promise<unknown>;
      const answer = await ask.apply(hearer.desk, [...args]);
      const transfer = answer instanceof Uint8Array ? [answer.buffer as ArrayBuffer] : [];
      this.#post({ kind: "answer", run, id, answer }, transfer);
    } catch (error) {
      this.#post({ kind: "refusal", run, id, error: packJobError(asJobError(error)) });
    }
  }

  #died(failure: AttemptFailure): void {
    this.#isGone = true;
    this.#end({ kind: "failed", failure });
  }

  #end(end: ThreadEnd): void {
    this.#memoryTimer?.cancel();
    this.#current?.resolve(end);
    this.#current = undefined;
  }

  #post(message: ToThread, transfer: readonly ArrayBuffer[] = []): void {
    if (!this.#isGone) this.#worker.postMessage(message, transfer);
  }

  #lookAtMemory(): void {
    this.#memoryTimer = this.#options.clock.setTimer(() => void this.#checkMemory(this.#current), MEMORY_LOOK_MS);
  }

  async #checkMemory(attempt: Attempt | undefined): Promise<void> {
    const { memoryMb } = this.#options;
    const heap = await this.#worker.getHeapStatistics().catch(() => undefined);
    if (heap === undefined || attempt === undefined || this.#current !== attempt) return;
    const usedMb = (heap.used_heap_size + heap.external_memory) / MIB;
    if (usedMb <= memoryMb) return this.#lookAtMemory();
    this.#died(outOfMemory(memoryMb));
    await this.#worker.terminate();
  }
}

interface Attempt {
  readonly run: number;
  readonly hearer: ThreadHearer;
  resolve(end: ThreadEnd): void;
}

function crash(error: unknown, memoryMb: number): AttemptFailure {
  const isMemory =
    typeof error === "object" && error !== null && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY";
  return isMemory ? outOfMemory(memoryMb) : died(failureOf(error).message);
}

function died(how: string): AttemptFailure {
  const error = new JobError("worker-died", `its thread ended: ${how}`, "see its log, and the workload's limits");
  return failureOf(error);
}

function outOfMemory(memoryMb: number): AttemptFailure {
  const remedy = "give it smaller work, or the worker more with --memory";
  return failureOf(new JobError("out-of-memory", `its thread needed more than ${memoryMb} MiB`, remedy));
}

/** What a call of a thread failed of. */
function asJobError(error: unknown): JobError {
  if (error instanceof JobError) return error;
  const { code, message } = failureOf(error);
  return new JobError(code, message, "see the worker's log");
}
