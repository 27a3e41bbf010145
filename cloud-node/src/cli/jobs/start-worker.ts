import { hostname, tmpdir } from "node:os";
import type { Clock } from "../../clock.ts";
import type { BlobStore } from "../../jobs/blob-store.ts";
import type { ChannelReach } from "../../jobs/channel-reach.ts";
import { JobError } from "../../jobs/job-error.ts";
import type { JobQueue } from "../../jobs/job-queue.ts";
import { JobWorker } from "../../jobs/worker.ts";
import { WORKER_DEFAULTS } from "../../jobs/worker-defaults.ts";
import type { Logger } from "../../logger.ts";
import { CommandError } from "../command-error.ts";
import { knownWorkloads } from "./known-workloads.ts";
import { makeScratch, removeScratch } from "./worker-scratch.ts";

/** What a worker is started with. */
export interface WorkerPlan extends ChannelReach {
  readonly queue: JobQueue;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** undefined: host and process. */
  readonly name: string | undefined;
  /** undefined: all that there are. */
  readonly workloads: readonly string[] | undefined;
  /** A module of somebody's own; undefined: this release's. */
  readonly workloadsFrom: string | undefined;
  readonly leaseMs: number;
  readonly threads: number;
  readonly memoryMb: number;
  /** undefined: the system's. */
  readonly scratch: string | undefined;
}

/** A worker that runs. */
export interface StartedWorker {
  readonly name: string;
  readonly workloads: readonly string[];
  /** Give back what is not done, within ten seconds. */
  stop(): Promise<void>;
}

/**
 * Start a worker in this process.
 *
 * @throws {CommandError} `usage` for a kind of work that there is not, `file` for a module without any
 */
export async function startWorker(plan: WorkerPlan): Promise<StartedWorker> {
  const { name = `${hostname()}-${process.pid}`, workloadsFrom, scratch: folder = tmpdir(), ...rest } = plan;
  const known = await knownWorkloads(workloadsFrom);
  const { workloads = Object.keys(known.workloads) } = plan;
  if (workloads.length === 0)
    throw new CommandError("usage", "no kind of work is named", "leave --workloads out for all");
  const scratch = await makeScratch(folder, plan.clock);
  const { graceMs, peersMs } = WORKER_DEFAULTS;
  const worker = new JobWorker({ ...rest, name, workloads, registry: known.url, scratch, graceMs, peersMs });
  try {
    await worker.start();
  } catch (error) {
    await removeScratch(scratch);
    if (!(error instanceof JobError) || error.code !== "unknown-workload") throw error;
    throw new CommandError("usage", error.message, "", { cause: error });
  }
  const stop = async (): Promise<void> => {
    await worker.stop();
    await removeScratch(scratch);
  };
  return { name, workloads, stop };
}

/** Start a worker for a node's own queue, which takes whatever there is. */
export async function nodeWorker(
  { queue, blobs }: Pick<WorkerPlan, "queue" | "blobs">,
  threads: number,
  around: Pick<WorkerPlan, "clock" | "logger">,
): Promise<StartedWorker> {
  const { leaseMs, memoryMb, channelHost } = WORKER_DEFAULTS;
  const choice = { name: undefined, workloads: undefined, workloadsFrom: undefined, scratch: undefined };
  return await startWorker({ queue, blobs, ...around, ...choice, threads, leaseMs, memoryMb, channelHost });
}
