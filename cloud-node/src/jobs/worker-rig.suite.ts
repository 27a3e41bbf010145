import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../clock.ts";
import { SILENT_LOGGER } from "../logger.ts";
import type { JobSpec, JsonObject } from "./job.ts";
import { TrialBlobs } from "./trial-blobs.suite.ts";
import { TrialQueue } from "./trial-queue.suite.ts";
import { TRIALS_URL, WORKLOADS } from "./trial-workloads.suite.ts";
import { JobWorker, type JobWorkerOptions } from "./worker.ts";
import { WORKER_DEFAULTS } from "./worker-defaults.ts";

/** A queue, a blob store and workers on them. */
export class WorkerRig {
  readonly queue: TrialQueue;
  readonly blobs: TrialBlobs;
  /** Where attempts have their folders. */
  readonly scratch: string;
  readonly #folder: string;
  readonly #workers: JobWorker[] = [];

  static async open(): Promise<WorkerRig> {
    const folder = mkdtempSync(join(tmpdir(), "lockstep-worker-"));
    return new WorkerRig(folder, await TrialQueue.open(join(folder, "trial.jobs")));
  }

  private constructor(folder: string, queue: TrialQueue) {
    this.#folder = folder;
    this.queue = queue;
    this.blobs = new TrialBlobs(join(folder, "trial.blobs"));
    this.scratch = join(folder, "scratch");
    mkdirSync(this.scratch);
  }

  /** The queue, as another process opens it. */
  get url(): string {
    return `sqlite:${join(this.#folder, "trial.jobs")}`;
  }

  /** A worker with short times, at work. */
  async worker(options: Partial<JobWorkerOptions> = {}): Promise<JobWorker> {
    const worker = new JobWorker({
      ...WORKER_DEFAULTS,
      ...{ queue: this.queue, blobs: this.blobs, registry: TRIALS_URL, workloads: Object.keys(WORKLOADS) },
      ...{ name: "worker", threads: 1, memoryMb: 64, scratch: this.scratch, leaseMs: 60, graceMs: 200, peersMs: 5_000 },
      ...{ clock: systemClock(), logger: SILENT_LOGGER },
      ...options,
    });
    await worker.start();
    this.#workers.push(worker);
    return worker;
  }

  /** @returns the id */
  async submit(workload: string, params: JsonObject = {}, more: Partial<JobSpec> & { maxAttempts?: number } = {}) {
    const { maxAttempts, ...spec } = more;
    const { job } = await this.queue.submit({ workload, params, inputs: [], salt: "", ...spec }, { maxAttempts });
    return job.id;
  }

  /** Submit, and wait for the end. */
  async run(...args: Parameters<WorkerRig["submit"]>) {
    return await this.queue.ended(await this.submit(...args));
  }

  /** Wait until a job's log has such a line. */
  async logged(id: string, part: string): Promise<void> {
    while (!(await this.queue.log(id)).some((line) => line.includes(part))) {
      await new Promise<void>((resolve) => setTimeout(resolve, 2));
    }
  }

  /** Folders of attempts that are there now. */
  folders(): string[] {
    return readdirSync(this.scratch);
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop()));
    await this.queue.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
