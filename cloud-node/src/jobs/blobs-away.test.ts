import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import { JobError } from "./job-error.ts";
import { WorkerRig } from "./worker-rig.suite.ts";

let rig: WorkerRig;
beforeEach(async () => {
  rig = await WorkerRig.open();
});
afterEach(() => rig.close());

test("blobs that are away for a moment use up no attempt of the job that needs them", async () => {
  const put = rig.blobs.put.bind(rig.blobs);
  let outages = 1;
  rig.blobs.put = async (source, options) => {
    outages -= 1;
    if (outages >= 0) throw new JobError("queue-away", "the blobs are away", "wait for them");
    return await put(source, options);
  };
  await rig.worker();
  const inputs = [{ name: "in", ...rig.blobs.add("bytes") }];
  const job = await rig.run("copies", {}, { inputs, maxAttempts: 1 });
  expect(outages).toBeLessThan(0);
  expect(job).toMatchObject({ state: "done", attempts: 1, error: null });
  expect(await rig.queue.log(job.id)).toContain("it is given back: the blobs are away: wait for them");
});

test("blobs that are away once a job is done keep its end waiting: it is not done again", async () => {
  const stat = rig.blobs.stat.bind(rig.blobs);
  let [outages, writes] = [2, 0];
  rig.blobs.stat = async (sha256) => {
    outages -= 1;
    if (outages >= 0) throw new JobError("queue-away", "the blobs are away", "wait for them");
    return await stat(sha256);
  };
  const put = rig.blobs.put.bind(rig.blobs);
  rig.blobs.put = async (source, options) => {
    if (options?.expect === undefined) writes += 1;
    return await put(source, options);
  };
  // An hour from look to look: everything was written so long ago that it is looked for at the end.
  let nowMs = 0;
  const hourly = () => {
    nowMs += 3_600_000;
    return nowMs;
  };
  await rig.worker({ clock: { ...systemClock(), nowMs: hourly } });
  const job = await rig.run("outputs", { count: 1 });
  expect(outages).toBeLessThan(0);
  expect(job).toMatchObject({ state: "done", attempts: 1, error: null });
  expect(writes).toBe(1);
});
