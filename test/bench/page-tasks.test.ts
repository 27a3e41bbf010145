import { expect, test } from "vitest";
import { taskTimes } from "./page-tasks.ts";

const AT = { ph: "X", pid: 1, tid: 2 };

test("a task is counted by the time that its thread ran, script once however deeply it is nested", () => {
  const traceEvents = [
    { name: "thread_name", ph: "M", pid: 1, tid: 2, ts: 0, args: { name: "CrRendererMain" } },
    { name: "thread_name", ph: "M", pid: 1, tid: 3, ts: 0, args: { name: "Compositor" } },
    { ...AT, name: "RunTask", ts: 0, dur: 90_000, tdur: 20_000 },
    { ...AT, name: "FireAnimationFrame", ts: 100, dur: 50_000, tdur: 8_000 },
    { ...AT, name: "FunctionCall", ts: 200, dur: 40_000, tdur: 7_000 },
    { ...AT, name: "FunctionCall", ts: 60_000, dur: 2_000, tdur: 1_000 },
    { ...AT, name: "RunTask", ts: 100_000, dur: 15_000, tdur: 14_000 },
    { ...AT, name: "TimerFire", ts: 100_100, dur: 14_000, tdur: 13_000 },
    { ...AT, tid: 3, name: "RunTask", ts: 0, dur: 500_000, tdur: 500_000 },
  ];
  expect(taskTimes(JSON.stringify({ traceEvents }))).toEqual({ longestMs: 20, scriptMs: 13, restMs: 11 });
});

test("a trace without a page has no tasks", () => {
  expect(taskTimes('{"traceEvents":[]}')).toEqual({ longestMs: 0, scriptMs: 0, restMs: 0 });
});
