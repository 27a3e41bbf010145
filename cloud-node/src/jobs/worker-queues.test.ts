import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import { SILENT_LOGGER } from "../logger.ts";
import type { Job, JobSpec, JsonObject } from "./job.ts";
import { describeWithNats, NatsServers } from "./nats-servers.suite.ts";
import { type OpenQueue, openQueue } from "./open-queue.ts";
import { isSeat } from "./seat.ts";
import { TRIALS_URL, WORKLOADS } from "./trial-workloads.suite.ts";
import { JobWorker } from "./worker.ts";
import { WORKER_DEFAULTS } from "./worker-defaults.ts";

const SLOW_MS = 60_000;

describe("workers on a queue in a file", () => {
  workerSuite(async (folder) => ({ url: `sqlite:${join(folder, "node.db.jobs")}`, stop: async () => undefined }));
});

describeWithNats("workers on a queue in NATS", () => {
  workerSuite(async () => {
    const servers = await NatsServers.start();
    return { url: servers.url, stop: () => servers.stop() };
  });
});

/** What two workers make of jobs, wherever the queue is: each has its own connection, as on two machines. */
function workerSuite(start: (folder: string) => Promise<{ readonly url: string; stop(): Promise<void> }>): void {
  let folder = "";
  let stop: () => Promise<void>;
  let submitter: OpenQueue;
  const opened: OpenQueue[] = [];
  const workers: JobWorker[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lockstep-workers-"));
    const started = await start(folder);
    stop = started.stop;
    const clock = systemClock();
    submitter = await openQueue(started.url, clock);
    opened.push(submitter);
    for (const name of ["a", "b"]) {
      const own = await openQueue(started.url, clock);
      opened.push(own);
      const place = { name, scratch: join(folder, name), threads: 2, registry: TRIALS_URL, memoryMb: 128 };
      const all = { workloads: Object.keys(WORKLOADS), clock, logger: SILENT_LOGGER };
      const worker = new JobWorker({ ...WORKER_DEFAULTS, ...own, ...place, ...all, leaseMs: 300, graceMs: 200 });
      await worker.start();
      workers.push(worker);
    }
  }, SLOW_MS);
  afterAll(async () => {
    for (const worker of workers) await worker.stop();
    for (const own of opened) await own.close();
    await stop();
    rmSync(folder, { recursive: true });
  }, SLOW_MS);

  async function submit(workload: string, params: JsonObject, more: Partial<JobSpec> = {}, maxAttempts = 2) {
    const spec = { workload, params, inputs: [], salt: "", ...more };
    return (await submitter.queue.submit(spec, { maxAttempts })).job.id;
  }

  async function ended(id: string): Promise<Job> {
    for (;;) {
      const job = await submitter.queue.get(id);
      if (job !== undefined && job.state !== "queued" && job.state !== "running") return job;
      await new Promise<void>((resolve) => setTimeout(resolve, 20));
    }
  }

  test("end each of many jobs once", { timeout: SLOW_MS }, async () => {
    const ids: string[] = [];
    for (let count = 0; count < 40; count++) ids.push(await submit("echo", { count }));
    const jobs = await Promise.all(ids.map(ended));
    expect(jobs.map(({ state, attempts, result }) => [state, attempts, result?.value.count])).toEqual(
      ids.map((_, count) => ["done", 1, count]),
    );
  });

  test("read inputs and keep outputs", { timeout: SLOW_MS }, async () => {
    const bytes = Buffer.from(Array.from({ length: 1_000_003 }, (_, i) => (i * 31) % 253));
    const source = async function* () {
      yield bytes;
    };
    const ref = await submitter.blobs.put(source);
    const job = await ended(await submit("copies", {}, { inputs: [{ name: "in", ...ref }] }));
    expect(job).toMatchObject({ state: "done", result: { value: { bytes: bytes.length } } });
    expect(job.result?.outputs).toEqual(["in.read", "in.file"].map((name) => ({ name, ...ref })));
    const [output] = job.result?.outputs ?? [];
    if (output !== undefined) expect((await buffer(submitter.blobs.get(output))).equals(bytes)).toBe(true);
  });

  test("go on from a checkpoint, whoever left it", { timeout: SLOW_MS }, async () => {
    const job = await ended(await submit("steps", { file: join(folder, "steps"), until: 2 }));
    expect(job).toMatchObject({ state: "done", attempts: 2, result: { value: { from: 2 } } });
  });

  test("give up what harms them, each with its error", { timeout: SLOW_MS }, async () => {
    const crash = await submit("crashes", {});
    const wrong = await submit("echo", { count: "x" });
    expect(await ended(wrong)).toMatchObject({ state: "failed", attempts: 1, error: { code: "bad-params" } });
    const dead = await ended(crash);
    expect(dead).toMatchObject({ state: "dead", attempts: 2, error: { code: "worker-died" } });
    expect(dead.error?.message).toContain("out of its mind");
  });

  test("hear that a job is cancelled", { timeout: SLOW_MS }, async () => {
    const ids = [await submit("waits", {}), await submit("spins", {})];
    for (const id of ids) {
      while ((await submitter.queue.log(id)).length === 0)
        await new Promise<void>((resolve) => setTimeout(resolve, 20));
      await submitter.queue.cancel(id);
      expect(await ended(id)).toMatchObject({ state: "cancelled", attempts: 1 });
    }
  });

  test("share a job", { timeout: SLOW_MS }, async () => {
    const job = await ended(await submit("talks", { how: "stay", count: 4, bytes: 70_000 }));
    expect(job).toMatchObject({ state: "done", attempts: 1 });
    expect(job.result?.value.heard).toHaveLength(9);
    expect(job.result?.value.reports).toHaveLength(3);
    expect((await submitter.queue.list({ limit: 100 })).filter(isSeat)).toHaveLength(3);
  });
}
