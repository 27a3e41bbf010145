import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ManualClock } from "../../manual-clock.suite.ts";
import { makeScratch, removeScratch } from "./worker-scratch.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-scratch-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("folders of workers that were killed are swept away, those of others stay", async () => {
  const clock = new ManualClock();
  const own = await makeScratch(folder, clock);
  const ended = spawnSync(process.execPath, ["--version"]).pid;
  const named = (pid: number, end = "AbC123") => own.replace(/-\d+-[^-]+$/, `-${pid}-${end}`);
  const left = named(ended);
  const earlier = named(process.pid);
  const kept = [
    named(process.ppid),
    named(ended, "mine"),
    join(folder, `lockstep-worker-another.host-${ended}-AbC123`),
  ];
  for (const path of [left, earlier, ...kept]) {
    mkdirSync(path);
    writeFileSync(join(path, "input"), "bytes");
    utimesSync(path, 1, 1);
  }
  const second = await makeScratch(folder, clock);
  expect(existsSync(left)).toBe(false);
  expect(existsSync(earlier)).toBe(false);
  for (const path of [own, second, ...kept]) expect(existsSync(path), path).toBe(true);
  await removeScratch(own);
  await removeScratch(second);
  expect(readdirSync(folder)).toHaveLength(kept.length);
});

test("a folder that somebody elsewhere says is in use stays, whatever its process is called there", async () => {
  const clock = new ManualClock();
  const own = await makeScratch(folder, clock);
  const elsewhere = [process.pid, spawnSync(process.execPath, ["--version"]).pid].map((pid) =>
    own.replace(/-\d+-[^-]+$/, `-${pid}-AbC123`),
  );
  const seconds = () => clock.unixUs() / 1e6;
  for (const path of elsewhere) {
    mkdirSync(path);
    utimesSync(path, seconds(), seconds());
  }
  await removeScratch(await makeScratch(folder, clock));
  for (const path of elsewhere) expect(existsSync(path), path).toBe(true);
  for (let minute = 0; minute < 20; minute++) {
    clock.advance(60_000);
    // Its own worker says so once a minute.
    await expect.poll(() => statSync(own).mtimeMs / 1000, { timeout: 20_000 }).toBeCloseTo(seconds(), 0);
  }
  await removeScratch(await makeScratch(folder, clock));
  for (const path of elsewhere) expect(existsSync(path), path).toBe(false);
  await removeScratch(own);
});
