import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type JsonObject, MAX_RESULT_BYTES } from "./job.ts";
import { WorkerRig } from "./worker-rig.suite.ts";

let rig: WorkerRig;

/** Each test of a group begins with nothing. */
function eachAnew(): void {
  beforeEach(async () => {
    rig = await WorkerRig.open();
  });
  afterEach(() => rig.close());
}

/** All tests of a group have the same worker, whatever the ones before did to it. */
function allWithOneWorker(): void {
  beforeAll(async () => {
    rig = await WorkerRig.open();
    await rig.worker();
  });
  afterAll(() => rig.close());
}

/** After a job that went wrong the same worker does the next one. */
async function isAlive(after: string): Promise<boolean> {
  return (await rig.run("echo", { count: 1 }, { salt: after })).state === "done";
}

describe("a job", () => {
  eachAnew();

  test("ends with its result, and leaves no folder behind", async () => {
    const worker = await rig.worker();
    const job = await rig.run("echo", { count: 3 });
    expect(job).toMatchObject({
      state: "done",
      attempts: 1,
      result: { value: { count: 3 }, outputs: [] },
      error: null,
    });
    const waiting = await rig.submit("waits");
    await rig.logged(waiting, "waits");
    expect(rig.folders()).toHaveLength(1);
    await worker.stop();
    expect(rig.folders()).toEqual([]);
  });

  test("reads its inputs and writes its outputs, as streams and as files, byte by byte", async () => {
    await rig.worker();
    const bytes = Buffer.from(Array.from({ length: 700_001 }, (_, i) => (i * 7) % 251));
    const big = rig.blobs.add(bytes);
    const empty = rig.blobs.add("");
    const inputs = [
      { name: "big", ...big },
      { name: "empty", ...empty },
    ];
    const { result } = await rig.run("copies", {}, { inputs });
    expect(result?.value).toMatchObject({ bytes: bytes.length, entries: ["inputs", "own"] });
    expect(result?.outputs).toEqual([
      { name: "big.read", ...big },
      { name: "big.file", ...big },
      { name: "empty.read", ...empty },
      { name: "empty.file", ...empty },
    ]);
    expect(() => readFileSync(join(String(result?.value.scratch), "own"))).toThrow("ENOENT");
  });

  test("sees its id and the same random numbers in every attempt, and of the environment where modules are kept compiled", async () => {
    await rig.worker();
    const first = await rig.run("facts");
    const later = await WorkerRig.open();
    const id = await later.submit("facts");
    await (await later.queue.claim(["facts"], "another"))?.release();
    await later.worker();
    const second = await later.queue.ended(id);
    await later.close();
    expect(first.result?.value).toMatchObject({
      jobId: first.id,
      attempt: 1,
      isTime: true,
      isShared: false,
      environment: ["NODE_COMPILE_CACHE"],
    });
    expect(second.result?.value).toEqual({ ...first.result?.value, attempt: 2 });
    const other = await rig.run("facts", { other: true });
    expect(other.result?.value.numbers).not.toEqual(first.result?.value.numbers);
  });

  test("runs beside others, as many as there are threads", async () => {
    const worker = await rig.worker({ threads: 2 });
    const ids = [await rig.submit("waits", { a: 1 }), await rig.submit("waits", { a: 2 }), await rig.submit("waits")];
    await Promise.all(ids.slice(0, 2).map((id) => rig.logged(id, "waits")));
    expect(worker.running.map(({ id }) => id).sort()).toEqual(ids.slice(0, 2).sort());
    expect((await rig.queue.get(String(ids[2])))?.state).toBe("queued");
  });
});

