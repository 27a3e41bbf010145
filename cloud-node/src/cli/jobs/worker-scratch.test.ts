import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeScratch, removeScratch } from "./worker-scratch.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-scratch-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("folders of workers that were killed are swept away, those of others stay", async () => {
  const own = await makeScratch(folder);
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
  }
  const second = await makeScratch(folder);
  expect(existsSync(left)).toBe(false);
  expect(existsSync(earlier)).toBe(false);
  for (const path of [own, second, ...kept]) expect(existsSync(path), path).toBe(true);
  await removeScratch(own);
  await removeScratch(second);
  expect(readdirSync(folder)).toHaveLength(kept.length);
});
