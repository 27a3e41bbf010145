import {
  decodeFrame,
  encodeFrame,
  type Frame,
  type JobFrame,
  type JobSubmitFrame,
  jobContentId,
  type ResultFrame,
} from "@lockstep/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Clock, Timer } from "./clock.ts";
import { JobClient } from "./job-client.ts";
import type { JobClientError } from "./job-client-error.ts";
import type { JobRequest, JobStanding } from "./submitted-job.ts";
import type { OutTopic } from "./transport.ts";
import { Loopback } from "./transports/loopback.ts";

const NONCE = 77;
const REQUEST: JobRequest = { workload: "telemetry", params: { eps: 0.5 } };
const ID = jobContentId({ ...REQUEST, inputs: [], salt: "" });
const HEAD = { kind: "result", nonce: NONCE, id: ID } as const;
const DONE: ResultFrame = { ...HEAD, op: "done", value: new TextEncoder().encode('{"ratio":6.5}'), outputs: [] };

/** Time that passes when it is told to. */
class StillClock implements Clock {
  #nowMs = 0;
  #timers: { dueMs: number; run(): void }[] = [];
  nowMs = () => this.#nowMs;
  unixUs = () => 0;

  setTimer(run: () => void, delayMs: number): Timer {
    const timer = { dueMs: this.#nowMs + delayMs, run };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((one) => one !== timer);
      },
    };
  }

  async pass(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const next = this.#timers.toSorted((a, b) => a.dueMs - b.dueMs)[0];
      if (next === undefined || next.dueMs > endMs) break;
      this.#timers = this.#timers.filter((one) => one !== next);
      this.#nowMs = next.dueMs;
      next.run();
      await settled();
    }
    this.#nowMs = endMs;
  }
}

/** A node that says what a test wants said. */
class FarNode {
  readonly line = new Loopback(4);
  readonly heard: JobFrame[] = [];
  readonly topics = new Set<OutTopic>();
  answer: (frame: JobFrame) => Frame | undefined = () => undefined;

  listen(): void {
    this.line.listen({
      connected: () => {},
      disconnected: () => {},
      message: (bytes, topic) => {
        const frame = decodeFrame(bytes);
        if (frame.kind !== "job") expect.fail(`a ${frame.kind}`);
        this.heard.push(frame);
        this.topics.add(topic);
        const answer = this.answer(frame);
        if (answer !== undefined) this.say(answer);
      },
    });
  }

  say(frame: Frame): void {
    this.line.send(encodeFrame(frame));
  }

  get ops(): string[] {
    return this.heard.map(({ op }) => op);
  }
}

let node = new FarNode();
let clock = new StillClock();
let client: JobClient | undefined;
beforeEach(() => {
  node = new FarNode();
  clock = new StillClock();
});
afterEach(() => client?.close());

async function open(): Promise<JobClient> {
  client = await JobClient.open({ transport: node.line.transport, clock, random: { uint32: () => NONCE } });
  return client;
}