describe("a workload that does harm", () => {
  allWithOneWorker();

  test.for([
    ["crashes", "worker-died", "RangeError: out of its mind"],
    ["rejects", "worker-died", "RangeError: nobody looks"],
    ["exits", "worker-died", "exited with code 7"],
    ["eats-heap", "out-of-memory", "more than 64 MiB"],
    ["eats-buffers", "out-of-memory", "more than 64 MiB"],
    ["cannot-load", "failed", "ENOENT"],
  ] as const)("%s: it is dead after its attempts, with its error, and the worker lives", async ([name, code, part]) => {
    const job = await rig.run(name, {}, { maxAttempts: 2 });
    expect(job).toMatchObject({ state: "dead", attempts: 2, error: { code, attempt: 2, worker: "worker" } });
    expect(job.error?.message).toContain(part);
    expect(await isAlive(name)).toBe(true);
  });

  test.for([
    ["error", "RangeError: three is too many"],
    ["text", "it threw 'a text', which is no error"],
    ["null", "it threw null"],
    ["undefined", "it threw undefined"],
    ["object", "it threw { a: 1 }"],
    ["nasty", "cannot be looked at"],
  ] as const)("throws %s: what it threw is told", async ([what, message]) => {
    const { error } = await rig.run("throws", { what }, { maxAttempts: 1 });
    expect(error).toMatchObject({ code: "failed" });
    expect(error?.message).toContain(message);
  });

  test("says a long message: 500 characters of it are kept", async () => {
    const { error } = await rig.run("throws", { what: "long" }, { maxAttempts: 1 });
    expect(error?.message).toHaveLength(500);
  });

  test.for([
    ["answers", { what: "long", bytes: MAX_RESULT_BYTES }, "too-large", `at most ${MAX_RESULT_BYTES} are kept`],
    ["answers", { what: "nothing" }, "bad-result", "has no result"],
    ["answers", { what: "cycle" }, "bad-result", "is no JSON"],
    ["answers", { what: "big" }, "bad-result", "is no JSON"],
    ["promises", {}, "bad-result", "count: Invalid type: Expected number but received null"],
    ["answers", { what: "half" }, "bad-result", "half a surrogate pair"],
    ["answers", { what: "deep" }, "bad-result", "nested deeper than 32"],
    ["outputs", { count: 65 }, "too-large", "more than 64 outputs"],
    ["outputs", { count: 0, names: [".."] }, "bad-job", '".." is no name'],
    ["outputs", { count: 0, names: ["a/b"] }, "bad-job", '"a/b" is no name'],
    ["outputs", { count: 0, names: ["ä".repeat(128)] }, "bad-job", "is no name"],
  ] as const)("%s %o: it failed for good", async ([name, params, code, part]) => {
    const job = await rig.run(name, params);
    expect(job).toMatchObject({ state: "failed", attempts: 1, error: { code } });
    expect(job.error?.message).toContain(part);
  });

  test("answers as much as is kept: it is done", async () => {
    const bytes = MAX_RESULT_BYTES - Buffer.byteLength('{"text":""}');
    expect(await rig.run("answers", { what: "long", bytes })).toMatchObject({ state: "done" });
    expect(await rig.run("outputs", { count: 64 })).toMatchObject({ state: "done" });
  });

  test("leaves work in its thread: the next job does not hear of it", async () => {
    await rig.run("leaves-work");
    const id = await rig.submit("waits");
    await rig.logged(id, "waits");
    await rig.queue.cancel(id);
    await rig.queue.ended(id);
    expect(rig.queue.told.filter((told) => told.id === id)).toEqual([]);
  });

  test("goes on reading when it has ended: it is refused, and its thread does the next job", async () => {
    const file = join(rig.scratch, "reads");
    const inputs = [{ name: "in", ...rig.blobs.add(Buffer.alloc(100_000, 1)) }];
    await rig.run("leaves-reads", { file }, { inputs });
    const id = await rig.submit("waits", {}, { salt: "reads" });
    await rig.logged(id, "waits");
    const reads = () => (existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : []);
    while (reads().length < 5) await new Promise<void>((resolve) => setTimeout(resolve, 2));
    expect(reads().slice(0, 5)).toEqual(Array(5).fill("cancelled"));
    await rig.queue.cancel(id);
    await rig.queue.ended(id);
  });

  test.for([
    ["note", { fraction: 0.5, note: "", metrics: {} }],
    ["number", { fraction: 0.5, note: "", metrics: { good: 1 } }],
    ["metrics", { fraction: 0.5, note: "", metrics: {} }],
    ["fraction", { fraction: null, note: "", metrics: {} }],
    ["uncloned", { fraction: 0.5, note: "", metrics: {} }],
    ["nothing", { fraction: null, note: "", metrics: {} }],
  ] as const)(
    "tells progress that is none (%s): what makes sense of it is kept, and it is done",
    async ([what, kept]) => {
      const job = await rig.run("tells-nonsense", { what }, { maxAttempts: 1 });
      expect(job).toMatchObject({ state: "done", attempts: 1 });
      expect(job.progress).toEqual(kept);
    },
  );

  test("breaks off an output: it hears of its own error, and the output is none", async () => {
    const { result } = await rig.run("breaks-off");
    expect(result).toEqual({ value: { answer: "the source broke" }, outputs: [] });
  });
});

