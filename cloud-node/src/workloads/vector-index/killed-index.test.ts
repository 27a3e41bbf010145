import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { IndexFile } from "./index-file.ts";
import { CHANGES } from "./index-process.suite.ts";

const PROCESS = fileURLToPath(new URL("./index-process.suite.ts", import.meta.url));
let folder = "";
let whole = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-killed-index-"));
  whole = join(folder, "whole.vlc");
  for (const change of ["build", "add", "delete"]) await CHANGES[change]?.(whole);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** @returns how often it wrote; undefined when it was killed */
async function changed(path: string, change: string, killAt = 0): Promise<number | undefined> {
  return await new Promise((resolve, reject) => {
    execFile(process.execPath, [PROCESS, path, change, String(killAt)], (error, stdout) => {
      if (error === null) resolve(Number(stdout));
      else if (error.signal === "SIGKILL") resolve(undefined);
      else reject(error);
    });
  });
}

async function ids(path: string): Promise<number[]> {
  const file = await IndexFile.open(path);
  const { ids: found } = await file.segment();
  await file.close();
  return [...found].sort((a, b) => a - b);
}

test.for(["build", "maintain", "add"])(
  "a %s that is killed in any write leaves the old index, and can be made again",
  async (change) => {
    const path = join(folder, `${change}.vlc`);
    copyFileSync(whole, path);
    const [bytes, before] = [readFileSync(path), await ids(path)];
    const writes = (await changed(join(folder, `${change}.vlc`), change)) ?? 0;
    const after = readFileSync(path);
    expect(after.equals(bytes)).toBe(false);
    copyFileSync(whole, path);
    expect(writes).toBeGreaterThan(8);
    // The first one, one in between, table, header, and when all is to be had on the disk.
    for (const killAt of [1, writes >> 1, writes - 3, writes - 2, writes - 1]) {
      expect(await changed(path, change, killAt)).toBeUndefined();
      expect(readFileSync(path).equals(bytes)).toBe(true);
      expect(await ids(path)).toEqual(before);
    }
    // What a killed one leaves is named as what it is, and is in nobody's way.
    const left = readdirSync(folder).filter((name) => name.startsWith(`${change}.vlc.`));
    expect(left.filter((name) => name.endsWith(".part"))).toHaveLength(5);
    expect(left.filter((name) => !name.endsWith(".part"))).toEqual([`${change}.vlc.lock`]);
    // And when its new name is to be had on the disk: it has that by then.
    expect(await changed(path, change, writes)).toBeUndefined();
    expect(readFileSync(path).equals(after)).toBe(true);
    copyFileSync(whole, path);
    await changed(path, change);
    expect(readFileSync(path).equals(after)).toBe(true);
  },
);
