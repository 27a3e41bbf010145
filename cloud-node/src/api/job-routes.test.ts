import { createHash } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { Value } from "typebox/value";
import { expect, test, vi } from "vitest";
import type { JobLease } from "../jobs/job-queue.ts";
import { ApiRig, closeRigsAfterEach } from "./api-rig.suite.ts";
import { applyJobsUpdate, type JobsUpdate } from "./job-feed.ts";
import type { LiveJob } from "./job-watch.ts";
import { type JobAnswer, JobLogSchema, JobSchema, type JobsAnswer, JobsSchema } from "./schemas/job-schema.ts";

closeRigsAfterEach();

const LIMIT_MS = 20_000;
const NOBODY = "0".repeat(64);

interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

/** Hand in a job. */
async function post(rig: ApiRig, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return await rig.get("/api/v1/jobs", {
    method: "POST",
    body: text,
    headers: { "content-type": "application/json", ...headers },
  });
}

async function submitted(rig: ApiRig, params: object = {}): Promise<string> {
  const response = await post(rig, { workload: "steps", params });
  expect(response.status).toBe(202);
  return ((await response.json()) as { id: string }).id;
}

async function problem(answer: Promise<Response>): Promise<Problem> {
  return (await (await answer).json()) as Problem;
}

/** Take the next job, as a worker does. */
async function taken(rig: ApiRig): Promise<JobLease> {
  const lease = await rig.node.jobs?.queue.claim(["steps"], "worker-1");
  if (lease === undefined) throw new RangeError("there was no job");
  return lease;
}

test("a place in a shared job, which holds a secret of the workers, is shown to nobody", async () => {
  const rig = await ApiRig.open({ hasJobs: true });
  const seat = { workload: "steps", params: { seat: { secret: "s3cret" } }, inputs: [], salt: "seat-1-1-01234567" };
  const { job } = (await rig.node.jobs?.queue.submit(seat)) ?? expect.fail("no queue");
  const answers = [
    rig.get(`/api/v1/jobs/${job.id}`),
    rig.get(`/api/v1/jobs/${job.id}/log`),
    rig.get(`/api/v1/jobs/${job.id}/cancel`, { method: "POST" }),
    rig.get(`/api/v1/jobs/${job.id}/retry`, { method: "POST" }),
  ];
  for (const answer of answers) expect(await problem(answer)).toMatchObject({ status: 404, code: "unknown-job" });
  expect(await (await rig.get("/api/v1/jobs?limit=1")).text()).not.toContain("s3cret");
});

test("a list is cut after places in shared jobs are left out of it", async () => {
  const rig = await ApiRig.open({ hasJobs: true });
  const id = await submitted(rig);
  const place = { workload: "steps", params: {}, inputs: [], salt: "seat-1-1-01234567" };
  await rig.node.jobs?.queue.submit(place);
  const { jobs } = await rig.json<JobsAnswer>("/jobs?limit=1");
  expect(jobs.map((job) => job.id)).toEqual([id]);
});

test("the inputs of a job are as new as if they were put when it is handed in", async () => {
  const rig = await ApiRig.open({ hasJobs: true });
  const blobs = rig.node.jobs?.blobs ?? expect.fail("no blobs");
  const ref = await blobs.put(async function* () {
    yield Buffer.from("some bytes");
  });
  const { putMs = 0 } = (await blobs.stat(ref.sha256)) ?? {};
  await vi.waitUntil(() => Date.now() > putMs + 1, LIMIT_MS);
  expect((await post(rig, { workload: "steps", inputs: [{ name: "in", ...ref }] })).status).toBe(202);
  expect((await blobs.stat(ref.sha256))?.putMs).toBeGreaterThan(putMs);
});

