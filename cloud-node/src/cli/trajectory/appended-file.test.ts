import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { ContainerWriter } from "../../workloads/trajectory/container-writer.ts";
import { parseEpsRules } from "../../workloads/trajectory/eps-rules.ts";
import { Melt } from "../../workloads/trajectory/melt.suite.ts";
import { TrajectoryCore } from "../../workloads/trajectory/trajectory-core.ts";
import { AppendedFile } from "./appended-file.ts";

const AT_ONCE = 8;
let folder = "";
let path = "";
let lock = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-append-"));
  path = join(folder, "melt.lkt");
  lock = `${path}.lock`;
  const handle = await open(path, "w+");
  const rules = parseEpsRules("x=1e-3,v=1e-2,f=1e-1");
  const writer = await ContainerWriter.create(handle, { rules, mode: "max", core: TrajectoryCore.load() });
  await writer.add(new Melt({ atoms: 8, frames: 1, interval: 0.05, seed: 1 }).frame(0));
  await writer.end();
  await handle.close();
});
beforeEach(() => rmSync(lock, { force: true }));
afterAll(() => rmSync(folder, { recursive: true }));

function opened(): Promise<PromiseSettledResult<AppendedFile>[]> {
  return Promise.allSettled(Array.from({ length: AT_ONCE }, () => AppendedFile.open(path)));
}

test.for([
  ["nobody has", () => {}],
  // It has ended by now.
  ["a process left behind", () => writeFileSync(lock, `${spawnSync(process.execPath, ["--version"]).pid}\n`)],
] as const)("of those who want to add at once to a file that %s, one does", async ([, prepare]) => {
  prepare();
  const all = await opened();
  const files = all.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const refusals = all.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  expect(readFileSync(lock, "utf8")).toBe(`${process.pid}\n`);
  for (const file of files) await file.keep();
  expect(files).toHaveLength(1);
  expect(refusals).toHaveLength(AT_ONCE - 1);
  for (const refusal of refusals) {
    expect(refusal).toMatchObject({ code: "file", message: expect.stringContaining("another process is adding") });
  }
  expect(readdirSync(folder)).toEqual(["melt.lkt"]);
});

test("a lock that does not say whose it is stays", async () => {
  writeFileSync(lock, "");
  await expect(AppendedFile.open(path)).rejects.toMatchObject({ code: "file" });
  expect(readFileSync(lock, "utf8")).toBe("");
});
