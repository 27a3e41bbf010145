import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { systemClock, systemRandom } from "@lockstep/edge-sdk";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { JobAnswer } from "../../api/schemas/job-schema.ts";
import { openQueue } from "../../jobs/open-queue.ts";
import { runCommandLine } from "../command-line.ts";
import { PartialFile } from "../partial-file.ts";

const ID = "3f2a9c1d".padEnd(64, "0");
const LEFT = Buffer.from("what it left\n");
const LONG_NAME = "x".repeat(255);

let folder = "";
let stop = new AbortController();
const servers: Server[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-run-jobs-"));
  stop = new AbortController();
});
afterEach(() => {
  for (const server of servers.splice(0)) server.closeAllConnections();
  rmSync(folder, { recursive: true });
});

/** Run `lockstep jobs` in this process. @param onError  told whatever comes on standard error */
async function jobs(queue: string, args: readonly string[], onError: (text: string) => void = () => {}) {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  let err = "";
  stderr.on("data", (chunk) => {
    err += String(chunk);
    onError(err);
  });
  const code = await runCommandLine({
    ...{ args: ["jobs", ...args, "--queue", queue], env: {}, stdin, stdout, stderr },
    ...{ clock: systemClock(), random: systemRandom(), interrupt: stop.signal },
  });
  return { code, out: String(stdout.read() ?? ""), err };
}

