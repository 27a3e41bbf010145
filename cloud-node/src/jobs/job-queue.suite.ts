import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MAX_PARAMS_BYTES, MAX_RESULT_BYTES } from "./job.ts";
import { jobId } from "./job-id.ts";
import type { JobEvent, JobQueue } from "./job-queue.ts";
import { ABSENT, codeOf, type QueueRig, SHA, spec, take, until } from "./queue-rig.suite.ts";

const RESULT = { value: { answer: 42 }, outputs: [{ name: "out", sha256: SHA, bytes: 3 }] };

/** What every queue does, wherever it keeps its jobs. @param create  a rig with an empty queue */
export function jobQueueSuite(name: string, create: () => Promise<QueueRig>): void {
  describe(name, () => {
    let rig: QueueRig;
    /** Two processes. */
    let queue: JobQueue;
    let other: JobQueue;
    beforeAll(async () => {
      rig = await create();
      queue = await rig.open();
      other = await rig.open();
    });
    afterAll(async () => {
      await queue.close();
      await other.close();
      await rig.close();
    });

    test("the same request is the same job, whoever hands it in and however often", async () => {
      const params = { b: [1, { d: 4, c: null }], a: "ä" };
      const inputs = [
        { name: "y", sha256: SHA, bytes: 1 },
        { name: "x", sha256: SHA, bytes: 2 },
      ];
      const one = spec({ workload: "same", params, inputs });
      const same = { ...one, params: { a: "ä", b: [1, { c: null, d: 4 }] }, inputs: [...inputs].reverse() };
      const answers = await Promise.all([one, same, one, same].map((it, i) => (i % 2 ? queue : other).submit(it)));
      expect(answers.filter(({ isNew }) => isNew)).toHaveLength(1);
      expect(new Set(answers.map(({ job }) => job.id))).toEqual(new Set([jobId(one)]));
      const job = await other.get(jobId(one));
      expect(job).toMatchObject({ workload: "same", params, salt: "", state: "queued", attempts: 0, maxAttempts: 3 });
      expect(job?.inputs).toEqual([...inputs].reverse());
      const lease = await take(rig, queue, "same");
      expect(await lease.done(RESULT)).toBe(true);
      expect(await other.submit(same)).toMatchObject({ isNew: false, job: { state: "done", result: RESULT } });
      expect((await other.submit({ ...same, salt: "again" })).isNew).toBe(true);
    });

    test("every job is taken once, the one that waits longest first", async () => {
      const ids: string[] = [];
      for (let i = 0; i < 12; i++) ids.push((await queue.submit(spec({ workload: "order" }))).job.id);
      const first = await take(rig, queue, "order");
      const second = await take(rig, other, "order");
      expect([first.job.id, second.job.id]).toEqual(ids.slice(0, 2));
      expect(await first.done(RESULT)).toBe(true);
      expect(await second.done(RESULT)).toBe(true);
      const taken: string[] = [];
      await until(rig, "all are taken", async () => {
        const claims = Array.from({ length: 6 }, (_, i) => (i % 2 ? queue : other).claim(["none", "order"], `w${i}`));
        for (const lease of await Promise.all(claims)) {
          if (lease !== undefined) taken.push(lease.job.id);
          await lease?.done(RESULT);
        }
        return taken.length >= 10;
      });
      expect(taken.toSorted()).toEqual(ids.slice(2).toSorted());
      expect(await queue.claim(["order"], "w")).toBeUndefined();
    });

    test("what a worker says is heard by others, and a job is done once", async () => {
      const { job } = await queue.submit(spec());
      const lease = await take(rig, queue, "toy", "anna");
      expect(lease).toMatchObject({ attempt: 1, job: { id: job.id, state: "running", worker: "anna", attempts: 1 } });
      expect(await lease.extend({ fraction: 0.25, note: "block 1\nof 4", metrics: { ratio: 3.5 } })).toBe("held");
      expect(await lease.checkpoint({ sha256: SHA, bytes: 9 })).toBe(true);
      expect(await other.get(job.id)).toMatchObject({
        state: "running",
        progress: { fraction: 0.25, note: "block 1 of 4", metrics: { ratio: 3.5 } },
        checkpoint: { sha256: SHA, bytes: 9 },
      });
      const said = [lease.extend(), lease.checkpoint({ sha256: SHA, bytes: 9 }), lease.extend(), lease.log("at once")];
      expect(await Promise.all(said)).toEqual(["held", true, "held", undefined]);
      expect(await lease.done(RESULT)).toBe(true);
      // An answer that was lost on its way is asked for again; and nothing else is made of it.
      expect(await lease.done({ value: {}, outputs: [] })).toBe(true);
      expect(await lease.extend()).toBe("lost");
      expect(await lease.failed({ code: "failed", message: "" }, true)).toBe(false);
      expect(await other.get(job.id)).toMatchObject({ state: "done", result: RESULT, error: null });
    });

    test("a job whose worker is not heard of is somebody else's, and the first one changes nothing more", async () => {
      const { job } = await queue.submit(spec({ workload: "lost" }));
      const first = await take(rig, queue, "lost", "anna");
      await first.checkpoint({ sha256: SHA, bytes: 9 });
      expect(await other.claim(["lost"], "ben")).toBeUndefined();
      await rig.passLease(1.1);
      await rig.passBackOff(2);
      const second = await take(rig, other, "lost", "ben");
      expect(second.attempt).toBeGreaterThan(first.attempt);
      expect(second.job).toMatchObject({
        id: job.id,
        attempts: 2,
        worker: "ben",
        checkpoint: { sha256: SHA, bytes: 9 },
        error: { code: "worker-died", worker: "anna", attempt: first.attempt },
      });
      await first.log("late");
      expect(await first.extend()).toBe("lost");
      expect(await first.checkpoint({ sha256: ABSENT, bytes: 0 })).toBe(false);
      expect(await first.done(RESULT)).toBe(false);
      expect(await first.failed({ code: "failed", message: "late" }, true)).toBe(false);
      expect(await first.cancelled()).toBe(false);
      expect(await first.release()).toBe(false);
      expect(await second.done({ value: { by: "ben" }, outputs: [] })).toBe(true);
      expect(await queue.get(job.id)).toMatchObject({ state: "done", result: { value: { by: "ben" } } });
      expect(await queue.log(job.id)).toEqual([]);
    });

    test("a job that is extended is held for longer than a lease time", async () => {
      await queue.submit(spec({ workload: "held" }));
      const lease = await take(rig, queue, "held");
      for (let i = 0; i < 4; i++) {
        await rig.passLease(0.33);
        expect(await lease.extend()).toBe("held");
        expect(await other.claim(["held"], "ben")).toBeUndefined();
      }
      expect(await lease.done(RESULT)).toBe(true);
    });

    test("what fails is tried again after a pause, and dead with its last error once no attempt is left", async () => {
      const { job } = await queue.submit(spec({ workload: "fails" }), { maxAttempts: 3 });
      for (const attempt of [1, 2, 3]) {
        if (attempt > 1) expect(await other.claim(["fails"], "w")).toBeUndefined();
        if (attempt > 1) await rig.passBackOff(attempt);
        const lease = await take(rig, queue, "fails");
        expect(lease.job.attempts).toBe(attempt);
        expect(await lease.failed({ code: "out-of-memory", message: `no ${attempt}` }, false)).toBe(true);
        expect(await lease.failed({ code: "out-of-memory", message: "again" }, false)).toBe(true);
      }
      const dead = await other.get(job.id);
      expect(dead).toMatchObject({ state: "dead", attempts: 3, error: { code: "out-of-memory", message: "no 3" } });
      expect(dead?.endedMs).not.toBeNull();
      expect(await queue.claim(["fails"], "w")).toBeUndefined();
    });

    test("what would fail again is not tried again", async () => {
      const { job } = await queue.submit(spec({ workload: "final" }));
      const lease = await take(rig, queue, "final");
      expect(await lease.failed({ code: "bad-params", message: "x".repeat(5_000) }, true)).toBe(true);
      const failed = await other.get(job.id);
      expect(failed).toMatchObject({ state: "failed", attempts: 1, error: { code: "bad-params" } });
      expect(failed?.error?.message.length).toBe(1_000);
    });

    test("a job that is given back counts no attempt, and the next one has a number of its own", async () => {
      const { job } = await queue.submit(spec({ workload: "back" }), { maxAttempts: 1 });
      const first = await take(rig, queue, "back");
      expect(await first.release()).toBe(true);
      expect(await queue.get(job.id)).toMatchObject({ state: "queued", attempts: 0, worker: null });
      const second = await take(rig, other, "back");
      expect(second.attempt).toBe(2);
      expect(second.job.attempts).toBe(1);
      expect(await first.extend()).toBe("lost");
      expect(await second.done(RESULT)).toBe(true);
    });

    test("a job that is given back because something is away counts no attempt, and waits longer each time", async () => {
      const { job } = await queue.submit(spec({ workload: "away" }), { maxAttempts: 1 });
      const away = { code: "queue-away", message: "the blobs are away" } as const;
      for (const attempt of [2, 3, 4]) {
        const lease = await take(rig, queue, "away");
        expect(await lease.release(away)).toBe(true);
        expect(await other.get(job.id)).toMatchObject({ state: "queued", attempts: 0, error: null });
        expect(await other.claim(["away"], "w")).toBeUndefined();
        if (attempt > 2) await rig.passBackOff(attempt - 1);
        if (attempt > 2) expect(await other.claim(["away"], "w")).toBeUndefined();
        await rig.passBackOff(attempt);
      }
      expect(await (await take(rig, other, "away")).done(RESULT)).toBe(true);
    });

    test("a job that waits is cancelled at once, one that runs when its worker hears of it", async () => {
      const waiting = (await queue.submit(spec({ workload: "cancel-a" }))).job;
      expect(await other.cancel(waiting.id)).toMatchObject({ state: "cancelled", attempts: 0 });
      expect(await queue.claim(["cancel-a"], "w")).toBeUndefined();
      const { job } = await queue.submit(spec({ workload: "cancel-b" }));
      const lease = await take(rig, queue, "cancel-b");
      expect(await other.cancel(job.id)).toMatchObject({ state: "running", isCancelling: true });
      expect(await lease.extend()).toBe("cancelling");
      expect(await lease.cancelled()).toBe(true);
      expect(await other.get(job.id)).toMatchObject({ state: "cancelled", isCancelling: false });
      expect(await codeOf(queue.cancel(job.id))).toBe("wrong-state");
      expect(await codeOf(queue.cancel(ABSENT))).toBe("unknown-job");
    });

    test("a job that was to end is not tried again, whatever its worker says, or if it says nothing", async () => {
      const jobs: string[] = [];
      for (const end of ["release", "fail", "die"] as const) {
        const { job } = await queue.submit(spec({ workload: `end-${end}` }));
        const lease = await take(rig, queue, `end-${end}`);
        await other.cancel(job.id);
        if (end === "release") await lease.release();
        if (end === "fail") await lease.failed({ code: "failed", message: "x" }, false);
        jobs.push(job.id);
      }
      await rig.passLease(1.1);
      await until(rig, "all are cancelled", async () => {
        expect(await queue.claim(["end-release", "end-fail", "end-die"], "w")).toBeUndefined();
        const states = await Promise.all(jobs.map(async (id) => (await queue.get(id))?.state));
        return states.every((state) => state === "cancelled");
      });
    });

    test("what failed or was cancelled begins anew, what is done does not", async () => {
      const { job } = await queue.submit(spec({ workload: "anew" }), { maxAttempts: 1 });
      const first = await take(rig, queue, "anew");
      await first.checkpoint({ sha256: SHA, bytes: 9 });
      await first.failed({ code: "failed", message: "once" }, false);
      expect(await other.retry(job.id)).toMatchObject({ state: "queued", attempts: 0, checkpoint: null });
      const second = await take(rig, queue, "anew");
      expect(second.attempt).toBe(2);
      await second.failed({ code: "failed", message: "twice" }, true);
      await queue.retry(job.id);
      await queue.cancel(job.id);
      await queue.retry(job.id);
      const third = await take(rig, other, "anew");
      expect(await third.done(RESULT)).toBe(true);
      expect(await codeOf(queue.retry(job.id))).toBe("wrong-state");
      expect(await codeOf(queue.retry(ABSENT))).toBe("unknown-job");
    });

    test("the last thousand lines of a log are kept, each cut to one line", async () => {
      const { job } = await queue.submit(spec({ workload: "log" }));
      const lease = await take(rig, queue, "log");
      await lease.log(`a\nb\u0007${"x".repeat(2_000)}`);
      await lease.log("half \ud800");
      expect(await other.log(job.id)).toEqual([`a b ${"x".repeat(995)}…`, "half \ufffd"]);
      for (let i = 0; i < 1_000; i += 100) {
        await Promise.all(Array.from({ length: 100 }, (_, k) => lease.log(`line ${i + k}`)));
      }
      const lines = await other.log(job.id);
      expect(lines.length).toBe(1_000);
      expect(new Set(lines)).toEqual(new Set(Array.from({ length: 1_000 }, (_, i) => `line ${i}`)));
      expect(await other.log(ABSENT)).toEqual([]);
      await lease.done(RESULT);
    });

    test("what becomes of jobs is heard by everybody who listens, in order, until they no longer do", async () => {
      const heard: JobEvent[] = [];
      const end = other.watch((event) => heard.push(event));
      const told: JobEvent[] = [];
      await until(rig, "watching began", async () => {
        await queue.submit(spec({ workload: "watch-begin" }));
        return heard.length > 0;
      });
      const { job } = await queue.submit(spec({ workload: "watch" }));
      const lease = await take(rig, queue, "watch");
      await lease.log("one");
      await lease.log("two");
      await lease.done(RESULT);
      const states = () =>
        heard.flatMap((event) => (event.kind === "job" && event.job.id === job.id ? [event.job.state] : []));
      const lines = () => heard.flatMap((event) => (event.kind === "log" && event.id === job.id ? [event.line] : []));
      await until(rig, "the end is heard", () => states().includes("done") && lines().length === 2);
      expect(lines()).toEqual(["one", "two"]);
      const order = ["queued", "running", "done"];
      expect(states()).toEqual(states().toSorted((a, b) => order.indexOf(a) - order.indexOf(b)));
      end();
      const endOther = other.watch((event) => told.push(event));
      const count = heard.length;
      await until(rig, "the other listener hears", async () => {
        await queue.submit(spec({ workload: "watch-end" }));
        return told.length > 0;
      });
      expect(heard.length).toBe(count);
      endOther();
    });

    test("who waits for work wakes when there is some, when the time is up, and when it is told to", async () => {
      const never = new AbortController().signal;
      const state = { isOver: false };
      const wait = (ms: number, signal = never) => {
        state.isOver = false;
        const over = other.wait(["wait"], ms, signal);
        return over.then(() => {
          state.isOver = true;
        });
      };
      const first = wait(3_600_000);
      await rig.pass();
      expect(state.isOver).toBe(false);
      await queue.submit(spec({ workload: "wait" }));
      await until(rig, "it wakes for a new job", () => state.isOver);
      await first;
      const lease = await take(rig, other, "wait");
      await lease.failed({ code: "failed", message: "x" }, false);
      const second = wait(3_600_000);
      await rig.passBackOff(2);
      await until(rig, "it wakes for one that is due again", () => state.isOver);
      await second;
      await (await take(rig, queue, "wait")).done(RESULT);
      const third = wait(100);
      await until(rig, "it wakes when the time is up", () => state.isOver);
      await third;
      const stop = new AbortController();
      const fourth = wait(3_600_000, stop.signal);
      stop.abort();
      await fourth;
      await wait(3_600_000, stop.signal);
    });

    test("jobs are listed newest first, by state and workload, a page at a time", async () => {
      const ids: string[] = [];
      for (let i = 0; i < 5; i++) {
        ids.unshift((await queue.submit(spec({ workload: "list" }))).job.id);
        await rig.pass();
      }
      const idsOf = async (filter: object) =>
        (await other.list({ workload: "list", limit: 100, ...filter })).map(({ id }) => id);
      expect(await idsOf({})).toEqual(ids);
      await queue.cancel(ids[2] ?? "");
      expect(await idsOf({ states: ["cancelled", "dead"] })).toEqual([ids[2]]);
      expect(await idsOf({ states: [] })).toEqual([]);
      expect(await idsOf({ limit: 2 })).toEqual(ids.slice(0, 2));
      expect(await idsOf({ limit: 2, before: ids[1] })).toEqual(ids.slice(2, 4));
      expect(await idsOf({ limit: 2, before: ids[4] })).toEqual([]);
      expect(await codeOf(idsOf({ before: ABSENT }))).toBe("unknown-job");
    });

    test("places in shared jobs are left out of a list before it is cut, where they are not wanted", async () => {
      const params = { text: 'no place: ,"salt":"seat-1' };
      const { job } = await queue.submit(spec({ workload: "places", params }));
      await rig.pass();
      const places: string[] = [];
      for (const salt of ["seat-1-1-01234567", "seat-1-2-01234567"]) {
        places.unshift((await queue.submit(spec({ workload: "places", salt }))).job.id);
        await rig.pass();
      }
      const idsOf = async (filter: object) =>
        (await other.list({ workload: "places", limit: 1, ...filter })).map(({ id }) => id);
      expect(await idsOf({ hidesSeats: true })).toEqual([job.id]);
      expect(await idsOf({ hidesSeats: true, states: ["queued"] })).toEqual([job.id]);
      expect(await idsOf({ hidesSeats: true, before: places[1], limit: 9 })).toEqual([job.id]);
      expect(await idsOf({ limit: 9 })).toEqual([...places, job.id]);
    });

    test("only what ended before a time is forgotten, and with it the names of its blobs", async () => {
      const [one, two] = ["11".repeat(32), "22".repeat(32)] as const;
      const inputs = (sha256: string) => [{ name: "in", sha256, bytes: 1 }];
      const gone = (await queue.submit(spec({ workload: "prune", inputs: inputs(one) }))).job;
      const lease = await take(rig, queue, "prune");
      await lease.log("line");
      await lease.checkpoint({ sha256: "33".repeat(32), bytes: 1 });
      expect((await other.references()).has("33".repeat(32))).toBe(true);
      await lease.done({ value: {}, outputs: [{ name: "out", sha256: "44".repeat(32), bytes: 1 }] });
      const kept = (await queue.submit(spec({ workload: "prune", inputs: inputs(two) }))).job;
      const before = await other.references();
      expect([...before]).toEqual(expect.arrayContaining([one, two, "44".repeat(32)]));
      const endedMs = (await queue.get(gone.id))?.endedMs ?? 0;
      expect(await other.prune(endedMs)).not.toContain(gone.id);
      expect(await other.prune(endedMs + 1)).toContain(gone.id);
      expect(await queue.get(gone.id)).toBeUndefined();
      expect(await queue.log(gone.id)).toEqual([]);
      expect((await queue.get(kept.id))?.state).toBe("queued");
      const after = await queue.references();
      expect(after.has(two)).toBe(true);
      expect(after.has(one) || after.has("44".repeat(32))).toBe(false);
      // What is forgotten may be handed in again.
      expect((await queue.submit({ ...gone })).isNew).toBe(true);
      await (await take(rig, queue, "prune")).done(RESULT);
    });

    test("a result that is too large is refused, and the job can still end", async () => {
      const { job } = await queue.submit(spec({ workload: "large" }));
      const lease = await take(rig, queue, "large");
      const value = { text: "x".repeat(MAX_RESULT_BYTES) };
      expect(await codeOf(lease.done({ value, outputs: [] }))).toBe("too-large");
      expect(await codeOf(lease.done({ value: { n: Number.NaN }, outputs: [] }))).toBe("bad-params");
      expect(await codeOf(lease.checkpoint({ sha256: "nothing", bytes: 1 }))).toBe("bad-job");
      expect(await lease.extend({ fraction: Number.NaN, note: "\ud800", metrics: { bad: Infinity } })).toBe("held");
      expect(await other.get(job.id)).toMatchObject({ progress: { fraction: null, note: "\ufffd", metrics: {} } });
      expect(await lease.failed({ code: "too-large", message: "result" }, true)).toBe(true);
      expect((await other.get(job.id))?.state).toBe("failed");
    });

    test("what is allowed comes back as it was, and what is not leaves nothing behind", async () => {
      const deep = (levels: number): object => (levels === 0 ? {} : { a: deep(levels - 1) });
      const hostile = JSON.parse(
        '{"__proto__":{"x":1},"constructor":2,"n":-1.7976931348623157e308,"t":"\\u0000\\u2028"}',
      );
      const params = { ...hostile, deep: deep(30), empty: "", list: [[], {}, null, true, 1e-7] };
      Object.defineProperty(params, "__proto__", { value: { x: 1 }, enumerable: true });
      const { job } = await queue.submit(spec({ workload: "hostile", params }));
      const back = await other.get(job.id);
      expect(JSON.stringify(back?.params)).toBe(JSON.stringify(JSON.parse(JSON.stringify(back?.params))));
      expect(Object.getOwnPropertyNames(back?.params)).toContain("__proto__");
      expect(jobId({ ...job, params: back?.params ?? {} })).toBe(job.id);
      const before = (await queue.list({ limit: 1_000 })).length;
      const bad = [
        [{ params: deep(40) }, "bad-params"],
        [{ params: { t: "\udc00" } }, "bad-params"],
        [{ params: { "\ud800": 1 } }, "bad-params"],
        [{ params: { n: Infinity } }, "bad-params"],
        [{ params: { t: "x".repeat(MAX_PARAMS_BYTES) } }, "too-large"],
        [{ workload: "../up" }, "bad-job"],
        [{ salt: "a b" }, "bad-job"],
        [{ inputs: [{ name: "a/b", sha256: SHA, bytes: 1 }] }, "bad-job"],
      ] as const;
      for (const [over, code] of bad) expect(await codeOf(queue.submit(spec(over as object)))).toBe(code);
      for (const maxAttempts of [0, 101, 1.5]) {
        expect(await codeOf(queue.submit(spec(), { maxAttempts }))).toBe("bad-job");
      }
      expect((await other.list({ limit: 1_000 })).length).toBe(before);
    });

    test("a queue that was closed says so", async () => {
      const third = await rig.open();
      const waiting = third.wait(["none"], 3_600_000, new AbortController().signal);
      await third.close();
      await waiting;
      expect(await codeOf(third.submit(spec()))).toBe("queue-away");
      expect(await codeOf(third.get(ABSENT))).toBe("queue-away");
      await third.close();
    });
  });
}
