import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { YOUNG_HEAP_FLAG } from "./young-heap.js";

let folder = "";
let script = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-heap-"));
  script = join(folder, "command.mjs");
  const module = new URL("./young-heap.js", import.meta.url).href;
  const say =
    "console.log(JSON.stringify({ flags: process.execArgv, args: process.argv.slice(2), pid: process.pid }));";
  writeFileSync(
    script,
    `import { continueWithYoungHeap } from "${module}";\ncontinueWithYoungHeap(import.meta.url);\n${say}`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(flags: readonly string[], args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const {
    pid: started,
    stdout,
    stderr,
  } = spawnSync(process.execPath, [...flags, script, ...args], {
    env: { ...process.env, NODE_OPTIONS: "", ...env },
    encoding: "utf8",
  });
  return { started, stderr, ...(JSON.parse(stdout) as { flags: string[]; args: string[]; pid: number }) };
}

test.skipIf(process.platform === "win32")(
  "what serves goes on as the same process, with the flag, its own flags and its arguments, and says nothing",
  () => {
    const args = ["serve", "--store", "a b"];
    const ran = run(["--trace-uncaught"], args);
    expect(ran).toMatchObject({ flags: [YOUNG_HEAP_FLAG, "--trace-uncaught"], args, stderr: "" });
    expect(ran.pid).toBe(ran.started);
  },
);

test("another command, and one whose young heap somebody has set, go on as they are", () => {
  expect(run([], ["encode", "serve"]).flags).toEqual([]);
  expect(run(["--max-semi-space-size=8"], ["serve"]).flags).toEqual(["--max-semi-space-size=8"]);
  expect(run([], ["serve"], { NODE_OPTIONS: "--max-semi-space-size=8" }).flags).toEqual([]);
});
