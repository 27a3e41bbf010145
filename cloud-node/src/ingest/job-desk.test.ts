import { encodeFrame, type JobFrame, type JobSubmitFrame, jobContentId, type ResultFrame } from "@lockstep/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Counters } from "../counters.ts";
import type { JobResult, JobSpec, JsonObject } from "../jobs/job.ts";
import { JobError } from "../jobs/job-error.ts";
import { jobId } from "../jobs/job-id.ts";
import type { JobQueue } from "../jobs/job-queue.ts";
import { SILENT_LOGGER } from "../logger.ts";
import { ManualClock } from "../manual-clock.suite.ts";
import { JobDesk, type JobSpeaker } from "./job-desk.ts";
import { MemoryQueue } from "./memory-queue.suite.ts";

const SECOND_MS = 1_000;
const NO_ID = "00".repeat(32);

/** Somebody who speaks at a desk, and what he was told; every answer fits into a frame. */
class Speaker implements JobSpeaker {
  readonly device = "planner";
  readonly told: ResultFrame[] = [];
  readonly link = {
    send: (frame: ResultFrame) => {
      encodeFrame(frame);
      this.told.push(frame);
    },
  };

  get ops(): string[] {
    return this.told.map(({ op }) => op);
  }

  last<Op extends ResultFrame["op"]>(op: Op): Extract<ResultFrame, { op: Op }> {
    const found = this.told.at(-1);
    if (found?.op !== op) expect.fail(`told ${found?.op}, not ${op}`);
    return found as Extract<ResultFrame, { op: Op }>;
  }
}

function rig(queue: JobQueue | undefined = new MemoryQueue()) {
  const [clock, counters] = [new ManualClock(), new Counters()];
  const desk = new JobDesk({ queue, clock, counters, logger: SILENT_LOGGER });
  return { desk, clock, counters, speaker: new Speaker(), queue: queue as MemoryQueue };
}

function submit(salt: string, change: Partial<JobSubmitFrame> = {}): JobSubmitFrame {
  const said = { kind: "job", op: "submit", nonce: 7, workload: "telemetry", inputs: [], attempts: 0 } as const;
  return { ...said, params: json("{}"), salt, ...change };
}

