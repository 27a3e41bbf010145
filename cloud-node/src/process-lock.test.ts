import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { takeLock } from "./process-lock.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-process-lock-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const busy = (lock: string) => new RangeError(`busy: ${lock}`);

test.for([5, 250, 255])("a file whose name has %d bytes is one process's until that gives it back", async (length) => {
  const [file, other] = [join(folder, "a".repeat(length)), join(folder, "b".repeat(length))];
  const release = await takeLock(file, busy);
  await expect(takeLock(file, busy)).rejects.toThrow("busy");
  await (await takeLock(other, busy))();
  expect(readdirSync(folder)).toHaveLength(1);
  await release();
  await (await takeLock(file, busy))();
  expect(readdirSync(folder)).toEqual([]);
});
