import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { JobError } from "./job-error.ts";
import { TRIALS_URL } from "./trial-workloads.suite.ts";
import { WorkerRig } from "./worker-rig.suite.ts";

const WORKER_FILE = fileURLToPath(new URL("./worker-process.suite.ts", import.meta.url));

let rig: WorkerRig;
beforeEach(async () => {
  rig = await WorkerRig.open();
});
afterEach(() => rig.close());

function soon(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

describe("a job that is cancelled", () => {
  test.for(["waits", "finishes", "spins-and-tells"])("%s: it ends by itself, and is cancelled", async (name) => {
    await rig.worker({ graceMs: 20_000 });
    const id = await rig.submit(name);
    if (name === "spins-and-tells") await rig.queue.until(id, ({ progress }) => progress !== null);
    else await rig.logged(id, "waits");
    await rig.queue.cancel(id);
    expect(await rig.queue.ended(id)).toMatchObject({ state: "cancelled", attempts: 1, result: null });
    expect((await rig.queue.log(id)).join()).not.toContain("its thread was ended");
  });

  test.for(["spins", "ignores"])("%s: it is killed after the grace time, and the worker lives", async (name) => {
    await rig.worker({ graceMs: 50 });
    const id = await rig.submit(name);
    await rig.logged(id, name);
    await rig.queue.cancel(id);
    expect(await rig.queue.ended(id)).toMatchObject({ state: "cancelled" });
    expect((await rig.queue.log(id)).at(-1)).toContain("did not end within 50 ms");
    expect(await rig.run("echo", { count: 1 })).toMatchObject({ state: "done" });
  });
});

test("a worker that is killed costs time and nothing else: another goes on where it was", async () => {
  const file = join(rig.scratch, "steps");
  const id = await rig.submit("steps", { file, until: 9, pauseMs: 600_000 });
  const killed = spawn(process.execPath, [WORKER_FILE, rig.url, rig.scratch], { stdio: "ignore" });
  await rig.queue.until(id, ({ checkpoint }) => checkpoint !== null);
  killed.kill("SIGKILL");
  await once(killed, "exit");
  rig.queue.passLease();
  await rig.worker();
  const job = await rig.queue.ended(id);
  expect(job).toMatchObject({ state: "done", attempts: 2, worker: "worker", result: { value: { from: 1 } } });
  expect(job.error).toMatchObject({ code: "worker-died", worker: "killed" });
});

describe("while the end of a job is told", () => {
  test("its thread does the next one, and no more than that", async () => {
    const gate = Promise.withResolvers<void>();
    rig.queue.endGates.push(gate.promise);
    await rig.worker();
    const first = await rig.submit("echo", { count: 1 });
    await rig.queue.until(first, ({ state }) => state === "running");
    const next = await rig.submit("echo", { count: 2 });
    const last = await rig.submit("echo", { count: 3 });
    expect(await rig.queue.ended(next)).toMatchObject({ state: "done" });
    for (let i = 0; i < 10; i++) await soon();
    const states = await Promise.all([first, last].map(async (id) => (await rig.queue.get(id))?.state));
    expect(states).toEqual(["running", "queued"]);
    gate.resolve();
    for (const id of [first, last]) expect(await rig.queue.ended(id)).toMatchObject({ state: "done" });
  });

  test("nothing that becomes of it ends the next one", async () => {
    const gate = Promise.withResolvers<void>();
    rig.queue.endGates.push(gate.promise);
    await rig.worker();
    const first = await rig.submit("echo", { count: 1 });
    await rig.queue.until(first, ({ state }) => state === "running");
    const next = await rig.submit("waits");
    await rig.logged(next, "waits");
    await rig.queue.cancel(first);
    // Its lease is extended meanwhile, and says so.
    for (let i = 0; i < 30; i++) await soon();
    expect((await rig.queue.get(next))?.state).toBe("running");
    gate.resolve();
    expect((await rig.queue.ended(first)).state).toBe("done");
    await rig.queue.cancel(next);
    expect((await rig.queue.ended(next)).state).toBe("cancelled");
  });
});

describe("a worker that is stopped", () => {
  test("gives back what it works on, as if it had never had it, and takes nothing more", async () => {
    const worker = await rig.worker({ threads: 2, graceMs: 50 });
    const ids = [await rig.submit("waits"), await rig.submit("spins"), await rig.submit("echo", { count: 1 })];
    await rig.logged(String(ids[0]), "waits");
    await rig.logged(String(ids[1]), "spins");
    await worker.stop();
    expect(worker.running).toEqual([]);
    for (const id of ids) expect(await rig.queue.get(id)).toMatchObject({ state: "queued", attempts: 0, error: null });
    expect(rig.folders()).toEqual([]);
  });

  test("keeps what is finished within the grace time", async () => {
    const worker = await rig.worker({ graceMs: 20_000 });
    const id = await rig.submit("finishes");
    await rig.logged(id, "waits");
    await worker.stop();
    expect(await rig.queue.get(id)).toMatchObject({ state: "done", result: { value: { finished: true } } });
  });

  test("stops at once where it has nothing to do, and while the queue is away", async () => {
    const idle = await rig.worker();
    await idle.stop();
    rig.queue.isAway = true;
    const away = await rig.worker();
    await away.stop();
    expect(away.running).toEqual([]);
  });
});

test("a worker's thread stands ready with its workloads loaded, before any job comes", async () => {
  const [file, mark] = [join(rig.scratch, "marks.mjs"), join(rig.scratch, "mark")];
  const write = `(await import("node:fs")).writeFileSync(${JSON.stringify(mark)}, "")`;
  const marks = `async () => { if (!(await import("node:worker_threads")).isMainThread) ${write}; }`;
  writeFileSync(file, `export const WORKLOADS = { marks: ${marks} };`);
  await rig.worker({ registry: pathToFileURL(file).href, workloads: ["marks"] });
  await vi.waitUntil(() => existsSync(mark), { timeout: 20_000 });
});

test("a worker that can have no thread gives the job back at once, and another one does it", async () => {
  // What cannot be handed to a thread: none is begun.
  const registry = { toString: () => TRIALS_URL } as unknown as string;
  const without = await rig.worker({ registry });
  const id = await rig.submit("echo", { count: 1 }, { maxAttempts: 1 });
  const back = await rig.queue.until(id, (job) => job.state === "queued" && job.dueMs > job.submittedMs);
  expect(back).toMatchObject({ state: "queued", attempts: 0, error: null });
  await without.stop();
  await rig.worker();
  expect(await rig.queue.ended(id)).toMatchObject({ state: "done", attempts: 1 });
});

describe("a lease that is lost", () => {
  test("ends the attempt, and changes nothing of the job", async () => {
    await rig.worker({ graceMs: 20_000 });
    const id = await rig.submit("waits");
    await rig.logged(id, "waits");
    await rig.queue.steal(await rig.queue.until(id, ({ state }) => state === "running"));
    // The worker is free again: its attempt has ended.
    expect(await rig.run("echo", { count: 1 })).toMatchObject({ state: "done" });
    expect(await rig.queue.get(id)).toMatchObject({ state: "running", attempts: 2, worker: "another", result: null });
  });

  test("is seen at a checkpoint, too", async () => {
    await rig.worker({ leaseMs: 600_000, graceMs: 20_000 });
    const file = join(rig.scratch, "steps");
    const id = await rig.submit("steps", { file, until: 9, gate: `${file}-gate` });
    await rig.queue.steal(await rig.queue.until(id, ({ checkpoint }) => checkpoint !== null));
    writeFileSync(`${file}-gate`, "");
    expect(await rig.run("echo", { count: 1 })).toMatchObject({ state: "done" });
    expect(await rig.queue.get(id)).toMatchObject({ state: "running", attempts: 2, worker: "another", result: null });
    expect(readFileSync(`${file}-kept`, "utf8")).toBe("1\n");
  });
});

describe("a queue that goes away and comes back", () => {
  test("is waited for with the end of a job, which is not worked on again", async () => {
    await rig.worker({ graceMs: 20_000 });
    const until = join(rig.scratch, "enough");
    const id = await rig.submit("chatters", { until });
    await rig.queue.until(id, ({ progress }) => progress !== null);
    rig.queue.isAway = true;
    writeFileSync(until, "");
    while (!rig.queue.refused.includes("done")) await soon();
    expect((await rig.queue.get(id))?.state).toBe("running");
    rig.queue.isAway = false;
    expect(await rig.queue.ended(id)).toMatchObject({ state: "done", attempts: 1 });
  });

  test("is waited for where it is full, too", async () => {
    rig.queue.endErrors.push(new JobError("disk-full", "no room left", "make room"));
    await rig.worker();
    const job = await rig.run("echo", { count: 1 }, { maxAttempts: 1 });
    expect(job).toMatchObject({ state: "done", attempts: 1, error: null });
    expect(rig.queue.endErrors).toEqual([]);
  });

  test("holds up neither the end of a job nor a worker that ends with lines of a log that it does not take", async () => {
    rig.queue.isLogStuck = true;
    const worker = await rig.worker({ threads: 2 });
    const waiting = await rig.submit("waits");
    await rig.queue.until(waiting, ({ state }) => state === "running");
    expect(await rig.run("says")).toMatchObject({ state: "done" });
    await worker.stop();
    expect(worker.running).toEqual([]);
    expect(await rig.queue.get(waiting)).toMatchObject({ state: "queued", attempts: 0 });
  });

  test("is asked for jobs again", async () => {
    rig.queue.isAway = true;
    await rig.worker();
    rig.queue.isAway = false;
    expect(await rig.run("echo", { count: 1 })).toMatchObject({ state: "done" });
  });
});