const json = (text: string) => new TextEncoder().encode(text);
const idOf = (salt: string) => jobContentId({ workload: "telemetry", params: {}, inputs: [], salt });
const about = (op: "ask" | "cancel", salt: string, nonce = 7): JobFrame => ({ kind: "job", op, nonce, id: idOf(salt) });
/** Everything that was promised has happened. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

test("a job is handed in once, whoever says it how often, and each is told so", async () => {
  const { desk, speaker, queue } = rig();
  const other = new Speaker();
  desk.heard(submit("a", { attempts: 5 }), speaker);
  await settled();
  expect(speaker.told).toEqual([
    { kind: "result", op: "accepted", nonce: 7, id: idOf("a"), isNew: true, state: "queued" },
  ]);
  expect(queue.jobs.get(idOf("a"))).toMatchObject({ workload: "telemetry", salt: "a", maxAttempts: 5 });
  desk.heard(submit("a"), speaker);
  desk.heard(submit("a", { nonce: 9 }), other);
  await settled();
  expect(speaker.last("accepted").isNew).toBe(false);
  expect(other.last("accepted")).toMatchObject({ isNew: false, nonce: 9 });
  expect(queue.jobs.size).toBe(1);
});

test("the inputs of a job are renewed before it is handed in", async () => {
  const done: string[] = [];
  const queue = new MemoryQueue();
  queue.before = () => void done.push("submit");
  const blobs = {
    renew: async ({ sha256 }: { sha256: string }) => {
      done.push(sha256);
      return false;
    },
  };
  const desk = new JobDesk({ queue, blobs, clock: new ManualClock(), counters: new Counters(), logger: SILENT_LOGGER });
  const [speaker, sha256] = [new Speaker(), "ab".repeat(32)];
  desk.heard(submit("a", { inputs: [{ name: "in", sha256, bytes: 3 }] }), speaker);
  await settled();
  expect(done).toEqual([sha256, "submit"]);
  expect(speaker.last("accepted").isNew).toBe(true);
});

test("every change is told, four times a second at most, and the last word always, and at once", async () => {
  const { desk, clock, speaker, queue } = rig();
  desk.heard(submit("a"), speaker);
  await settled();
  for (let i = 1; i <= 100; i += 1) {
    queue.change(idOf("a"), { state: "running", progress: { fraction: i / 200, note: `${i}`, metrics: {} } });
    clock.advance(20);
  }
  const progress = speaker.told.filter((frame) => frame.op === "progress");
  expect(progress.length).toBeGreaterThan(6);
  expect(progress.length).toBeLessThanOrEqual(9);
  expect(progress.map(({ fraction }) => fraction)).toEqual(progress.map(({ note }) => Number(note) * 50));
  clock.advance(SECOND_MS);
  expect(speaker.last("progress")).toMatchObject({ fraction: 5_000, state: "running" });
  queue.change(idOf("a"), { progress: { fraction: null, note: "", metrics: {} } });
  queue.change(idOf("a"), { progress: { fraction: 1, note: "overtaken", metrics: {} } });
  const result: JobResult = { value: { ratio: 6.5 }, outputs: [{ name: "o", sha256: "ff".repeat(32), bytes: 1 }] };
  queue.change(idOf("a"), { state: "done", result });
  const { value, outputs } = speaker.last("done");
  expect([new TextDecoder().decode(value), outputs]).toEqual(['{"ratio":6.5}', result.outputs]);
  const count = speaker.told.length;
  clock.advance(SECOND_MS);
  queue.change(idOf("a"), { state: "running" });
  expect(speaker.told.length).toBe(count);
});

test("what is heard of a job before it was accepted is told after that", async () => {
  const { desk, speaker, queue } = rig();
  const error = { code: "failed", message: "no", attempt: 1, worker: "w", atMs: 0 } as const;
  desk.heard(submit("a"), speaker);
  await settled();
  queue.before = () => {
    queue.before = () => {};
    queue.change(idOf("a"), { state: "dead", attempts: 3, error });
  };
  desk.heard(submit("a"), speaker);
  await settled();
  expect(speaker.ops).toEqual(["accepted", "accepted", "failed"]);
  expect(speaker.last("failed")).toMatchObject({ state: "dead", code: "failed", message: "no", attempts: 3 });
  desk.heard(submit("a"), speaker);
  await settled();
  expect(speaker.ops).toEqual(["accepted", "accepted", "failed", "accepted", "failed"]);
});

test("a job is cancelled, soon where somebody works on it; once it is over it stands as it does", async () => {
  const { desk, speaker, queue, clock } = rig();
  desk.heard(submit("waits"), speaker);
  desk.heard(about("cancel", "waits"), speaker);
  await settled();
  expect(speaker.ops).toEqual(["accepted", "cancelled"]);
  desk.heard(submit("runs"), speaker);
  await settled();
  queue.change(idOf("runs"), { state: "running", attempts: 1 });
  desk.heard(about("cancel", "runs"), speaker);
  await settled();
  clock.advance(SECOND_MS);
  expect(speaker.last("progress")).toMatchObject({ state: "running", attempts: 1 });
  expect(queue.jobs.get(idOf("runs"))?.isCancelling).toBe(true);
  queue.change(idOf("runs"), { state: "cancelled" });
  speaker.last("cancelled");
  queue.change(idOf("waits"), { state: "done", result: { value: {}, outputs: [] } });
  desk.heard(about("cancel", "waits"), speaker);
  await settled();
  expect(speaker.last("done").id).toBe(idOf("waits"));
});

test("who asks is told, and follows from then on", async () => {
  const { desk, queue } = rig();
  const [owner, asker] = [new Speaker(), new Speaker()];
  desk.heard(submit("a"), owner);
  await settled();
  desk.gone(owner);
  desk.heard(about("ask", "a", 8), asker);
  await settled();
  expect(asker.last("progress")).toMatchObject({ state: "queued", fraction: null, nonce: 8 });
  queue.change(idOf("a"), { state: "done", result: { value: {}, outputs: [] } });
  asker.last("done");
  expect(owner.ops).toEqual(["accepted"]);
});

test("what is heard while somebody asks is told, unless the answer is that the job is over", async () => {
  const { desk, speaker, queue, clock } = rig();
  desk.heard(submit("a"), speaker);
  await settled();
  const meanwhile = async (before: () => void) => {
    queue.before = async () => {
      queue.before = () => {};
      before();
    };
    desk.heard(about("ask", "a"), speaker);
    await settled();
    clock.advance(SECOND_MS);
  };
  const get = queue.get.bind(queue);
  const queued = queue.jobs.get(idOf("a"));
  queue.get = async (id) => (await get(id)) && queued;
  await meanwhile(() => queue.change(idOf("a"), { state: "running", attempts: 2 }));
  expect(speaker.last("progress")).toMatchObject({ state: "running", attempts: 2 });
  const done = queued && { ...queued, state: "done" as const, result: { value: {}, outputs: [] } };
  queue.get = async (id) => (await get(id)) && done;
  await meanwhile(() => queue.change(idOf("a"), { attempts: 3 }));
  speaker.last("done");
});

test.for<[string, JobFrame, string, string]>([
  ["params that are no JSON", submit("a", { params: json("{x}") }), NO_ID, "bad-params"],
  ["params that are a list", submit("a", { params: json("[]") }), NO_ID, "bad-params"],
  ["a salt of the workers' own", submit("seat-1-2-00"), idOf("seat-1-2-00"), "bad-job"],
  ["an unknown job to ask for", about("ask", "b"), idOf("b"), "unknown-job"],
  ["an unknown job to cancel", about("cancel", "b"), idOf("b"), "unknown-job"],
])("%s is refused for good", async ([, frame, id, code]) => {
  const { desk, speaker, queue, counters } = rig();
  desk.heard(frame, speaker);
  await settled();
  expect(speaker.told).toHaveLength(1);
  expect(speaker.last("failed")).toMatchObject({ id, nonce: 7, state: "failed", code, attempts: 0 });
  expect(counters.get(`refused.job-${code}`)).toBe(1);
  expect([queue.jobs.size, queue.listeners.size]).toEqual([0, 0]);
});

test("a node without a queue says so, by name", () => {
  const [clock, counters, speaker] = [new ManualClock(), new Counters(), new Speaker()];
  const desk = new JobDesk({ queue: undefined, clock, counters, logger: SILENT_LOGGER });
  desk.heard(submit("a"), speaker);
  desk.heard(about("ask", "a"), speaker);
  expect(speaker.told.map((frame) => frame.op === "failed" && [frame.id, frame.code])).toEqual([
    [idOf("a"), "no-queue"],
    [idOf("a"), "no-queue"],
  ]);
  expect(counters.get("refused.job-no-queue")).toBe(2);
});

test("who may not use jobs is told how to be let", () => {
  const { desk, speaker, queue } = rig();
  desk.turnAway(submit("a"), speaker);
  desk.turnAway(submit("a", { params: json("!!") }), speaker);
  desk.turnAway(about("cancel", "a"), { ...speaker, device: undefined, link: speaker.link });
  expect(speaker.told.map(({ id }) => id)).toEqual([idOf("a"), NO_ID, idOf("a")]);
  expect(speaker.told[0]).toMatchObject({ code: "not-admitted", state: "failed" });
  expect(speaker.told[0]).toMatchObject({ message: expect.stringContaining("lockstep devices add planner --jobs") });
  expect(queue.jobs.size).toBe(0);
});

test("a queue that is away is no end of a job: the same is said again later", async () => {
  const { desk, speaker, queue } = rig();
  queue.before = () => {
    throw new JobError("queue-away", "the queue is not reached", "wait");
  };
  desk.heard(submit("a"), speaker);
  await settled();
  expect(speaker.last("failed")).toMatchObject({ id: idOf("a"), state: "queued", code: "queue-away" });
  expect(queue.listeners.size).toBe(0);
  queue.before = () => {};
  desk.heard(submit("a"), speaker);
  await settled();
  queue.before = () => {
    throw new JobError("disk-full", "the disk is full", "make room");
  };
  desk.heard(about("ask", "a"), speaker);
  await settled();
  expect(speaker.last("failed")).toMatchObject({ state: "queued", code: "disk-full" });
  queue.change(idOf("a"), { state: "done", result: { value: {}, outputs: [] } });
  speaker.last("done");
});

test("what a queue should never throw is logged, and told without its words", async () => {
  const queue = new MemoryQueue();
  const said: string[] = [];
  const logger = { ...SILENT_LOGGER, error: (facts: object) => said.push(JSON.stringify(facts)) };
  const desk = new JobDesk({ queue, clock: new ManualClock(), counters: new Counters(), logger });
  const speaker = new Speaker();
  queue.before = () => {
    throw new TypeError("/etc/secret is not a function");
  };
  desk.heard(submit("a"), speaker);
  await settled();
  expect(speaker.last("failed")).toMatchObject({ state: "queued", code: "failed" });
  expect(speaker.last("failed").message).not.toContain("secret");
  expect(said).toEqual([expect.stringContaining("secret")]);
});

test("whatever a job frame says has one answer, which is a frame, and costs nobody else anything", async () => {
  const nonce = fc.nat();
  const text = fc.string({ unit: "binary", maxLength: 20 });
  const frames: fc.Arbitrary<JobFrame> = fc.oneof(
    fc.record({
      kind: fc.constant("job"),
      op: fc.constantFrom("cancel", "ask"),
      nonce,
      id: fc.constantFrom(NO_ID, idOf("a")),
    }),
    fc.record({
      ...{ kind: fc.constant("job"), op: fc.constant("submit"), nonce, workload: text, salt: text },
      params: fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        fc.json().map(json),
        fc.json().map((any) => json(`{"a":${any}}`)),
      ),
      inputs: fc.array(fc.record({ name: text, sha256: fc.constant(NO_ID), bytes: fc.nat() }), { maxLength: 3 }),
      attempts: fc.nat({ max: 100 }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(frames, { minLength: 1, maxLength: 5 }), async (said) => {
      const { desk, speaker } = rig();
      const good = new Speaker();
      desk.heard(submit("good", { nonce: 1 }), good);
      for (const frame of said) {
        const before = speaker.told.length;
        desk.heard(frame, speaker);
        await settled();
        expect(speaker.told.length).toBe(before + 1);
        expect(speaker.told.at(-1)?.nonce).toBe(frame.nonce);
      }
      expect(good.ops).toEqual(["accepted"]);
    }),
    { seed: 20_261_122, numRuns: 500 },
  );
});

test("a queue gives a job the id by which its frames name it", () => {
  const name = fc.stringMatching(/^[a-zA-Z0-9 ._-]{1,20}$/).filter((text) => text !== "." && text !== "..");
  const blob = fc.record({ name, sha256: fc.constantFrom(NO_ID, "0f".repeat(32)), bytes: fc.nat() });
  const specs: fc.Arbitrary<JobSpec> = fc.record({
    workload: fc.stringMatching(/^[a-z0-9-]{1,64}$/),
    params: fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue({ maxDepth: 3 })) as fc.Arbitrary<JsonObject>,
    inputs: fc.uniqueArray(blob, { maxLength: 5, selector: (input) => input.name }),
    salt: fc.stringMatching(/^[A-Za-z0-9_-]{0,64}$/),
  });
  fc.assert(
    fc.property(specs, (spec) => {
      expect(jobId(spec)).toBe(jobContentId(spec));
    }),
    { seed: 20_261_122, numRuns: 500 },
  );
});

test("one speaker follows 64 jobs, and another one once one of them is over", async () => {
  const { desk, speaker, queue } = rig();
  for (let i = 0; i < 64; i += 1) desk.heard(submit(`${i}`), speaker);
  await settled();
  desk.heard(submit("one more"), speaker);
  desk.heard(submit("0"), speaker);
  await settled();
  expect(queue.jobs.size).toBe(64);
  expect(speaker.told.at(-2)).toMatchObject({ op: "failed", state: "queued", code: "too-many", id: idOf("one more") });
  expect(speaker.last("accepted").id).toBe(idOf("0"));
  desk.heard(about("cancel", "0"), speaker);
  await settled();
  desk.heard(submit("one more"), speaker);
  await settled();
  expect(speaker.last("accepted").id).toBe(idOf("one more"));
});

test("one speaker that starts anew and anew leaves room for others, while the queue does not answer", async () => {
  const { desk, speaker, queue } = rig();
  const asked: (() => void)[] = [];
  queue.before = () => new Promise<void>((resolve) => asked.push(resolve));
  for (let i = 0; i < 300; i += 1) desk.heard(submit(`${i}`, { nonce: i }), speaker);
  await settled();
  expect(asked).toHaveLength(64);
  expect(speaker.told).toHaveLength(300 - 64);
  expect(speaker.last("failed")).toMatchObject({ code: "too-many", state: "queued" });
  const other = new Speaker();
  desk.heard(submit("other"), other);
  await settled();
  expect(asked).toHaveLength(65);
  for (const answer of asked) answer();
  await settled();
  expect(other.last("accepted").id).toBe(idOf("other"));
  queue.before = () => {};
  desk.heard(submit("again", { nonce: 300 }), speaker);
  await settled();
  expect(speaker.last("accepted").id).toBe(idOf("again"));
});

test("a flood of the same is one question, and a flood of others waits for a queue that does not answer", async () => {
  const { desk, queue } = rig();
  const asked: (() => void)[] = [];
  queue.before = () => new Promise<void>((resolve) => asked.push(resolve));
  const speakers = Array.from({ length: 5 }, () => new Speaker());
  for (const [s, speaker] of speakers.entries()) {
    for (let i = 0; i < 60; i += 1) {
      for (let again = 0; again < 10; again += 1) desk.heard(submit(`${s}-${i}`), speaker);
    }
  }
  await settled();
  expect(asked.length).toBe(256);
  const refused = speakers.flatMap(({ told }) => told).filter((frame) => frame.op === "failed");
  expect(refused.length).toBe((300 - 256) * 10);
  expect(new Set(refused.map(({ code, state }) => `${code} ${state}`))).toEqual(new Set(["too-many queued"]));
  for (const answer of asked) answer();
  await settled();
  expect(queue.jobs.size).toBe(256);
  expect(speakers[0]?.ops.every((op) => op === "accepted")).toBe(true);
  desk.heard(submit("4-59"), new Speaker());
  await settled();
  expect(asked.length).toBe(257);
});

test("who is gone hears nothing more, nor does who has started anew, and the queue is not watched for nobody", async () => {
  const { desk, speaker, queue, clock } = rig();
  desk.heard(submit("a"), speaker);
  await settled();
  expect(queue.listeners.size).toBe(1);
  queue.change(idOf("a"), { state: "running" });
  queue.change(idOf("a"), { attempts: 1 });
  expect(desk.gone(speaker, 8)).toBe(false);
  expect(desk.gone(speaker, 7)).toBe(true);
  expect(desk.gone(speaker)).toBe(false);
  clock.advance(SECOND_MS);
  queue.change(idOf("a"), { state: "cancelled" });
  expect(speaker.ops).toEqual(["accepted", "progress"]);
  expect(queue.listeners.size).toBe(0);
  desk.heard(submit("b"), speaker);
  desk.heard(submit("c", { nonce: 8 }), speaker);
  await settled();
  queue.change(idOf("b"), { state: "cancelled" });
  queue.change(idOf("c"), { state: "cancelled" });
  expect(speaker.told.slice(2).map(({ op, id, nonce }) => [op, id, nonce])).toEqual([
    ["accepted", idOf("c"), 8],
    ["cancelled", idOf("c"), 8],
  ]);
  expect(queue.listeners.size).toBe(0);
});

test("who asks while he is forgotten is not followed by what was asked", async () => {
  const { desk, speaker, queue } = rig();
  let answer = () => {};
  queue.before = () => new Promise<void>((resolve) => (answer = resolve));
  desk.heard(submit("a"), speaker);
  await settled();
  desk.gone(speaker);
  answer();
  await settled();
  expect(speaker.told).toEqual([]);
  expect(queue.jobs.size).toBe(1);
  expect(queue.listeners.size).toBe(0);
});

test("of more than 1,024 speakers the one not heard for longest is forgotten", async () => {
  const { desk, queue, counters } = rig();
  const speakers = Array.from({ length: 1_024 }, () => new Speaker());
  for (let at = 0; at < speakers.length; at += 256) {
    for (const speaker of speakers.slice(at, at + 256)) desk.heard(submit("a"), speaker);
    await settled();
  }
  const [first = new Speaker(), second = new Speaker()] = speakers;
  desk.heard(about("ask", "a"), first);
  desk.heard(submit("a"), new Speaker());
  await settled();
  expect(counters.get("jobs.speakers-forgotten")).toBe(1);
  queue.change(idOf("a"), { state: "cancelled" });
  expect(first.ops.at(-1)).toBe("cancelled");
  expect(second.ops).toEqual(["accepted"]);
});

test("who may not use jobs any more is forgotten", async () => {
  const { desk, speaker, queue } = rig();
  const stranger = { ...new Speaker(), device: undefined };
  desk.heard(submit("a"), speaker);
  desk.heard(submit("a"), stranger);
  await settled();
  desk.review((device) => device === "planner");
  queue.change(idOf("a"), { state: "cancelled" });
  expect(speaker.ops).toEqual(["accepted", "cancelled"]);
  expect(stranger.told.map(({ op }) => op)).toEqual(["accepted"]);
});

test("whatever a job's texts say, they are told as far as a frame carries them", async () => {
  const { desk, speaker, queue, clock } = rig();
  desk.heard(submit("a"), speaker);
  await settled();
  const note = `a\u0000b\n\ud800c${"√".repeat(500)}`;
  queue.change(idOf("a"), { state: "running", progress: { fraction: 7, note, metrics: {} } });
  expect(speaker.last("progress").fraction).toBe(10_000);
  expect(speaker.last("progress").note).toMatch(/^a b \ufffdc√+$/);
  expect(Buffer.byteLength(speaker.last("progress").note)).toBeGreaterThan(195);
  clock.advance(SECOND_MS);
  queue.change(idOf("a"), { progress: { fraction: Number.NaN, note: "", metrics: {} } });
  const error = { code: "failed", message: `a${"🛰".repeat(400)}`, attempt: 1, worker: "", atMs: 0 } as const;
  queue.change(idOf("a"), { state: "failed", attempts: 1, error });
  expect(speaker.last("failed").message).toBe(`a${"🛰".repeat(124)}`);
});

test.for<[string, JobResult]>([
  ["a value that is too long", { value: { a: "x".repeat(40_000) }, outputs: [] }],
  ["an output's name with a line break", { value: {}, outputs: [{ name: "a\nb", sha256: NO_ID, bytes: 0 }] }],
])("%s fits into no frame: the job ends for who follows it even so", async ([, result]) => {
  const { desk, speaker, queue } = rig();
  desk.heard(submit("a"), speaker);
  await settled();
  queue.change(idOf("a"), { state: "done", result });
  expect(speaker.last("failed")).toMatchObject({ code: "too-large", state: "failed" });
  expect(queue.listeners.size).toBe(0);
});

test("a desk that is closed takes nothing more, and tells nothing more", async () => {
  const { desk, speaker, queue, clock } = rig();
  desk.heard(submit("a"), speaker);
  await settled();
  queue.change(idOf("a"), { state: "running" });
  queue.change(idOf("a"), { attempts: 1 });
  desk.close();
  desk.heard(submit("b"), speaker);
  clock.advance(SECOND_MS);
  await settled();
  expect(speaker.ops).toEqual(["accepted", "progress"]);
  expect([queue.jobs.size, queue.listeners.size]).toEqual([1, 0]);
});
