import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { requires } from "../os-package.ts";
import { ScriptProcess } from "./child-process.ts";
import type { JobHostOrder, JobHostReply, JobHostRequest } from "./job-host.ts";
import { buildDiskJournal } from "./power/disk-journal.ts";

const BYTES = 1_000_000;

requires("c-compiler")("the disk below a queue of jobs, out of order for a while", () => {
  let folder: string;
  let library: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "lockstep-jobs-"));
    library = buildDiskJournal(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.for([
    { what: "no room", refused: "WT 28", code: "disk-full" },
    { what: "only read", refused: "WTCUR 30", code: "queue-away" },
    { what: "not kept", refused: "S 5", code: "queue-away" },
  ])("($what) is told to whoever asks, costs nothing that was kept, and is over when it is over", async (trouble) => {
    const place = mkdtempSync(join(folder, "place-"));
    const refuses = join(folder, `refuses ${trouble.what}`);
    const order: JobHostOrder = { file: join(place, "node.db.jobs") };
    const start = async () => {
      const started = new ScriptProcess<JobHostRequest, JobHostReply>("job-host.ts", order, {
        ...process.env,
        LD_PRELOAD: library,
        DISK_FOLDER: place,
        DISK_JOURNAL: "/dev/null",
        DISK_REFUSES: refuses,
      });
      await started.reply("ready");
      return started;
    };
    let host = await start();
    const keep = async (number: number) => {
      host.send({ number, bytes: BYTES });
      return (await host.reply("report")).report;
    };
    expect(await keep(1)).toEqual({ blob: "kept", job: "kept" });
    writeFileSync(refuses, trouble.refused);
    expect(await keep(2)).toEqual({ blob: trouble.code, job: trouble.code });
    rmSync(refuses);
    // What was refused left nothing in the way of everybody.
    expect(await keep(2)).toEqual({ blob: "kept", job: "kept" });
    expect(await keep(1)).toEqual({ blob: "kept", job: "kept" });
    await host.kill();
    // Also of who opens it meanwhile: jobs can be read, and be written once the disk is well.
    writeFileSync(refuses, trouble.refused);
    host = await start();
    expect(await keep(3)).toEqual({ blob: trouble.code, job: trouble.code });
    rmSync(refuses);
    expect(await keep(3)).toEqual({ blob: "kept", job: "kept" });
    await host.kill();
    const blobs = join(place, "node.db.blobs");
    const files = readdirSync(blobs, { recursive: true, encoding: "utf8" })
      .map((name) => statSync(join(blobs, name)))
      .filter((facts) => facts.isFile());
    expect(files.map(({ size }) => size)).toEqual([BYTES, BYTES, BYTES]);
  });
});
