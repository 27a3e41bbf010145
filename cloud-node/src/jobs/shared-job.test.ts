import { afterEach, beforeEach, expect, test } from "vitest";
import { type Clock, systemClock } from "../clock.ts";
import { SILENT_LOGGER } from "../logger.ts";
import { ManualClock } from "../manual-clock.suite.ts";
import { ChannelHub } from "./channel-hub.ts";
import { isSeat, type Seat } from "./seat.ts";
import { SharedJob } from "./shared-job.ts";
import { WorkerRig } from "./worker-rig.suite.ts";

let rig: WorkerRig;
beforeEach(async () => {
  rig = await WorkerRig.open();
});
afterEach(() => rig.close());

async function seats() {
  return (await rig.queue.list({ limit: 1_000 })).filter(isSeat);
}

/** What a place hears where everybody stays. */
function heardBy(index: number, count: number, bytes: number): string[] {
  const others = Array.from({ length: count }, (_, place) => place).filter((place) => place !== index);
  return others.flatMap((from) => [0, 1, 2].map((i) => `${bytes} of ${16 * from + i} from ${from}`)).sort();
}

test("a shared job has all its workers speak with each other, whichever workers they are", async () => {
  await rig.worker({ name: "a", threads: 1 });
  await rig.worker({ name: "b", threads: 2 });
  const job = await rig.run("talks", { how: "stay", count: 3, bytes: 100_000 });
  expect(job).toMatchObject({ state: "done", attempts: 1 });
  expect(job.result?.value).toEqual({
    heard: heardBy(0, 3, 100_000),
    reports: [1, 2].map((index) => ({ index, heard: heardBy(index, 3, 100_000) })),
  });
  expect(await seats()).toHaveLength(2);
});

test("a job for one worker has no channel", async () => {
  await rig.worker();
  const job = await rig.run("talks", { how: "stay", count: 1 });
  expect(job.result?.value).toEqual({ alone: true });
  expect(await seats()).toEqual([]);
});

test.for(["leave", "crash"])("a worker that goes (%s) is announced to the others, which go on", async (how) => {
  await rig.worker({ threads: 3 });
  const job = await rig.run("talks", { how, count: 3, bytes: 10 });
  const heard = (from: number) =>
    [0, 1, 2]
      .map((i) => `10 of ${16 * from + i} from ${from}`)
      .concat("left 1")
      .sort();
  expect(job).toMatchObject({ state: "done" });
  expect(job.result?.value).toEqual({ heard: heard(2), reports: [{ index: 2, heard: heard(0) }] });
});

test("places that nobody takes end the attempt, and are taken back", async () => {
  await rig.worker({ threads: 1, peersMs: 100 });
  const job = await rig.run("talks", { how: "stay", count: 3 }, { maxAttempts: 1 });
  expect(job).toMatchObject({ state: "dead", error: { code: "peer-left" } });
  expect(job.error?.message).toContain("2 of 3 places were not taken in 0.1 s: let more workers");
  for (const { id } of await seats()) await rig.queue.ended(id);
});

test("a shared job that is cancelled takes its places along", async () => {
  await rig.worker({ threads: 3, graceMs: 20_000 });
  const id = await rig.submit("talks", { how: "hang", count: 3 });
  await rig.logged(id, "hangs");
  for (const seat of await seats()) await rig.logged(seat.id, "hangs");
  await rig.queue.cancel(id);
  expect(await rig.queue.ended(id)).toMatchObject({ state: "cancelled" });
  for (const seat of await seats()) expect((await rig.queue.ended(seat.id)).state).not.toBe("done");
});

test("a place of an attempt that is over is not taken", async () => {
  const worker = await rig.worker({ threads: 3, graceMs: 50 });
  const id = await rig.submit("talks", { how: "hang", count: 3 });
  await rig.logged(id, "hangs");
  const [seat] = await seats();
  await worker.stop();
  await rig.queue.cancel(id);
  await rig.queue.retry(String(seat?.id));
  await rig.worker();
  const job = await rig.queue.ended(String(seat?.id));
  expect(job).toMatchObject({ state: "failed", error: { code: "bad-job" } });
  expect(job.error?.message).toContain("is over");
});

const SEAT = { job: "ab".repeat(32), attempt: 1, startedMs: 1, index: 1, count: 2, secret: "00".repeat(32) };

