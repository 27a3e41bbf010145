import { afterEach, expect, test } from "vitest";
import { SILENT_LOGGER } from "../logger.ts";
import { ManualClock } from "../manual-clock.suite.ts";
import type { JobProgress } from "./job.ts";
import { JobError } from "./job-error.ts";
import { LeaseKeeper } from "./lease-keeper.ts";

type Answer = "held" | "cancelling" | "lost";
const clock = new ManualClock();
const asked: (JobProgress | undefined)[] = [];
const stops: string[] = [];
let answer: () => Promise<Answer> = async () => "held";
afterEach(() => {
  asked.length = 0;
  stops.length = 0;
  answer = async () => "held";
});

function keep(): LeaseKeeper {
  const extend = (progress?: JobProgress) => {
    asked.push(progress);
    return answer();
  };
  const stop = (reason: string) => stops.push(reason);
  return new LeaseKeeper({ lease: { extend }, leaseMs: 15_000, clock, logger: SILENT_LOGGER, stop });
}

function progress(fraction: number): JobProgress {
  return { fraction, note: "", metrics: {} };
}

async function pass(ms: number): Promise<void> {
  clock.advance(ms);
  await new Promise<void>((resolve) => setImmediate(resolve));
}

test("a lease is extended three times in its time, until the end", async () => {
  const keeper = keep();
  for (let i = 0; i < 6; i++) await pass(5_000);
  expect(asked).toHaveLength(6);
  keeper.close();
  await pass(60_000);
  expect(asked).toHaveLength(6);
  expect(stops).toEqual([]);
});

test("what was told last is with the queue before a job's end is", async () => {
  const keeper = keep();
  const { promise, resolve } = Promise.withResolvers<Answer>();
  answer = () => promise;
  keeper.tell(progress(0.1));
  keeper.tell(progress(1));
  let isTold = false;
  const told = keeper.told()?.then(() => {
    isTold = true;
  });
  await pass(0);
  expect([isTold, asked]).toEqual([false, [progress(0.1)]]);
  resolve("held");
  await told;
  expect(asked).toEqual([progress(0.1), progress(1)]);
  expect(keeper.told()).toBeUndefined();
  keeper.close();
});

test("progress is told with an extension, the newest after one that is under way", async () => {
  const keeper = keep();
  const { promise, resolve } = Promise.withResolvers<Answer>();
  answer = () => promise;
  keeper.tell(progress(0.1));
  keeper.tell(progress(0.2));
  keeper.tell(progress(0.3));
  expect(asked).toEqual([progress(0.1)]);
  resolve("held");
  await pass(0);
  expect(asked).toEqual([progress(0.1), progress(0.3)]);
  keeper.close();
});

test.for([
  ["cancelling", "cancelled"],
  ["lost", "lease-lost"],
] as const)("a queue that answers %s has the attempt end", async ([said, reason]) => {
  const keeper = keep();
  answer = async () => said;
  await pass(5_000);
  expect(stops).toEqual([reason]);
  keeper.close();
});

test("progress that the queue refuses is not told again, so that later extensions do not fail of it, too", async () => {
  const keeper = keep();
  answer = async () => {
    throw new JobError("failed", "it cannot make anything of it", "tell something else");
  };
  keeper.tell(progress(0.5));
  await pass(0);
  answer = async () => "held";
  await pass(5_000);
  expect(asked).toEqual([progress(0.5), undefined]);
  keeper.close();
});

test("a queue that does not answer is asked again, with the newest progress", async () => {
  const keeper = keep();
  answer = async () => {
    throw new JobError("queue-away", "no answer", "wait");
  };
  keeper.tell(progress(0.5));
  await pass(0);
  await pass(5_000);
  expect(stops).toEqual([]);
  answer = async () => "held";
  await pass(5_000);
  await pass(5_000);
  expect(asked).toEqual([progress(0.5), progress(0.5), progress(0.5), undefined]);
  keeper.close();
});