test("a job is handed in once, worked on, listed, and shown with what it said and left, as the schemas say", async () => {
  const rig = await ApiRig.open({ hasJobs: true });
  const first = await post(rig, { workload: "steps", params: { steps: 2 }, maxAttempts: 5 });
  expect(first.status).toBe(202);
  const { id, ...rest } = (await first.json()) as { id: string };
  expect(rest).toEqual({ isNew: true, state: "queued" });
  const again = await post(rig, { params: { steps: 2 }, workload: "steps" });
  expect(await again.json()).toEqual({ id, isNew: false, state: "queued" });

  const lease = await taken(rig);
  await lease.extend({ fraction: 0.5, note: "half of it", metrics: { rows: 12 } });
  await lease.log("said");
  const running = await rig.json<JobAnswer>(`/jobs/${id}`);
  expect([...Value.Errors(JobSchema, running)]).toEqual([]);
  expect(running).toMatchObject({
    ...{ state: "running", attempts: 1, maxAttempts: 5, worker: "worker-1", error: null, result: null },
    ...{ params: { steps: 2 }, progress: { fraction: 0.5, note: "half of it", metrics: { rows: 12 } } },
  });
  await lease.done({ value: { steps: 2 }, outputs: [{ name: "out", sha256: NOBODY, bytes: 3 }] });
  const done = await rig.json<JobAnswer>(`/jobs/${id}`);
  expect([...Value.Errors(JobSchema, done)]).toEqual([]);
  expect(done).toMatchObject({ state: "done", result: { value: { steps: 2 }, outputs: [{ name: "out", bytes: 3 }] } });
  const log = await rig.json(`/jobs/${id}/log`);
  expect([...Value.Errors(JobLogSchema, log)]).toEqual([]);
  expect(log).toEqual({ lines: ["said"] });

  const others = [await submitted(rig, { n: 1 }), await submitted(rig, { n: 2 })];
  const page = await rig.json<JobsAnswer>("/jobs?limit=2");
  expect([...Value.Errors(JobsSchema, page)]).toEqual([]);
  expect(new Set(page.jobs.map((job) => job.id))).toEqual(new Set(others));
  const rest2 = await rig.json<JobsAnswer>(`/jobs?limit=2&before=${page.next}`);
  expect(rest2).toMatchObject({ jobs: [{ id, state: "done" }], next: null });
  expect((await rig.json<JobsAnswer>("/jobs?state=done,failed")).jobs.map((job) => job.id)).toEqual([id]);
  expect((await rig.json<JobsAnswer>("/jobs?workload=other")).jobs).toEqual([]);
});

test("a job is cancelled, begun anew and forgotten; each where its state allows it alone", async () => {
  const rig = await ApiRig.open({ hasJobs: true });
  const id = await submitted(rig);
  const ask = (path: string, method = "POST") => rig.get(`/api/v1/jobs${path}`, { method });
  expect(await problem(ask(`/${id}/retry`))).toMatchObject({ status: 409, code: "wrong-state" });
  expect(await (await ask(`/${id}/cancel`)).json()).toMatchObject({ id, state: "cancelled" });
  expect(await problem(ask(`/${id}/cancel`))).toMatchObject({ status: 409, code: "wrong-state" });
  expect(await (await ask(`/${id}/retry`)).json()).toMatchObject({ id, state: "queued", attempts: 0 });
  const lease = await taken(rig);
  expect(await (await ask(`/${id}/cancel`)).json()).toMatchObject({ state: "running", isCancelling: true });
  expect(await lease.extend()).toBe("cancelling");
  await lease.cancelled();
  expect(await (await ask("?endedBeforeMs=0", "DELETE")).json()).toEqual({ pruned: [] });
  const later = Date.now() + 60_000;
  expect(await (await ask(`?endedBeforeMs=${later}`, "DELETE")).json()).toEqual({ pruned: [id] });
  expect(await problem(rig.get(`/api/v1/jobs/${id}`))).toMatchObject({ status: 404, code: "unknown-job" });
});

