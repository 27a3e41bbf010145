import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import type { JobAnswer } from "../../api/schemas/job-schema.ts";
import { ManualClock } from "../../manual-clock.suite.ts";
import { JobLines } from "./job-lines.ts";

const JOB: JobAnswer = {
  ...{ id: "3f2a9c1d".padEnd(64, "0"), workload: "telemetry", state: "running", attempts: 1, maxAttempts: 3 },
  ...{ params: {}, inputs: [], salt: "", result: null, error: null, worker: "w", isCancelling: false },
  ...{ submittedMs: 1_700_000_001_000, startedMs: 0, endedMs: null, dueMs: 0 },
  progress: { fraction: 0.52, note: "block 12 of 40", metrics: {} },
};

/** A screen at which somebody has looked for a second. */
function screen(isTTY: boolean, rows = 24, columns = 60) {
  const clock = new ManualClock();
  const stream = Object.assign(new PassThrough(), { isTTY, rows, columns });
  const shown = () => String(stream.read() ?? "");
  const lines = new JobLines(stream, clock);
  clock.advance(1_000);
  return { clock, lines, shown };
}

test("each job has a line of its own, drawn over the one before, at most five times a second", () => {
  const { clock, lines, shown } = screen(true);
  const queued: JobAnswer = { ...JOB, id: "77b01e42".padEnd(64, "0"), state: "queued", progress: null };
  lines.draw([JOB, queued]);
  const cut = "telemetry 3f2a9c1d  [##########..........]  52 %  block 12 ";
  expect(shown()).toBe(`\u001b[J\u001b[K${cut}\n\u001b[Ktelemetry 77b01e42  queued\n`);
  lines.draw([JOB, queued]);
  expect(shown()).toBe("");
  clock.advance(200);
  lines.draw([{ ...JOB, progress: { fraction: null, note: "counting", metrics: {} } }, queued]);
  expect(shown()).toBe("\u001b[2A\r\u001b[J\u001b[Ktelemetry 3f2a9c1d  counting\n\u001b[Ktelemetry 77b01e42  queued\n");
  lines.clear();
  expect(shown()).toBe("\u001b[2A\r\u001b[J");
});

test("nothing is shown where nobody looks", () => {
  const { lines, shown } = screen(false);
  lines.draw([JOB]);
  lines.clear();
  expect(shown()).toBe("");
});

test("of more jobs than the screen has lines those that go on are shown, and the rest is counted", () => {
  const { lines, shown } = screen(true, 6);
  const done = ["0", "1", "2", "3"].map(
    (id): JobAnswer => ({ ...JOB, id: id.repeat(64), state: "done", progress: null }),
  );
  lines.draw([...done, JOB]);
  const text = shown();
  expect(text.split("\n").length - 1).toBe(4);
  expect(text).toContain("52 %");
  expect(text).toContain("… and 2 more");
});

test("several may watch jobs of their own on one screen, and what is over goes with who watched it", () => {
  const { clock, lines, shown } = screen(true);
  const other: JobAnswer = { ...JOB, id: "77b01e42".padEnd(64, "0"), state: "queued", progress: null };
  lines.draw([JOB]);
  clock.advance(200);
  lines.draw([other]);
  expect(shown()).toMatch(/3f2a9c1d.*52 %.*\n.*77b01e42 {2}queued/);
  clock.advance(200);
  lines.draw([{ ...JOB, state: "done" }]);
  lines.clear();
  clock.advance(200);
  shown();
  lines.draw([other]);
  expect(shown()).toBe("\u001b[J\u001b[Ktelemetry 77b01e42  queued\n");
});

test("no terminal obeys what a workload says of itself", () => {
  const { lines, shown } = screen(true);
  lines.draw([{ ...JOB, progress: { fraction: null, note: "\u001b[2Jgone\u0007\n", metrics: {} } }]);
  expect(shown()).toBe("\u001b[J\u001b[Ktelemetry 3f2a9c1d  gone  \n");
});

test("what is over within a second shows nothing", () => {
  const clock = new ManualClock();
  const stream = Object.assign(new PassThrough(), { isTTY: true, rows: 24, columns: 60 });
  const lines = new JobLines(stream, clock);
  lines.draw([JOB]);
  clock.advance(999);
  lines.draw([JOB]);
  lines.clear();
  expect(stream.read()).toBeNull();
  clock.advance(1);
  lines.draw([JOB]);
  expect(String(stream.read())).toContain("52 %");
});

test("a job that nobody takes says so after a while, counted from when it may be taken", () => {
  const { clock, lines, shown } = screen(true, 24, 120);
  const queued: JobAnswer = { ...JOB, state: "queued", progress: null };
  clock.advance(4_000);
  lines.draw([queued]);
  expect(shown()).toContain("telemetry 3f2a9c1d  queued\n");
  clock.advance(1_000);
  lines.draw([queued]);
  expect(shown()).toContain(
    "telemetry 3f2a9c1d  queued: waits for a worker; where none runs, start `lockstep worker`\n",
  );
  clock.advance(1_000);
  lines.draw([{ ...queued, dueMs: clock.unixUs() / 1000 }]);
  expect(shown()).toContain("telemetry 3f2a9c1d  queued\n");
});