test.for<readonly [object, string]>([
  [{}, "seat: Invalid"],
  [{ seat: { host: "example.org" }, params: {} }, "seat."],
  ...["tcp://[:::]:1", "tcp://h:99999", "http://h:1", "tcp://me@h:1", "mqtt-route:0"].map(
    (address) => [{ seat: { ...SEAT, address }, params: {} }, "seat.address: Invalid"] as const,
  ),
])("a place that is none, %o, is refused", async ([params, part]) => {
  await rig.worker();
  const job = await rig.run("talks", params as Record<string, never>, { salt: "seat-1-1-abababab" });
  expect(job).toMatchObject({ state: "failed", attempts: 1, error: { code: "bad-job" } });
  expect(job.error?.message).toContain(part);
});

test.for([0, 257, 1.5])("a workload that wants %d workers is refused", async (count) => {
  await rig.worker();
  expect(await rig.run("talks", { count })).toMatchObject({ state: "failed", error: { code: "bad-params" } });
});

test("shared jobs that hold each other's workers end all the same, and it uses up no attempt", async () => {
  const ids: string[] = [];
  // Ids by which the two give up a good while apart, at first and later.
  for (const bytes of [3, 31])
    ids.push(await rig.submit("talks", { how: "stay", count: 2, bytes }, { maxAttempts: 1 }));
  await rig.worker({ threads: 2, peersMs: 2_000 });
  for (const id of ids) expect(await rig.queue.ended(id)).toMatchObject({ state: "done", attempts: 1, error: null });
  const logs = await Promise.all(ids.map((id) => rig.queue.log(id)));
  expect(logs.flat().join()).toContain("it is given back: 1 of 2 places were not taken");
});

/** A job that several workers are to share, as a worker has it, and its place; undefined: place 0. */
async function shared(seat?: Seat, bytes = 0, clock: Clock = systemClock()): Promise<SharedJob> {
  const id = await rig.submit("talks", { how: "stay", count: 2, bytes });
  const job = await rig.queue.until(id, () => true);
  return new SharedJob({
    ...{ queue: rig.queue, job, attempt: 1, seat, channelHost: "127.0.0.1", peersMs: 60_000 },
    ...{ clock, logger: SILENT_LOGGER, signal: new AbortController().signal },
  });
}

test("a shared job that ends while it offers its places takes back also those that come later", async () => {
  const submit = rig.queue.submit.bind(rig.queue);
  const begun = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const job = await shared();
  rig.queue.submit = async (...args) => {
    begun.resolve();
    await held.promise;
    return await submit(...args);
  };
  const opening = job.open({ count: 3, isRefilled: false }).catch((error: unknown) => error);
  await begun.promise;
  await job.close();
  held.resolve();
  expect(await opening).toMatchObject({ code: "cancelled" });
  expect((await seats()).map(({ state }) => state)).toEqual(["cancelled"]);
});

test("a place that is taken while its attempt ends is let go", async () => {
  const secret = Buffer.alloc(32, 7);
  const here = { job: "ab".repeat(32), count: 3 };
  const hub = await ChannelHub.open({
    ...here,
    secret,
    channelHost: "127.0.0.1",
    isRefilled: false,
    clock: systemClock(),
    logger: SILENT_LOGGER,
  });
  const job = await shared({
    ...here,
    attempt: 1,
    startedMs: 1,
    index: 1,
    address: hub.address,
    secret: secret.toString("hex"),
  });
  const opening = job.open({ count: 3, isRefilled: false }).catch((error: unknown) => error);
  await job.close();
  expect(await opening).toMatchObject({ code: "cancelled" });
  expect(await hub.receive()).toEqual({ kind: "left", from: 1 });
  await hub.close();
});

test("shared jobs whose places nobody takes give up at times of their own, all of them between one and one and a half waits", async () => {
  const submit = rig.queue.submit.bind(rig.queue);
  const times: number[] = [];
  for (const bytes of [3, 31]) {
    const clock = new ManualClock();
    const job = await shared(undefined, bytes, clock);
    const offered = Promise.withResolvers<void>();
    rig.queue.submit = async (...args) => await submit(...args).finally(offered.resolve);
    let error: unknown;
    const opening = job.open({ count: 2, isRefilled: false }).catch((thrown: unknown) => {
      error = thrown;
    });
    await offered.promise;
    rig.queue.submit = submit;
    const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
    await settled();
    const beginMs = clock.nowMs();
    for (; error === undefined && clock.nowMs() - beginMs < 120_000; await settled()) clock.advance(1_000);
    times.push(clock.nowMs() - beginMs);
    await opening;
    expect(error).toMatchObject({ code: "peer-left" });
    expect(job.isShort).toBe(true);
    await job.close();
  }
  expect(Math.min(...times)).toBeGreaterThanOrEqual(60_000);
  expect(Math.max(...times)).toBeLessThanOrEqual(91_000);
  expect(Math.abs((times[0] ?? 0) - (times[1] ?? 0))).toBeGreaterThan(20_000);
});