/** Everything that was sent has come. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
const accepted = ({ nonce }: JobFrame): ResultFrame => ({
  ...HEAD,
  nonce,
  op: "accepted",
  isNew: true,
  state: "queued",
});
const error = (promise: Promise<unknown>): Promise<JobClientError> =>
  promise.then(
    () => expect.fail("done"),
    (e) => e,
  );

test("a job is handed in, followed and done", async () => {
  node.listen();
  node.answer = accepted;
  const input = { name: "in", sha256: "ff".repeat(32), bytes: 5 };
  const request: JobRequest = { ...REQUEST, inputs: [input], salt: "s", attempts: 9 };
  const id = jobContentId({ workload: "telemetry", params: REQUEST.params, inputs: [input], salt: "s" });
  node.answer = ({ nonce }) => ({ kind: "result", nonce, id, op: "accepted", isNew: true, state: "queued" });
  const job = await (await open()).submit(request);
  expect([job.id, job.isNew, job.standing.state]).toEqual([id, true, "queued"]);
  const { params, ...said } = node.heard[0] as JobSubmitFrame;
  expect(said).toEqual({
    ...{ kind: "job", op: "submit", nonce: NONCE, workload: "telemetry", inputs: [input], salt: "s", attempts: 9 },
  });
  expect(new TextDecoder().decode(params)).toBe('{"eps":0.5}');
  expect([...node.topics]).toEqual(["jobs"]);
  const heard: JobStanding[] = [];
  const listening = (async () => {
    for await (const standing of job.progress()) heard.push(standing);
  })();
  await settled();
  node.say({ ...HEAD, id, op: "progress", state: "running", fraction: 2_500, note: "1 of 4", attempts: 1 });
  await settled();
  node.say({ ...DONE, id, outputs: [input] });
  await listening;
  expect(heard.slice(0, 2)).toEqual([
    { state: "queued", fraction: null, note: "", attempts: 0 },
    { state: "running", fraction: 0.25, note: "1 of 4", attempts: 1 },
  ]);
  expect(heard.at(-1)?.state).toBe("done");
  expect(await job.result()).toEqual({ value: { ratio: 6.5 }, outputs: [input] });
  await clock.pass(600_000);
  expect(node.ops).toEqual(["submit"]);
});

test("what is not answered is said again, later and later; what the node has is asked for, once it is silent", async () => {
  node.listen();
  const waiting = (await open()).submit(REQUEST);
  await settled();
  await clock.pass(4_999);
  expect(node.ops).toEqual(["submit"]);
  await clock.pass(1);
  expect(node.ops).toEqual(["submit", "submit"]);
  await clock.pass(9_999);
  expect(node.heard).toHaveLength(2);
  await clock.pass(1 + 20_000 + 30_000 + 30_000);
  expect(node.heard).toHaveLength(6);
  expect(node.heard.every((frame) => JSON.stringify(frame) === JSON.stringify(node.heard[0]))).toBe(true);
  node.answer = accepted;
  await clock.pass(30_000);
  const job = await waiting;
  node.heard.length = 0;
  node.answer = (frame) => (frame.op === "ask" ? DONE : undefined);
  await clock.pass(14_999);
  expect(node.ops).toEqual([]);
  await clock.pass(1);
  expect(node.ops).toEqual(["ask"]);
  expect((await job.result()).value).toEqual({ ratio: 6.5 });
});

test("a connection that is lost is no matter: on the next one everything open is said again", async () => {
  const sender = await open();
  const [first, second] = [sender.submit(REQUEST), sender.submit({ ...REQUEST, salt: "b" })];
  node.answer = (frame) => (frame.op === "submit" && frame.salt === "" ? accepted(frame) : undefined);
  node.listen();
  const job = await first;
  expect(node.ops).toEqual(["submit", "submit"]);
  node.line.drop("cut");
  await settled();
  node.heard.length = 0;
  node.listen();
  await settled();
  expect(node.ops).toEqual(["ask", "submit"]);
  const id = (await error(Promise.race([second, sender.close().then(() => second)]))).facts.id;
  expect(id).toBe(jobContentId({ ...REQUEST, inputs: [], salt: "b" }));
  expect((await error(job.result())).code).toBe("closed");
});

test("more jobs than the line takes at once go out as it drains", async () => {
  node.listen();
  node.line.pause();
  const sender = await open();
  await settled();
  const answered = Promise.all(Array.from({ length: 20 }, (_, i) => sender.submit({ ...REQUEST, salt: `${i}` })));
  node.answer = (frame) => {
    const salt = frame.op === "submit" ? frame.salt : expect.fail(frame.op);
    return {
      ...HEAD,
      op: "accepted",
      id: jobContentId({ ...REQUEST, inputs: [], salt }),
      isNew: true,
      state: "queued",
    };
  };
  await settled();
  node.line.resume();
  expect((await answered).map(({ isNew }) => isNew)).toEqual(Array(20).fill(true));
  expect(node.heard).toHaveLength(20);
});

test("a job that cannot be taken now is said again; one that is refused is an error with the node's reason", async () => {
  node.listen();
  const failed = { ...HEAD, op: "failed", message: "why", attempts: 0 } as const;
  node.answer = () => ({ ...failed, state: "queued", code: "queue-away" });
  const waiting = error((await open()).submit(REQUEST));
  await clock.pass(16_000);
  expect(node.ops).toEqual(["submit", "submit", "submit"]);
  node.answer = () => ({ ...failed, state: "failed", code: "not-admitted" });
  await clock.pass(30_000);
  const { code, facts, message } = await waiting;
  expect([code, facts]).toEqual(["refused", { id: ID, reason: "not-admitted", message: "why" }]);
  expect(message).toContain("why");
});

test.for<[string, ResultFrame, string, object]>([
  [
    "dies",
    { ...HEAD, op: "failed", state: "dead", code: "out-of-memory", message: "256 MiB", attempts: 3 },
    "failed",
    { id: ID, reason: "out-of-memory", message: "256 MiB", attempts: 3 },
  ],
  ["is cancelled", { ...HEAD, op: "cancelled" }, "cancelled", { id: ID }],
  ["leaves no value", { ...DONE, value: new TextEncoder().encode("[]") }, "bad-result", { id: ID }],
])("a job that %s is an error, also where the node's acceptance was lost", async ([, frame, code, facts]) => {
  node.listen();
  node.answer = () => frame;
  const job = await (await open()).submit(REQUEST);
  expect(job.isNew).toBe(false);
  const thrown = await error(job.result());
  expect([thrown.code, thrown.facts]).toEqual([code, facts]);
  const rest: JobStanding[] = [];
  for await (const standing of job.progress()) rest.push(standing);
  expect(rest).toHaveLength(1);
});

test("a job is cancelled once, and that is said again until it is over", async () => {
  node.listen();
  const running = { ...HEAD, op: "progress", state: "running", fraction: null, note: "", attempts: 1 } as const;
  node.answer = (frame) => (frame.op === "submit" ? accepted(frame) : running);
  const job = await (await open()).submit(REQUEST);
  node.say({ ...accepted(node.heard[0] ?? expect.fail("nothing was said")), isNew: false } as ResultFrame);
  job.cancel();
  job.cancel();
  await settled();
  expect([node.ops, job.isNew, job.standing.state]).toEqual([["submit", "cancel"], true, "running"]);
  node.answer = () => ({ ...HEAD, op: "cancelled" });
  await clock.pass(15_000);
  expect((await error(job.result())).code).toBe("cancelled");
  expect(node.ops).toEqual(["submit", "cancel", "cancel"]);
  job.cancel();
  await clock.pass(60_000);
  expect(node.ops).toHaveLength(3);
});

test("a job of somebody else is followed by its id", async () => {
  node.listen();
  node.answer = () => ({ ...HEAD, op: "progress", state: "running", fraction: null, note: "", attempts: 1 });
  const asker = await open();
  const job = await asker.follow(ID);
  expect([node.ops, job.standing.state]).toEqual([["ask"], "running"]);
  expect((await error(asker.follow("x".repeat(64)))).code).toBe("bad-job");
});

test("a job that is followed and not known is handed in by whoever submits it", async () => {
  node.listen();
  const sender = await open();
  const unknown: ResultFrame = {
    ...{ ...HEAD, op: "failed", state: "failed", code: "unknown-job", message: "there is none", attempts: 0 },
  };
  const asked: JobFrame[] = [];
  node.answer = (frame) => {
    if (frame.op === "submit") return accepted(frame);
    asked.push(frame);
    return undefined;
  };
  const following = sender.follow(ID);
  await settled();
  expect(asked).toHaveLength(1);
  const submitting = sender.submit(REQUEST);
  node.say(unknown);
  expect([await following, await submitting].map(({ id, isNew }) => [id, isNew])).toEqual(Array(2).fill([ID, true]));
  expect(node.ops).toEqual(["ask", "submit"]);
  node.answer = () => undefined;
  expect((await sender.submit(REQUEST)).id).toBe(ID);
  await settled();
  expect(node.ops).toEqual(["ask", "submit"]);
});

test("answers to another program, about other jobs, damaged ones and other frames change nothing", async () => {
  node.listen();
  const sender = await open();
  const waiting = sender.submit(REQUEST);
  await settled();
  node.say({ ...DONE, nonce: NONCE + 1 });
  node.say({ ...DONE, id: "ff".repeat(32) });
  node.say({ kind: "refusal", nonce: NONCE, reason: "unknown-device" });
  const whole = encodeFrame(DONE);
  for (let at = 0; at < whole.length; at += 1) node.line.send(whole.with(at, (whole[at] ?? 0) ^ 0x10));
  node.line.send(whole.subarray(0, 20));
  await settled();
  node.say(accepted({ kind: "job", op: "ask", nonce: NONCE, id: ID }));
  const job = await waiting;
  expect(job.standing.state).toBe("queued");
});

test.for<[string, JobRequest]>([
  ["no workload", { ...REQUEST, workload: "" }],
  ["too long a salt", { ...REQUEST, salt: "s".repeat(65) }],
  ["params that JSON cannot say", { ...REQUEST, params: { a: Number.NaN } }],
  ["too many params", { ...REQUEST, params: { a: "x".repeat(32_768) } }],
  ["two inputs of one name", { ...REQUEST, inputs: Array(2).fill({ name: "a", sha256: ID, bytes: 0 }) }],
  ["an input's digest that is none", { ...REQUEST, inputs: [{ name: "a", sha256: "FF", bytes: 0 }] }],
  ["101 attempts", { ...REQUEST, attempts: 101 }],
])("a request with %s goes nowhere", async ([, request]) => {
  node.listen();
  expect((await error((await open()).submit(request))).code).toBe("bad-job");
  await settled();
  expect(node.heard).toEqual([]);
});

test("64 jobs are followed at a time; the same request twice is one of them", async () => {
  node.listen();
  const sender = await open();
  for (let i = 1; i < 64; i += 1) void sender.submit({ ...REQUEST, salt: `${i}` }).catch(() => {});
  node.answer = (frame) => (frame.op === "submit" && frame.salt === "" ? accepted(frame) : undefined);
  const [first, second] = await Promise.all([sender.submit(REQUEST), sender.submit(REQUEST)]);
  expect(first).toBe(second);
  const thrown = await error(sender.submit({ ...REQUEST, salt: "one more" }));
  expect([thrown.code, thrown.facts.limit]).toEqual(["too-many", 64]);
  await settled();
  expect(node.heard).toHaveLength(64);
});

test("a client that is closed says good-bye, and takes nothing more", async () => {
  node.listen();
  const sender = await open();
  await settled();
  await sender.close();
  await sender.close();
  expect((await error(sender.submit(REQUEST))).code).toBe("closed");
});