test("what is no job is refused with the field that is wrong, and nothing of it is kept", async () => {
  const rig = await ApiRig.open({ hasJobs: true });
  const input = { name: "in", sha256: NOBODY, bytes: 5 };
  const cases: readonly (readonly [unknown, number, string, RegExp])[] = [
    ["{", 422, "job-refused", /no JSON/],
    ["[]", 400, "bad-parameter", /must be object/],
    [{}, 400, "bad-parameter", /workload/],
    [{ workload: "No" }, 400, "bad-parameter", /^workload of the body must match/],
    [{ workload: "a", colour: 1 }, 400, "bad-parameter", /no parameter colour/],
    [{ workload: "a", maxAttempts: 101 }, 400, "bad-parameter", /^maxAttempts of the body must be <= 100/],
    [{ workload: "a", salt: "a b" }, 400, "bad-parameter", /^salt of the body/],
    [{ workload: "a", inputs: [{ ...input, sha256: "x" }] }, 400, "bad-parameter", /^inputs\.0\.sha256 of the body/],
    [{ workload: "a", inputs: [{ ...input, bytes: -1 }] }, 400, "bad-parameter", /^inputs\.0\.bytes of the body/],
    [{ workload: "a", inputs: Array.from({ length: 65 }, () => input) }, 400, "bad-parameter", /^inputs of the body/],
    [{ workload: "a", salt: "seat-1-1-abcd" }, 422, "job-refused", /workers' own/],
    [{ workload: "a", inputs: [input] }, 404, "unknown-blob", /the input in is not there: send its 5 bytes/],
    [{ workload: "a", params: { text: "x".repeat(33_000) } }, 413, "body-too-large", /32768/],
    [{ workload: "a", params: { text: "x".repeat(140_000) } }, 413, "body-too-large", /131072/],
  ];
  for (const [body, status, code, detail] of cases) {
    const told = await problem(post(rig, body));
    expect(told, JSON.stringify(body).slice(0, 80)).toMatchObject({ status, code });
    expect(told.detail).toMatch(detail);
  }
  expect(await problem(post(rig, {}, { "content-type": "text/plain" }))).toMatchObject({ code: "job-refused" });
  expect((await rig.json<JobsAnswer>("/jobs")).jobs).toEqual([]);
  for (const path of [`/jobs/${NOBODY}`, `/jobs/${NOBODY}/log`]) {
    expect(await problem(rig.get(`/api/v1${path}`))).toMatchObject({ status: 404, code: "unknown-job" });
  }
  for (const path of ["/jobs/zz", "/jobs?limit=0", "/jobs?limit=1001", "/jobs?state=asleep", "/jobs?before=1"]) {
    expect(await problem(rig.get(`/api/v1${path}`)), path).toMatchObject({ status: 400, code: "bad-parameter" });
  }
  const verbs = [`/jobs/${NOBODY}/cancel`, `/jobs/${NOBODY}/retry`];
  for (const path of verbs) {
    expect(await problem(rig.get(`/api/v1${path}`, { method: "POST" }))).toMatchObject({ code: "unknown-job" });
    expect((await rig.get(`/api/v1${path}`)).status).toBe(404);
  }
  expect((await rig.get("/api/v1/jobs", { method: "OPTIONS" })).headers.get("allow")).toBe(
    "GET, HEAD, OPTIONS, POST, DELETE",
  );
});

test("only a token for jobs hands in, changes and sends; one that reads looks; one that flashes gets nothing", async () => {
  const rig = await ApiRig.open({ hasJobs: true });
  const jobs = await rig.token("jobs", "jobs");
  const [read, flash] = [await rig.token("read", "read"), await rig.token("flash", "flash")];
  const json = { "content-type": "application/json" };
  const body = JSON.stringify({ workload: "steps" });
  const { id } = (await (await rig.as(jobs, "/api/v1/jobs", { method: "POST", body, headers: json })).json()) as {
    id: string;
  };
  const bytes = "five!";
  const blob = `/api/v1/blobs/${createHash("sha256").update(bytes).digest("hex")}`;
  const changes: readonly (readonly [string, RequestInit])[] = [
    ["/api/v1/jobs", { method: "POST", body, headers: json }],
    [`/api/v1/jobs/${id}/cancel`, { method: "POST" }],
    [`/api/v1/jobs/${id}/retry`, { method: "POST" }],
    ["/api/v1/jobs?endedBeforeMs=0", { method: "DELETE" }],
    [blob, { method: "PUT", body: bytes }],
  ];
  for (const [path, init] of changes) {
    for (const secret of [read, flash]) {
      expect((await rig.as(secret, path, init)).status, `${init.method} ${path}`).toBe(403);
    }
    expect((await rig.get(path, init)).status, `${init.method} ${path} of a stranger`).toBe(401);
    expect((await rig.as(jobs, path, init)).ok, `${init.method} ${path} of who may`).toBe(true);
  }
  for (const path of ["/api/v1/jobs", `/api/v1/jobs/${id}`, `/api/v1/jobs/${id}/log`, blob]) {
    expect((await rig.as(read, path)).status, path).toBe(200);
    expect((await rig.as(jobs, path)).status, path).toBe(200);
    expect((await rig.as(flash, path)).status, path).toBe(403);
    expect((await rig.get(path)).status, path).toBe(401);
  }
});

test("a node without a queue says so, over the stream too", async () => {
  const rig = await ApiRig.open();
  expect(await problem(rig.get("/api/v1/jobs"))).toMatchObject({ status: 404, code: "no-jobs" });
  expect(await problem(post(rig, { workload: "steps" }))).toMatchObject({ status: 404, code: "no-jobs" });
  const [update] = await streamed(rig, (updates) => updates.length > 0);
  expect(update).toMatchObject({ jobs: [], problem: "this node was started without a queue of jobs" });
});

test("the stream tells the jobs whole, then those that changed, and a reader has what the list has", async () => {
  const rig = await ApiRig.open({ hasJobs: true });
  const [older, newer] = [await submitted(rig, { n: 1 }), await submitted(rig, { n: 2 })];
  let work: Promise<void> | undefined;
  const updates = await streamed(rig, (told) => {
    work ??= told.length > 0 ? workOn(rig) : undefined;
    return told.flatMap(({ jobs }) => jobs).some(({ state }) => state === "done");
  });
  await work;
  expect(updates[0]).toMatchObject({ isWhole: true, problem: null });
  expect(new Set(updates[0]?.ids)).toEqual(new Set([older, newer]));
  expect(updates.slice(1).every(({ isWhole, jobs }) => !isWhole && jobs.length === 1)).toBe(true);
  let held: readonly LiveJob[] = [];
  for (const update of updates) held = applyJobsUpdate(held, update);
  const { jobs } = await rig.json<JobsAnswer>("/jobs");
  expect(held.map(({ loggedLines: _, ...job }) => job)).toEqual(jobs);
  expect(held.find(({ state }) => state === "done")?.loggedLines).toBe(1);
});

/** Do the job that waits longest. */
async function workOn(rig: ApiRig): Promise<void> {
  const lease = await taken(rig);
  await lease.log("said");
  await setTimeout(600);
  await lease.done({ value: {}, outputs: [] });
}

/** Messages of jobs, until there are enough of them. */
async function streamed(rig: ApiRig, isEnough: (updates: readonly JobsUpdate[]) => boolean): Promise<JobsUpdate[]> {
  const stop = new AbortController();
  const response = await rig.get("/api/v1/stream?table=false&jobs=true", { signal: stop.signal });
  const updates: JobsUpdate[] = [];
  let text = "";
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    const messages = text.split("\n\n");
    text = messages.pop() ?? "";
    for (const message of messages) {
      const [, data] = /^event: jobs\n.*^data: (.*)$/ms.exec(message) ?? [];
      if (data !== undefined) updates.push(JSON.parse(data) as JobsUpdate);
    }
    if (isEnough(updates)) break;
  }
  stop.abort();
  await vi.waitFor(() => expect(rig.server.openStreams).toBe(0), LIMIT_MS);
  return updates;
}
