import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LAUNCHER, runLockstep } from "./lockstep-process.ts";

let folder = "";
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-full-output-"));
  writeFileSync(
    at("rows.90x4.f32"),
    Float32Array.from({ length: 360 }, (_, i) => Math.sin(i * i)),
  );
  expect((await runLockstep("vector-index", "build", at("rows.90x4.f32"), "--out", at("a.vlc"))).code).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true }));

// The one device that always says it is full.
test
  .skipIf(process.platform !== "linux")
  .for([
    [["--version"]],
    [["vector-index", "--help"]],
    [["vector-index", "info", "a.vlc"]],
    [["vector-index", "info", "a.vlc", "--json"]],
    [["vector-index", "query", "a.vlc", "rows.90x4.f32"]],
  ] as const)("lockstep %o says in one line that standard output has no room", async ([args]) => {
  const files = args.map((word) => (word.includes(".") ? at(word) : word));
  const child = spawn("sh", ["-c", 'exec "$@" >/dev/full', "sh", process.execPath, LAUNCHER, ...files], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, "close")]);
  expect(said).toMatch(/^lockstep: standard output cannot be written \(ENOSPC.*\): make room there\n$/);
  expect(code).toBe(1);
});
