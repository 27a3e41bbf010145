import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WORKLOADS_URL } from "../../cli/workloads.ts";
import type { Job, JsonObject, NamedBlob } from "../../jobs/job.ts";
import { WorkerRig } from "../../jobs/worker-rig.suite.ts";
import { checkParams } from "../../jobs/workload-registry.ts";
import { FrameComparison } from "./compare-frames.ts";
import { MOST_CHUNK_FRAMES } from "./container-format.ts";
import { ContainerReader } from "./container-reader.ts";
import { writeDump } from "./dump-text.suite.ts";
import { Melt } from "./melt.suite.ts";
import { trajectory } from "./trajectory.ts";
import { TrajectoryCore } from "./trajectory-core.ts";

const REGISTRY = { registry: WORKLOADS_URL, workloads: ["trajectory"], memoryMb: 512 };
const MELT = new Melt({ atoms: 50, frames: 20, interval: 0.05, seed: 8 });
const HALVES = [0, 10].map((first) => writeDump(Array.from({ length: 10 }, (_, i) => MELT.frame(first + i))));

let rig: WorkerRig;
let folder = "";
beforeEach(async () => {
  rig = await WorkerRig.open();
  await rig.worker(REGISTRY);
  folder = mkdtempSync(join(tmpdir(), "lockstep-trajectory-job-"));
});
afterEach(async () => {
  await rig.close();
  rmSync(folder, { recursive: true });
});

async function run(params: JsonObject, inputs: readonly NamedBlob[]): Promise<Job> {
  return await rig.run("trajectory", params, { inputs, maxAttempts: 1 });
}

function input(name: string, bytes: Uint8Array | string): NamedBlob {
  return { name, ...rig.blobs.add(bytes) };
}

/** Compare what a job left with the melt. */
async function compared(job: Job): Promise<FrameComparison> {
  const [output] = job.result?.outputs ?? [];
  const path = join(folder, "found.lkt");
  writeFileSync(path, output === undefined ? "" : rig.blobs.bytes(output));
  const file = await open(path);
  try {
    const reader = await ContainerReader.open(file, path);
    const comparison = new FrameComparison();
    for (let i = 0; i < reader.frames; i++) {
      comparison.add(MELT.frame(i), await reader.frame(i), await reader.bounds(i));
    }
    return comparison;
  } finally {
    await file.close();
  }
}

test("dumps become one container within its bounds, with the facts about it", async () => {
  const inputs = [input("melt.dump.gz", gzipSync(HALVES[0] ?? "")), input("more.dump", HALVES[1] ?? "")];
  const job = await run({ eps: "x=1e-3,v=1e-2,f=1%", chunkFrames: 8 }, inputs);
  expect(job).toMatchObject({ state: "done", progress: { fraction: 1 } });
  const { value, outputs } = job.result ?? { value: {}, outputs: [] };
  const [output] = outputs;
  expect(output?.name).toBe("melt.lkt");
  const textBytes = HALVES.reduce((sum, text) => sum + text.length, 0);
  expect(value).toMatchObject({ frames: 20, atoms: 50, textBytes, bytes: output?.bytes });
  expect(value.ratio).toBeCloseTo(textBytes / (output?.bytes ?? 0), 9);
  const comparison = await compared(job);
  expect([comparison.holds, comparison.frames]).toEqual([true, 20]);
  const worst = Math.max(...comparison.columns.map(({ maxErrorOverEps }) => maxErrorOverEps ?? 0));
  expect(worst).toBeGreaterThan(0.5);
  expect(value.maxErrorOverEps).toBeCloseTo(worst, 3);
});

test("what cannot be packed is refused for good, by its name, and where it is wrong", async () => {
  const whole = HALVES[0] ?? "";
  for (const [params, names, text, code, part] of [
    [{}, [], "", "bad-job", "there are none"],
    [{}, ["a.dump"], "", "bad-input", "a.dump"],
    [{}, ["a.dump"], "no dump at all\n", "bad-input", "a.dump, line 1"],
    [{}, ["a.dump"], whole.slice(0, whole.length / 2), "bad-input", "a.dump, line "],
    [{ eps: "q=1" }, ["a.dump"], whole, "bad-params", "trajectory, eps: there is no column q"],
  ] as const) {
    const job = await run(
      params,
      names.map((name) => input(name, text)),
    );
    expect(job).toMatchObject({ state: "failed", attempts: 1, error: { code } });
    expect(job.error?.message).toContain(part);
    expect(job.error?.message).not.toContain(rig.scratch);
  }
});

test.for([
  [{ eps: "x" }, 'eps: "x" is no bound'],
  [{ eps: 1 }, "eps: Invalid type"],
  [{ mode: "mean" }, "mode: Invalid type"],
  [{ chunkFrames: 2000 }, "chunkFrames: Invalid value"],
  [{ epsilon: "x=1" }, "epsilon: Invalid key"],
] as const)("with the parameters %o names the field: %s", ([params, part]) => {
  expect(() => checkParams(trajectory, params as JsonObject)).toThrow(`trajectory, ${part}`);
});

test("a chunk may have as many frames as the core takes", () => {
  expect(MOST_CHUNK_FRAMES).toBe(TrajectoryCore.load().maxFrames);
});
