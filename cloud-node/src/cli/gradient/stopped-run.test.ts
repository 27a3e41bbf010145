import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../clock.ts";
import type { JobQueue } from "../../jobs/job-queue.ts";
import { type OpenQueue, openQueue } from "../../jobs/open-queue.ts";
import { SEAT_SALT } from "../../jobs/seat-salt.ts";
import { stoppedRun } from "./stopped-run.ts";

const TEXT = { sha256: "ab".repeat(32) };
const INPUT = { name: "book.txt", ...TEXT, bytes: 9 };
const CHECKPOINT = { sha256: "cd".repeat(32), bytes: 7 };

let folder = "";
let open: OpenQueue;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-stopped-"));
  open = await openQueue(`sqlite:${join(folder, "workers.jobs")}`, systemClock(), { leaseMs: 60_000 });
});
afterEach(async () => {
  await open.close();
  rmSync(folder, { recursive: true });
});

/** A run whose only attempt comes to a checkpoint and fails. */
async function ended(queue: JobQueue, isFinal: boolean): Promise<string> {
  const spec = { workload: "gradient", params: {}, inputs: [INPUT], salt: "" };
  const { job } = await queue.submit(spec, { maxAttempts: 1 });
  const lease = await queue.claim(["gradient"], "worker");
  await lease?.checkpoint(CHECKPOINT);
  await lease?.failed({ code: "out-of-memory", message: "more than 1024 MiB" }, isFinal);
  return job.id;
}

test.each([
  ["dead", false],
  ["failed", true],
] as const)("a run that is %s goes on from the checkpoint that it left", async (state, isFinal) => {
  const id = await ended(open.queue, isFinal);
  expect(await open.queue.get(id)).toMatchObject({ state });
  expect((await stoppedRun(open.queue, "run", TEXT)).id).toBe(id);
  expect(await open.queue.get(id)).toMatchObject({ state: "queued", attempts: 0, checkpoint: CHECKPOINT });
});

test("what else waits in its queue waits on", async () => {
  const { job: seat } = await open.queue.submit({ workload: "gradient", params: {}, inputs: [], salt: SEAT_SALT });
  await open.queue.cancel(seat.id);
  const id = await ended(open.queue, false);
  await open.queue.retry(seat.id);
  await stoppedRun(open.queue, "run", TEXT);
  expect(await open.queue.get(id)).toMatchObject({ state: "queued", checkpoint: CHECKPOINT });
  expect(await open.queue.get(seat.id)).toMatchObject({ state: "queued", attempts: 0, checkpoint: null });
});

test("a run goes on with the text that it was begun with, and with no other", async () => {
  const id = await ended(open.queue, false);
  await expect(stoppedRun(open.queue, "run", { sha256: "ef".repeat(32) })).rejects.toMatchObject({
    code: "refused",
    message: expect.stringContaining("begun with another text"),
  });
  expect(await open.queue.get(id)).toMatchObject({ state: "dead" });
});

test("where no run was begun there is none to go on with", async () => {
  await expect(stoppedRun(open.queue, "run", TEXT)).rejects.toMatchObject({ code: "refused" });
});
