import { Worker } from "node:worker_threads";
import { BenchError } from "./bench-error.ts";
import type { Cell, CellJob } from "./codec-cell.ts";

/** What a caller of `measureCells` may say. */
export interface MeasureOptions {
  readonly threads: number;
  /** Aborted: the threads end at once, nothing is kept. */
  readonly signal: AbortSignal;
  /** Called after each cell. */
  readonly onCell: (cell: Cell, done: number) => void;
}

/**
 * Measure cells on several threads, the largest first.
 *
 * @returns the cells in the order of their jobs
 * @throws {BenchError} `stopped`; what a job throws, the others being given up
 */
export async function measureCells(jobs: readonly CellJob[], options: MeasureOptions): Promise<Cell[]> {
  const cells = new Map<CellJob, Cell>();
  const waiting = jobs.toSorted((a, b) => b.set.values.length - a.set.values.length);
  const workers = Array.from({ length: Math.min(options.threads, jobs.length) }, () => {
    return new Worker(new URL("./codec-worker.ts", import.meta.url));
  });
  const { promise: stopped, reject: stop } = Promise.withResolvers<never>();
  const onAbort = () => stop(new BenchError("stopped", { cells: cells.size, of: jobs.length }));
  options.signal.addEventListener("abort", onAbort);
  if (options.signal.aborted) onAbort();
  const work = async (worker: Worker) => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      const cell = await ask(worker, job);
      cells.set(job, cell);
      options.onCell(cell, cells.size);
    }
  };
  try {
    await Promise.race([stopped, Promise.all(workers.map(work))]);
  } finally {
    options.signal.removeEventListener("abort", onAbort);
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  return jobs.flatMap((job) => cells.get(job) ?? []);
}

function ask(worker: Worker, job: CellJob): Promise<Cell> {
  const { promise, resolve, reject } = Promise.withResolvers<Cell>();
  worker.once("error", reject);
  worker.once("message", (cell: Cell) => {
    worker.off("error", reject);
    resolve(cell);
  });
  worker.postMessage(job);
  return promise;
}
