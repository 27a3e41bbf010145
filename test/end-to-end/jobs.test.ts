import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Job, openQueue } from "@lockstep/cloud-node";
import { systemClock } from "@lockstep/edge-sdk";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { NatsCluster } from "../bench/nats-cluster.ts";
import { requires } from "../os-package.ts";
import { LockstepProcess, runLockstep } from "./lockstep-process.ts";

const LIMIT_MS = 120_000;
const WORKLOADS = fileURLToPath(new URL("../job-workloads.ts", import.meta.url));
const LEASE_S = 2;

interface Shown {
  readonly id: string;
  readonly state: string;
  readonly attempts: number;
  readonly progress: { readonly fraction: number | null } | null;
  readonly result: { readonly value: Record<string, unknown>; readonly outputs: readonly { name: string }[] } | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

let folder = "";
const running: LockstepProcess[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-jobs-"));
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(async () => {
  for (const process of running.splice(0)) await process.interrupted();
});

let stores = 0;
/** A queue that no other test has. */
function freshQueue(): string {
  stores += 1;
  return `sqlite:${join(folder, `${stores}.db.jobs`)}`;
}

/** A worker process, once it works. */
async function worker(queue: string, ...options: string[]): Promise<LockstepProcess> {
  const lease = ["--lease", String(LEASE_S), "--workloads-from", WORKLOADS];
  const process = new LockstepProcess("worker", "--jobs", queue, ...lease, ...options);
  running.push(process);
  await process.said(/"msg":"working"/);
  return process;
}

/** Run a command of jobs, and give the one object that it prints. */
async function jobs<Answer>(queue: string, ...args: string[]): Promise<Answer> {
  const { code, stdout, stderr } = await runLockstep("jobs", ...args, "--queue", queue, "--json");
  expect(code, stderr).toBe(0);
  expect(stdout.trim().split("\n").length).toBe(1);
  return JSON.parse(stdout) as Answer;
}

async function submit(queue: string, workload: string, ...args: string[]): Promise<string> {
  const own = ["--workloads-from", WORKLOADS];
  const answer = await jobs<{ id: string }>(queue, "submit", workload, ...own, ...args);
  expect(Object.keys(answer)).toEqual(["id"]);
  return answer.id;
}

/** Wait until a job is as a test wants it, looking into the queue from here: to start a command takes longer. */
async function until(queue: string, id: string, isSo: (job: Job) => boolean): Promise<void> {
  const open = await openQueue(queue, systemClock());
  try {
    await vi.waitUntil(async () => isSo((await open.queue.get(id)) ?? expect.fail(id)), {
      ...{ timeout: LIMIT_MS, interval: 20 },
    });
  } finally {
    await open.close();
  }
}

/** A job as it is shown, once it stands so. */
async function stands(queue: string, id: string, state: string): Promise<Shown> {
  await until(queue, id, (job) => job.state === state);
  const shown = await jobs<Shown>(queue, "show", id);
  expect(shown.state).toBe(state);
  return shown;
}

/** Wait until a worker has a job. */
async function isRunning(queue: string, id: string): Promise<void> {
  await until(queue, id, ({ state }) => state === "running");
}

/** Wait until a job has a part of its steps behind it. */
async function isUnderWay(queue: string, id: string): Promise<void> {
  await until(queue, id, ({ progress }) => (progress?.fraction ?? 0) > 0.2);
}

test(
  "a recording is handed in, compressed by a worker process, watched, fetched, and decodes to what it was",
  async () => {
    const queue = freshQueue();
    const csv = join(folder, "drive.csv");
    const rows = Array.from({ length: 2_000 }, (_, i) => `${i / 100},${Math.sin(i / 20).toFixed(4)}`);
    writeFileSync(csv, `t,x\n${rows.join("\n")}\n`);
    const process = new LockstepProcess("worker", "--jobs", queue);
    running.push(process);
    await process.said(/"msg":"working"/);
    const watched = await runLockstep(
      ...["jobs", "submit", "telemetry", csv, "--param", "eps=0.01", "--watch", "--queue", queue, "--json"],
    );
    expect(watched.code, watched.stderr).toBe(0);
    expect(watched.stderr, "no progress where nobody looks").not.toContain("\u001b");
    const { id } = JSON.parse(watched.stdout) as { id: string };
    const out = join(folder, "fetched");
    const shown = await jobs<Shown>(queue, "show", id.slice(0, 12), "--out", out);
    expect(Object.keys(shown)).toEqual(["id", "state", "progress", "attempts", "result", "error"]);
    expect(shown).toMatchObject({ id, state: "done", attempts: 1, error: null, result: { value: { samples: 2_000 } } });
    expect(shown.result?.outputs.map(({ name }) => name)).toEqual(["drive.csv.lst"]);
    const decoded = await runLockstep("decode", join(out, "drive.csv.lst"));
    const values = decoded.stdout.trim().split("\n").slice(1);
    expect(values.length).toBe(2_000);
    values.forEach((line, i) => {
      expect(Math.abs(Number(line.split(",")[1]) - Number(rows[i]?.split(",")[1]))).toBeLessThanOrEqual(0.01);
    });
    // The same request is the same job.
    expect((await jobs<{ id: string }>(queue, "submit", "telemetry", csv, "--param", "eps=0.01")).id).toBe(id);
  },
  LIMIT_MS,
);

test(
  "a worker that is killed loses its job to the next one, which goes on at the checkpoint; a job ends once",
  async () => {
    const queue = freshQueue();
    const first = await worker(queue, "--name", "first");
    const id = await submit(queue, "steps", "--param", "steps=12", "--param", "stepMs=250");
    await isUnderWay(queue, id);
    first.child.kill("SIGKILL");
    await first.finished();
    await worker(queue, "--name", "second");
    const { attempts, result, error } = await stands(queue, id, "done");
    expect(attempts).toBe(2);
    expect(Number(result?.value.from)).toBeGreaterThan(0);
    expect(error).toMatchObject({ code: "worker-died" });
    const text = await runLockstep("jobs", "show", id, "--queue", queue);
    expect(text.stdout).toContain("step 12 of 12");
  },
  LIMIT_MS,
);

test(
  "a worker that is told to end gives its job back at once, and that counts as no attempt",
  async () => {
    const queue = freshQueue();
    const first = await worker(queue);
    const id = await submit(queue, "steps", "--param", "steps=4000", "--param", "stepMs=100");
    await isRunning(queue, id);
    expect((await first.interrupted()).code).toBe(0);
    expect(await jobs<Shown>(queue, "show", id)).toMatchObject({ state: "queued", attempts: 0, error: null });
  },
  LIMIT_MS,
);

test(
  "a job is cancelled while it runs, begun anew, and forgotten with all that it left",
  async () => {
    const queue = freshQueue();
    await worker(queue);
    const id = await submit(queue, "steps", "--param", "steps=4000", "--param", "stepMs=50");
    await isRunning(queue, id);
    await jobs<Shown>(queue, "cancel", id);
    await stands(queue, id, "cancelled");
    const list = await jobs<{ jobs: readonly Shown[] }>(queue, "list", "--state", "cancelled");
    expect(list.jobs.map((job) => job.id)).toEqual([id]);
    expect(await jobs<Shown>(queue, "retry", id)).toMatchObject({ state: "queued", attempts: 0 });
    await isRunning(queue, id);
    await jobs<Shown>(queue, "cancel", id);
    await stands(queue, id, "cancelled");
    expect(await jobs(queue, "prune", "--older-than", "0")).toEqual({ pruned: [id] });
    expect(await jobs(queue, "list")).toEqual({ jobs: [] });
    const gone = await runLockstep("jobs", "show", id, "--queue", queue);
    expect(gone.code).toBe(1);
    expect(gone.stderr).toMatch(/no job .* see `lockstep jobs list`\n$/);
  },
  LIMIT_MS,
);

test(
  "a poisonous job is given up after its attempts with its error, and the worker does the next one",
  async () => {
    const queue = freshQueue();
    const process = await worker(queue);
    const id = await submit(queue, "poison", "--param", "how=exit", "--attempts", "2");
    const watched = await runLockstep("jobs", "watch", id, "--queue", queue, "--json");
    expect(watched.code).toBe(1);
    expect(JSON.parse(watched.stdout)).toMatchObject({
      jobs: [{ id, state: "dead", attempts: 2, error: { code: "worker-died" } }],
    });
    const next = await submit(queue, "tiny", "--param", "n=7");
    expect(await stands(queue, next, "done")).toMatchObject({ result: { value: { n: 7 } } });
    expect(process.child.exitCode).toBeNull();
  },
  LIMIT_MS,
);

test(
  "a node takes jobs in over its API, does them itself, and gives their outputs back; without a right nobody gets any",
  async () => {
    const store = join(folder, "node.db");
    const places = ["--http", "0", "--mqtt-port", "0", "--log", "info", "--store", store];
    const node = new LockstepProcess("serve", ...places, "--job-threads", "1");
    running.push(node);
    const { http } = JSON.parse(await node.said(/\{.*"msg":"listening"\}/)) as { http: string };
    const csv = join(folder, "long.csv");
    writeFileSync(csv, `t,x\n${Array.from({ length: 5_000 }, (_, i) => `${i / 100},${(i % 70) / 10}`).join("\n")}\n`);
    const { id } = await jobs<{ id: string }>(http, "submit", "telemetry", csv, "--param", "eps=0.05", "--watch");
    const out = join(folder, "from-node");
    expect(await jobs<Shown>(http, "show", id.slice(0, 8), "--out", out)).toMatchObject({ id, state: "done" });
    expect(readFileSync(join(out, "long.csv.lst")).length).toBeGreaterThan(100);
    // The queue is a file beside the store: what is here in the same folder sees it too.
    expect(await jobs<Shown>(`sqlite:${store}.jobs`, "show", id)).toMatchObject({ id, state: "done" });
    const again = await runLockstep("jobs", "retry", id, "--queue", http);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("is done")]);
    await runLockstep("tokens", "add", "reader", "--role", "read", "--store", store);
    const refused = await vi.waitFor(async () => {
      const list = await runLockstep("jobs", "list", "--queue", http);
      expect(list.code).toBe(1);
      return list;
    }, LIMIT_MS);
    expect(refused.stderr).toContain("--token-file");
  },
  LIMIT_MS,
);

