import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Queue, QueueEvents } from "bullmq";
import { type RedisKeeping, RedisServer } from "./redis-server.ts";

/** How much is done, the same as of ours. */
export interface BullPlan {
  readonly jobs: number;
  /** Done before it counts. */
  readonly firstJobs: number;
  /** Added at the same time. */
  readonly atOnce: number;
  /** Worked on at the same time. */
  readonly concurrency: number;
}

const QUEUE = "bench";
const WORKER = fileURLToPath(new URL("./bullmq-worker.ts", import.meta.url));

/** Small jobs per second of BullMQ, with its worker in a process of its own as ours is. */
export async function bullRate(
  keeping: RedisKeeping,
  { jobs, firstJobs, atOnce, concurrency }: BullPlan,
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-bench-redis-"));
  const redis = await RedisServer.start(folder, keeping);
  const connection = { host: "127.0.0.1", port: redis.port };
  const worker = fork(WORKER, [QUEUE, String(redis.port), String(concurrency)]);
  const queue = new Queue(QUEUE, { connection });
  const events = new QueueEvents(QUEUE, { connection });
  try {
    await once(worker, "message");
    await events.waitUntilReady();
    await doneBy(queue, events, firstJobs, atOnce);
    const startedMs = performance.now();
    await doneBy(queue, events, jobs, atOnce);
    return (1000 * jobs) / (performance.now() - startedMs);
  } finally {
    worker.kill("SIGKILL");
    await events.close();
    await queue.close();
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Add so many jobs; resolves once all of them are heard to be done. */
async function doneBy(queue: Queue, events: QueueEvents, jobs: number, atOnce: number): Promise<void> {
  let done = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const count = (): void => {
    done += 1;
    if (done === jobs) resolve();
  };
  events.on("completed", count);
  let next = 0;
  const add = async (): Promise<void> => {
    while (next < jobs) {
      const n = next;
      next += 1;
      await queue.add("tiny", { n });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, add));
  await promise;
  events.off("completed", count);
}
