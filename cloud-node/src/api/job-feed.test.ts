import { expect, test } from "vitest";
import { applyJobsUpdate, JobFeed } from "./job-feed.ts";
import type { LiveJob } from "./job-watch.ts";

function job(id: string, state: LiveJob["state"] = "queued"): LiveJob {
  return {
    ...{ id, state, workload: "steps", attempts: 0, maxAttempts: 3, progress: null, error: null, worker: null },
    ...{ isCancelling: false, submittedMs: 0, startedMs: null, endedMs: null, dueMs: 0, inputs: [], loggedLines: 0 },
  };
}

test("the first message is whole, the next ones have what changed and a new order alone, and what is gone is left out", () => {
  const feed = new JobFeed();
  const [a, b] = [job("a"), job("b")];
  const first = feed.next({ jobs: [a, b], problem: null });
  expect(first).toEqual({ isWhole: true, problem: null, ids: ["a", "b"], jobs: [a, b] });
  expect(feed.next({ jobs: [a, b], problem: null })).toBeUndefined();
  const running = job("b", "running");
  const second = feed.next({ jobs: [a, running], problem: null });
  expect(second).toEqual({ isWhole: false, problem: null, ids: null, jobs: [running] });
  const third = feed.next({ jobs: [running, a], problem: null });
  expect(third).toEqual({ isWhole: false, problem: null, ids: ["b", "a"], jobs: [] });
  const fourth = feed.next({ jobs: [running], problem: null });
  expect(fourth).toEqual({ isWhole: false, problem: null, ids: ["b"], jobs: [] });
  let held: readonly LiveJob[] | undefined;
  const helds = [first, second, third, fourth].map((update) => {
    if (update !== undefined) held = applyJobsUpdate(held, update);
    return held;
  });
  expect(helds).toEqual([[a, b], [a, running], [running, a], [running]]);
});

test("nothing is told before the jobs were read, and a queue that is away takes nothing from what is shown", () => {
  const feed = new JobFeed();
  const a = job("a");
  expect(feed.next({ jobs: undefined, problem: null })).toBeUndefined();
  feed.next({ jobs: [a], problem: null });
  const away = feed.next({ jobs: [a], problem: "it is away" });
  expect(away).toEqual({ isWhole: false, problem: "it is away", ids: null, jobs: [] });
  expect(feed.next({ jobs: [a], problem: "it is away" })).toBeUndefined();
  expect(feed.next({ jobs: [a], problem: null })).toMatchObject({ problem: null });
  expect(new JobFeed().next({ jobs: undefined, problem: "it is away" })).toMatchObject({ isWhole: true, ids: [] });
});
