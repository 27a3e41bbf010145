import type { Clock } from "../clock.ts";
import { InvariantError } from "../invariant-error.ts";
import type { Job } from "./job.ts";
import { failureOf } from "./job-failure.ts";
import type { JobLease } from "./job-queue.ts";
import { JobRun, type JobRunOptions } from "./job-run.ts";
import { JobThread } from "./job-thread.ts";
import { findWorkload, type RegistryModule } from "./workload-registry.ts";

export interface JobWorkerOptions extends JobRunOptions {
  /** Told to the queue with each claim. */
  readonly name: string;
  /** File that exports `WORKLOADS`, as a URL; each thread loads it. */
  readonly registry: string;
  /** Which of them it works on. */
  readonly workloads: readonly string[];
  /** Jobs at once, 1 …. */
  readonly threads: number;
  /** Memory of each thread, heap and buffers, MiB, ≥ 16. */
  readonly memoryMb: number;
}

/** How long to wait for a job before asking again, and for a queue that does not answer or a system without a thread. */
const WAIT_MS = 5_000;
const AWAY_MS = 1_000;
const MOST_IDLE_WAITS = 2;
/** What a worker that ends takes at most. */
const STOP_MS = 10_000;

/** Takes jobs out of a queue and works on them, each in a thread that no other job has meanwhile; none can take it along. */
export class JobWorker {
  readonly #options: JobWorkerOptions;
  readonly #ending = new AbortController();
  readonly #runs = new Set<JobRun>();
  #slots: Promise<void>[] = [];

  constructor(options: JobWorkerOptions) {
    this.#options = options;
  }

  /** Jobs that are worked on now. */
  get running(): readonly Job[] {
    return [...this.#runs].map(({ job }) => job);
  }

  /** Begin to take jobs. @throws {JobError} `unknown-workload` when the registry lacks one */
  async start(): Promise<void> {
    const { registry, workloads, threads } = this.#options;
    if (this.#slots.length > 0) throw new InvariantError("a worker is started once");
    const { WORKLOADS }: RegistryModule = await import(registry);
    for (const name of workloads) findWorkload(WORKLOADS, name);
    this.#slots = Array.from({ length: threads }, () => this.#serve());
  }

  /**
   * Take no more jobs, ask those that run to end, and give back what has not ended: it counts as no attempt.
   *
   * Resolves after at most ten seconds.
   */
  async stop(): Promise<void> {
    this.#ending.abort();
    for (const run of this.#runs) run.stop("released");
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#options.clock.setTimer(resolve, STOP_MS);
    await Promise.race([Promise.all(this.#slots), promise]);
    timer.cancel();
  }

  async #serve(): Promise<void> {
    const { queue, workloads, name, logger } = this.#options;
    const { signal } = this.#ending;
    // One always stands ready: a job waits for no thread to start, and for no workload to be loaded.
    let thread = await this.#newThread();
    let idleWaits = 0;
    let told: Promise<void> = Promise.resolve();
    while (!signal.aborted) {
      try {
        const lease = await queue.claim(workloads, name);
        if (lease !== undefined) {
          idleWaits = 0;
          if (thread?.isFit !== true) thread = await this.#newThread(lease);
          if (thread === undefined) {
            await pause(this.#options.clock, AWAY_MS, signal);
            continue;
          }
          const work = this.#work(lease, thread);
          await work.left;
          // While the end of one job is told, its thread has the next one: of more than one the queue would be told late.
          await told;
          told = work.told;
          continue;
        }
        // What its last jobs left behind would only take memory.
        if (idleWaits === MOST_IDLE_WAITS && thread?.isFresh !== true) {
          await thread?.kill();
          thread = await this.#newThread();
        }
        idleWaits += 1;
        await queue.wait(workloads, WAIT_MS, signal);
      } catch (error) {
        logger.warn({ error: String(error) }, "the queue does not answer");
        await pause(this.#options.clock, AWAY_MS, signal);
      }
    }
    await told;
    await thread?.kill();
  }

  /** Work on a job. @returns when its thread is free, and when its end is told */
  #work(lease: JobLease, thread: JobThread): { readonly left: Promise<void>; readonly told: Promise<void> } {
    const run = new JobRun(this.#options, lease, thread);
    this.#runs.add(run);
    if (this.#ending.signal.aborted) run.stop("released");
    return { left: run.left, told: this.#tell(run, lease) };
  }

  async #tell(run: JobRun, lease: JobLease): Promise<void> {
    const { logger } = this.#options;
    const facts = { job: lease.job.id, workload: lease.job.workload, attempt: lease.attempt };
    logger.info(facts, "a job begins");
    try {
      logger.info({ ...facts, end: await run.run() }, "a job ended");
    } catch (error) {
      // Only the queue is left to have failed: the lease runs out, and the job is taken again.
      logger.error({ ...facts, error: failureOf(error).message }, "the end of a job could not be told");
    } finally {
      this.#runs.delete(run);
    }
  }

  /** @returns undefined: the system has none to give, which matters only to a job: that is given back */
  async #newThread(lease?: JobLease): Promise<JobThread | undefined> {
    try {
      return new JobThread(this.#options);
    } catch (error) {
      if (lease === undefined) return undefined;
      const { code, message } = failureOf(error);
      const { logger } = this.#options;
      logger.error({ job: lease.job.id, error: message }, "no thread can be made: the job is given back");
      await lease.release({ code, message: `no thread could be made, ${message}` });
      return undefined;
    }
  }
}

function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.setTimer(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        timer.cancel();
        resolve();
      },
      { once: true },
    );
  });
}