/** What answers in place of a node. */
async function answering(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function job(state: JobAnswer["state"], name = "left.txt"): JobAnswer {
  const output = { name, sha256: createHash("sha256").update(LEFT).digest("hex"), bytes: LEFT.length };
  return {
    ...{ id: ID, workload: "steps", state, attempts: 1, maxAttempts: 3, worker: null, isCancelling: false },
    ...{ progress: null, error: null, inputs: [], salt: "", params: { note: "\u009b2J" } },
    ...{ submittedMs: 0, startedMs: 0, endedMs: null, dueMs: 0 },
    result: state === "done" ? { value: { note: "\u009b3J" }, outputs: [output] } : null,
  };
}

/** A node with one job that is done. @param some  bytes that it sends of what the job left, before it waits */
async function doneNode(name: string, some = LEFT.length): Promise<string> {
  return await answering(({ url = "" }, response) => {
    if (url.includes("/blobs/")) {
      response.writeHead(200, { "content-type": "application/octet-stream", "content-length": LEFT.length });
      if (some === LEFT.length) response.end(LEFT);
      else response.write(LEFT.subarray(0, some), () => stop.abort());
    } else response.end(JSON.stringify(url.endsWith("/log") ? { lines: ["said"] } : job("done", name)));
  });
}

const freshQueue = () => `sqlite:${join(folder, "node.db.jobs")}`;
const submission = ["submit", "telemetry", "--param", "eps=0.5"];

test("submit that watches and is told to end fails, with the id that it handed in, and says that the job goes on", async () => {
  const ended = await jobs(
    freshQueue(),
    [...submission, "--watch"],
    (text) => /[0-9a-f]{64}/.test(text) && stop.abort(),
  );
  expect(ended.code).toBe(1);
  expect(ended.out).toMatch(/^[0-9a-f]{64}\n$/);
  expect(ended.err).toContain(`stopped while job ${ended.out.slice(0, 12)} went on: it goes on; follow it with`);
});

test("watch that is told to end fails, with the jobs as they were last", async () => {
  let asked = 0;
  const url = await answering((_request, response) => {
    asked += 1;
    if (asked > 1) stop.abort();
    else response.end(JSON.stringify(job("running")));
  });
  const ended = await jobs(url, ["watch", ID, "--json"]);
  expect(ended.code).toBe(1);
  expect(JSON.parse(ended.out)).toMatchObject({ jobs: [{ id: ID, state: "running" }] });
  expect(ended.err).toContain("stopped while 1 job of 1 went on");
});

test("watch waits for a node whose queue is away", async () => {
  const answers = [
    [200, job("running")],
    [503, { detail: "the queue is away" }],
    [200, job("done")],
  ] as const;
  let asked = 0;
  const url = await answering((_request, response) => {
    const [status, body] = answers[asked++] ?? [500, {}];
    response.writeHead(status).end(JSON.stringify(body));
  });
  const ended = await jobs(url, ["watch", ID, "--json"]);
  expect(ended.err).toBe("");
  expect(ended.code).toBe(0);
  expect(asked).toBe(3);
});

test("show that is told to end while it fetches leaves nothing half-written", async () => {
  const out = join(folder, "out");
  const ended = await jobs(await doneNode("left.txt", 5), ["show", ID, "--out", out]);
  expect(ended.code).toBe(1);
  expect(ended.err).toMatch(/^lockstep: stopped at .*: nothing half-written is left\n$/);
  expect(readdirSync(out)).toEqual([]);
});

test("what a job left is written over nothing unless that is asked for, under names as long as files may have", async () => {
  const url = await doneNode(LONG_NAME);
  const first = await jobs(url, ["show", ID, "--out", folder]);
  expect(first.err).toBe("");
  const file = join(folder, LONG_NAME);
  expect(readFileSync(file)).toEqual(LEFT);
  writeFileSync(file, "mine");
  const refused = await jobs(url, ["show", ID, "--out", folder]);
  expect([refused.code, refused.out]).toEqual([1, ""]);
  expect(refused.err).toContain("is there already: name another folder, or add --force");
  expect(readFileSync(file, "utf8")).toBe("mine");
  expect((await jobs(url, ["show", ID, "--out", folder, "--force"])).code).toBe(0);
  expect(readFileSync(file)).toEqual(LEFT);
  expect(readdirSync(folder)).toEqual([LONG_NAME]);
});

test("an output that the disk begins to take before it is all there is the same in the end", async () => {
  const pieces = [Buffer.from("first"), Buffer.alloc(70_000_000, 1), Buffer.from("last")];
  const file = await PartialFile.open(join(folder, "long.bin"));
  await file.fill(
    (async function* () {
      yield* pieces;
    })(),
  );
  await file.keep();
  expect(readFileSync(join(folder, "long.bin")).equals(Buffer.concat(pieces))).toBe(true);
  expect(readdirSync(folder)).toEqual(["long.bin"]);
});

test("no terminal obeys parameters, results or names of outputs", async () => {
  const { code, out } = await jobs(await doneNode("a\u009b4J\nb"), ["show", ID, "--out", join(folder, "out")]);
  expect(code).toBe(0);
  expect(out).toContain('{"note":');
  expect(out.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
});

test.each([["list"], ["watch"], ["watch", ID], ["show", ID], ["cancel", ID], ["retry", ID], ["prune"]])(
  "%s makes no queue where there is none, and says what does",
  async (...args) => {
    const { code, out, err } = await jobs(freshQueue(), args);
    expect([code, out]).toEqual([1, ""]);
    expect(err).toMatch(/^lockstep: there is no queue of jobs at .*: say where it is with --queue URL; .*submit/);
    expect(readdirSync(folder)).toEqual([]);
  },
);

test("who hands in what has failed or was cancelled before is told how to begin it anew", async () => {
  const queue = freshQueue();
  const first = await jobs(queue, submission);
  expect([first.code, first.err]).toEqual([0, ""]);
  expect(existsSync(join(folder, "node.db.jobs"))).toBe(true);
  const id = first.out.trim();
  expect((await jobs(queue, submission)).err).toBe("");
  const open = await openQueue(queue, systemClock());
  await open.queue.cancel(id);
  await open.close();
  const again = await jobs(queue, submission);
  expect([again.code, again.out]).toEqual([0, first.out]);
  expect(again.err).toContain(`is cancelled from before: \`lockstep jobs retry ${id.slice(0, 12)}\` begins it anew`);
});

test.each([
  [["submit", "nothing"], /no workload "nothing": there are [a-z, -]*telemetry/],
  [["submit", "telemetry", "--param", "eps=-1"], /telemetry, eps: /],
  [["submit", "telemetry", "--param", "eps=1", "--param", "colour=2"], /telemetry, colour: /],
  [["submit", "telemetry", "--param", "eps"], /write NAME=VALUE/],
  [["submit", "telemetry", "a/x.csv", "b/x.csv", "--param", "eps=1"], /two inputs are called "x.csv"/],
  [["show", "xyz"], /"xyz" is no id of a job/],
  [["list", "--state", "asleep"], /write some of queued/],
  [["list", "--queue", "redis://here"], /"redis:\/\/here" is no queue of jobs/],
  [["list", "--queue", "redis://me:secret@here"], /"redis:\/\/…@here" is no queue of jobs/],
  [["watch", "--queue", "nats:"], /is no queue of jobs/],
] as const)("wrong usage says what to do: %j", async (args, remedy) => {
  const at = (args as readonly string[]).indexOf("--queue");
  const [queue = freshQueue(), rest] = at === -1 ? [undefined, args] : [args.at(at + 1), args.slice(0, at)];
  const { code, out, err } = await jobs(queue, rest);
  expect([code, out]).toEqual([2, ""]);
  expect(err).toMatch(remedy);
  expect(err.trim().split("\n")).toHaveLength(1);
  expect(readdirSync(folder)).toEqual([]);
});
