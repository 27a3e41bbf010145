import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { contentHash, isStamped, writeStamp } from "./stamp.js";

let root = "";

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lockstep-stamp-"));
  mkdirSync(join(root, "assembly/deep"), { recursive: true });
  writeFileSync(join(root, "assembly/a.ts"), "one");
  writeFileSync(join(root, "assembly/deep/b.ts"), "two");
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

test("a hash changes with a file's content, its name, its presence and the salt, and with nothing else", () => {
  const hash = (salt = "") => contentHash(root, ["assembly", "missing"], (path) => !path.endsWith(".test.ts"), salt);
  const before = hash();
  utimesSync(join(root, "assembly/a.ts"), 1, 1);
  writeFileSync(join(root, "assembly/a.test.ts"), "a test");
  mkdirSync(join(root, "assembly/dist"));
  writeFileSync(join(root, "assembly/dist/a.js"), "built");
  expect(hash()).toBe(before);

  const seen = new Set([before, hash("another compiler")]);
  writeFileSync(join(root, "assembly/deep/b.ts"), "three");
  seen.add(hash());
  rmSync(join(root, "assembly/deep/b.ts"));
  seen.add(hash());
  writeFileSync(join(root, "assembly/c.ts"), "three");
  seen.add(hash());
  expect(seen.size).toBe(5);
});

test("a step is done only if it ended, from these inputs, and its outputs are still there", () => {
  const output = "assembly/a.ts";
  expect(isStamped(root, "wasm", "h1", [output])).toBe(false);
  writeStamp(root, "wasm", "h1");
  expect(isStamped(root, "wasm", "h1", [output])).toBe(true);
  expect(isStamped(root, "wasm", "h2", [output])).toBe(false);
  rmSync(join(root, output));
  expect(isStamped(root, "wasm", "h1", [output])).toBe(false);
});
