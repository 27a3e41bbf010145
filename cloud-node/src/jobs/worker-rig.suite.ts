import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../clock.ts";
import { SILENT_LOGGER } from "../logger.ts";
import type { JobSpec, JsonObject } from "./job.ts";
import { MemoryBlobs } from "./memory-blobs.suite.ts";
import { MemoryQueue } from "./memory-queue.suite.ts";
import { TRIALS_URL, WORKLOADS } from "./trial-workloads.suite.ts";
import { JobWorker, type JobWorkerOptions, WORKER_DEFAULTS } from "./worker.ts";

/** A queue, a blob store and workers on them. */
export class WorkerRig {
  readonly queue = new MemoryQueue();
  readonly blobs = new MemoryBlobs();
  readonly scratch = mkdtempSync(join(tmpdir(), "lockstep-worker-"));
  readonly #workers: JobWorker[] = [];

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
    rmSync(this.scratch, { recursive: true, force: true });
  }
}