requires("nats-server")("jobs on NATS", () => {
  test(
    "the same commands hand in, lose a worker, go on at the checkpoint, fetch, and cancel, without a changed line",
    async () => {
      const place = join(folder, "nats");
      mkdirSync(place);
      const nats = await NatsCluster.start(place, 1);
      try {
        const queue = nats.url;
        const first = await worker(queue, "--name", "first");
        const id = await submit(queue, "steps", "--param", "steps=12", "--param", "stepMs=250");
        await isUnderWay(queue, id);
        first.child.kill("SIGKILL");
        await first.finished();
        await worker(queue, "--name", "second");
        const { attempts, result } = await stands(queue, id, "done");
        expect(attempts).toBe(2);
        expect(Number(result?.value.from)).toBeGreaterThan(0);
        const out = join(folder, "from-nats");
        await jobs<Shown>(queue, "show", id, "--out", out);
        expect(readFileSync(join(out, "steps.txt"), "utf8")).toBe("12 steps\n");
        const other = await submit(queue, "steps", "--param", "steps=4000", "--param", "stepMs=50");
        await isRunning(queue, other);
        await jobs<Shown>(queue, "cancel", other);
        await stands(queue, other, "cancelled");
        for (const process of running.splice(0)) await process.interrupted();
      } finally {
        await nats.stop();
      }
    },
    LIMIT_MS,
  );
});

test("wrong usage of jobs ends with exit code 2, and one line that says what to do", async () => {
  const { code, stdout, stderr } = await runLockstep("jobs", "submit", "nothing", "--queue", freshQueue());
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(/^lockstep: no workload "nothing": there are [a-z, -]*telemetry.*\n$/);
});
