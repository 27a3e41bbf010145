import { mkdtempSync, readFileSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { refOf } from "./blob-bytes.suite.ts";
import { BlobDesk } from "./blob-desk.ts";
import { JobError } from "./job-error.ts";
import { TrialBlobs } from "./trial-blobs.suite.ts";

/** Of an attempt whose outputs may be collected before it ends. */
const LONG_MS = 3_600_000;

let folder = "";
let blobs: TrialBlobs;
let desk: BlobDesk;
let nowMs = 0;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-blob-desk-"));
  blobs = new TrialBlobs(join(folder, "blobs"));
  desk = new BlobDesk({ blobs, folder, checkpoint: async () => undefined, clock: { nowMs: () => nowMs } });
});
afterEach(async () => {
  await desk.close();
  rmSync(folder, { recursive: true });
});

async function write(name: string, text: string) {
  const write = await desk["write-open"]({ kind: "output", name });
  await desk["write-chunk"](write, Buffer.from(text));
  return await desk["write-end"](write);
}

test("an output of a long attempt is renewed, so that it is no garbage before its job names it", async () => {
  const { sha256 } = await write("kept", "some bytes");
  utimesSync(join(folder, "blobs", sha256.slice(0, 2), sha256), 1, 1);
  await desk.renew();
  expect((await blobs.stat(sha256))?.putMs, "fresh enough").toBe(1_000);
  nowMs += LONG_MS;
  await desk.renew();
  expect((await blobs.stat(sha256))?.putMs).toBeGreaterThan(1_000_000);
});

test("an input that could not be had as a file may be asked for again", async () => {
  const bytes = Buffer.from("an input");
  const input = { name: "in", ...refOf(bytes) };
  await expect(desk.file(input)).rejects.toMatchObject({ code: "missing-blob" });
  blobs.add(bytes);
  expect(readFileSync(await desk.file(input))).toEqual(bytes);
});

test("an output that is gone is told, and none of them is taken for another", async () => {
  const { sha256 } = await write("kept", "some bytes");
  await blobs.remove(sha256);
  nowMs += LONG_MS;
  await expect(desk.renew()).rejects.toMatchObject({ code: "missing-blob" });
  await expect(desk.renew()).rejects.toBeInstanceOf(JobError);
  expect(await blobs.stat(sha256)).toBeUndefined();
});

test("an output whose name no frame could tell is refused before it is written", async () => {
  for (const name of ["a\u009fb", "a\nb", "a/b", "..", "", "é".repeat(128), "\ud800"]) {
    await expect(desk["write-open"]({ kind: "output", name }), name).rejects.toMatchObject({ code: "bad-job" });
  }
});

test("outputs that two attempts renew at once are there for both", async () => {
  await write("kept", "some bytes");
  const second = new BlobDesk({ blobs, folder, checkpoint: async () => undefined, clock: { nowMs: () => nowMs } });
  const number = await second["write-open"]({ kind: "output", name: "same" });
  await second["write-chunk"](number, Buffer.from("some bytes"));
  await second["write-end"](number);
  nowMs += LONG_MS;
  await Promise.all([desk.renew(), second.renew(), desk.renew()]);
  await second.close();
});

test("an output under a name of before takes its place", async () => {
  await write("a", "first");
  const b = await write("b", "second");
  const a = await write("a", "third");
  expect(desk.outputs).toEqual([
    { name: "a", ...a },
    { name: "b", ...b },
  ]);
});

test("what is still being written when the attempt ends is no blob", async () => {
  const write = await desk["write-open"]({ kind: "output", name: "begun" });
  await desk["write-chunk"](write, Buffer.from("some"));
  await desk.close();
  for await (const blob of blobs.list()) expect(blob).toBeUndefined();
  expect(desk.outputs).toEqual([]);
});