describe("a request that cannot be served", () => {
  allWithOneWorker();

  test("a worker is not started for a workload that it does not have", async () => {
    await expect(rig.worker({ workloads: ["echo", "nonesuch"] })).rejects.toMatchObject({ code: "unknown-workload" });
    await expect(rig.worker({ workloads: ["toString"] })).rejects.toMatchObject({ code: "unknown-workload" });
  });

  test.for([
    [{ count: "three" }, "count: Invalid type: Expected number"],
    [{}, 'count: Invalid key: Expected "count"'],
    [{ count: 1, list: [{ x: "a" }, { x: 5 }] }, "list.1.x: Invalid type: Expected string"],
    [{ count: 1, more: true }, "more: Invalid key"],
  ] as const)("parameters %o name the field that is wrong, and are not tried again", async ([params, part]) => {
    const job = await rig.run("echo", params);
    expect(job).toMatchObject({ state: "failed", attempts: 1, error: { code: "bad-params" } });
    expect(job.error?.message).toContain(part);
  });

  test("a blob that is not there is looked for again; one that was changed is not", async () => {
    const gone = rig.blobs.add("gone");
    await rig.blobs.remove(gone.sha256);
    const missing = await rig.run("copies", {}, { inputs: [{ name: "gone", ...gone }], maxAttempts: 2 });
    expect(missing).toMatchObject({ state: "dead", attempts: 2, error: { code: "missing-blob" } });
    const changed = rig.blobs.add("changed");
    rig.blobs.tamper(changed);
    const tampered = await rig.run("copies", {}, { inputs: [{ name: "changed", ...changed }] });
    expect(tampered).toMatchObject({ state: "failed", attempts: 1, error: { code: "tampered-blob" }, result: null });
  });

  test("a store that is full says so, and the job is tried again", async () => {
    rig.blobs.failure = Object.assign(new RangeError("no space left"), { code: "ENOSPC" });
    const job = await rig.run("outputs", { count: 1 }, { maxAttempts: 2 });
    expect(job).toMatchObject({ state: "dead", attempts: 2, error: { code: "disk-full" } });
    rig.blobs.failure = undefined;
    await rig.queue.retry(job.id);
    expect(await rig.queue.ended(job.id)).toMatchObject({ state: "done" });
  });
});

describe("progress", () => {
  eachAnew();

  /** Let a job chatter until something was heard of it. @returns it, and how often its thread may have told, at most */
  async function chattered(params: JsonObject, isEnough: (id: string) => Promise<boolean>) {
    const until = join(rig.scratch, "enough");
    const beginMs = performance.now();
    const id = await rig.submit("chatters", { ...params, until });
    while (!(await isEnough(id))) await new Promise<void>((resolve) => setTimeout(resolve, 20));
    writeFileSync(until, "");
    const job = await rig.queue.ended(id);
    // Four times a second, and the first and the last.
    return { job, most: 2 + (performance.now() - beginMs) / 250 };
  }

  test("is told four times a second at most, the last of it in the end, and as numbers that make sense", async () => {
    await rig.worker();
    const told = (id: string) => rig.queue.told.filter((one) => one.id === id);
    const { job, most } = await chattered({}, async (id) => told(id).length > 6);
    expect(told(job.id).length).toBeLessThanOrEqual(most);
    expect(Number(job.progress?.metrics.said)).toBeGreaterThan(told(job.id).length);
    const last = job.progress;
    expect(last).toMatchObject({ fraction: 1, note: "end" });
    expect(Object.keys(last?.metrics ?? {})).toEqual(["said"]);
  });

  test("a log in a loop fills neither the queue nor the memory, and says what is left out", async () => {
    await rig.worker();
    const isLeftOut = (line: string) => /^\(\d+ lines left out\)$/.test(line);
    const { job, most } = await chattered({ isLogging: true }, async (id) => (await rig.queue.log(id)).some(isLeftOut));
    const lines = await rig.queue.log(job.id);
    expect(Number(job.result?.value.said)).toBeGreaterThan(lines.length);
    expect(lines.length).toBeLessThanOrEqual(17 * most);
    expect(lines.every((line) => !line.includes("\n"))).toBe(true);
  });
});

describe("a checkpoint", () => {
  eachAnew();

  const steps = () => {
    const file = join(rig.scratch, "steps");
    return { file, read: () => readFileSync(file, "utf8").trim().split("\n") };
  };

  test("is where the next attempt goes on", async () => {
    await rig.worker();
    const { file, read } = steps();
    const job = await rig.run("steps", { file, until: 2 });
    expect(job).toMatchObject({ state: "done", attempts: 2, result: { value: { from: 2 } } });
    expect(read()).toEqual(["attempt 1 from 0", "attempt 2 from 2"]);
  });

  test.for(["missing", "tampered"] as const)("that is %s costs time, and no job", async (how) => {
    const { file, read } = steps();
    const id = await rig.submit("steps", { file, until: 3 }, { maxAttempts: 2 });
    const lease = await rig.queue.claim(["steps"], "another");
    const ref = rig.blobs.add("3");
    await lease?.checkpoint(ref);
    if (how === "missing") await rig.blobs.remove(ref.sha256);
    else rig.blobs.tamper(ref);
    await lease?.release();
    await rig.worker();
    expect(await rig.queue.ended(id)).toMatchObject({ state: "done", attempts: 2 });
    expect(read()[0]).toMatch(/ from 0$/);
    expect((await rig.queue.log(id)).join()).toContain("its checkpoint cannot be read");
  });
});
