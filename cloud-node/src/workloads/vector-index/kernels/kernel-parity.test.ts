import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { findProgram, mustRunAll, osPackage } from "../../../../../scripts/os-packages.js";
import { generatedClusters, seededUniform } from "../generated-vectors.suite.ts";
import { trainModel } from "../train-model.ts";
import { VectorIndexError } from "../vector-index-error.ts";
import { sourceOfArray } from "../vector-source.ts";
import type { AnchorKernels, GridShape } from "./anchor-kernels.ts";
import { cpuKernels } from "./cpu-kernels.ts";
import { gpuKernels } from "./gpu-kernels.ts";

const hasSoftware = findProgram(osPackage("software-gl")) !== undefined;

/** Every edge of a workgroup, a tile and a register is crossed by one of these. */
const CASES = [
  { k: 1, m: 1, paddedD: 16, range: 2047 },
  { k: 63, m: 17, paddedD: 16, range: 127 },
  { k: 65, m: 5, paddedD: 48, range: 2047 },
  { k: 300, m: 100, paddedD: 128, range: 2047 },
  { k: 130, m: 33, paddedD: 784, range: 827 },
];

interface Values extends GridShape {
  readonly rows: Int16Array;
  readonly anchors: Int16Array;
  readonly weights: Uint8Array;
  readonly amplitudes: Int32Array;
}

/** Values over the whole grid, its corners among them, and rows that lie exactly between two anchors. */
function valuesOf({ k, m, paddedD, range }: (typeof CASES)[number]): Values {
  const uniform = seededUniform(k);
  const draw = () => (uniform() < 0.1 ? (uniform() < 0.5 ? -range : range) : Math.floor(uniform() * 2 * range) - range);
  const rows = Int16Array.from({ length: k * paddedD }, draw);
  const anchors = Int16Array.from({ length: m * paddedD }, draw);
  anchors.copyWithin((m - 1) * paddedD, 0, paddedD);
  rows.copyWithin((k - 1) * paddedD, 0, paddedD);
  const weights = Uint8Array.from({ length: k }, () => Math.floor(uniform() * 4));
  const amplitudes = Int32Array.from({ length: paddedD }, () => Math.floor(uniform() * 2 ** 20));
  return { paddedD, range, rows, anchors, weights, amplitudes };
}

/** All that the three kernels give. */
async function run(kernels: AnchorKernels, { rows, anchors, weights, amplitudes, paddedD }: Values) {
  const k = rows.length / paddedD;
  await kernels.load(rows);
  const assignment = await kernels.assign(anchors, k);
  const reduced = await kernels.reduce(weights);
  const updated = await kernels.update({ seed: 4_000_000_007, amplitudes });
  // A part of the rows, and anchors that the device made itself.
  const part = await kernels.assign(updated, Math.ceil(k / 2));
  const arrays: Integers[] = [reduced.sums, reduced.counts, updated];
  for (const { ids, distances, seconds } of [assignment, part]) arrays.push(ids, distances, seconds);
  return arrays;
}

type Integers = Int16Array | Int32Array | Uint32Array;

/** Counted, as a printed difference of so many numbers says less. */
function countDiffering(ours: Integers, theirs: Integers | undefined): number {
  expect(ours.length).toBe(theirs?.length);
  let count = 0;
  for (let i = 0; i < ours.length; i++) if (ours[i] !== theirs?.[i]) count++;
  return count;
}

describe.runIf(hasSoftware || mustRunAll())("WGSL on software OpenGL ES", () => {
  test.each(CASES)(
    "$k rows, $m anchors, $paddedD dimensions: not one integer differs from WebAssembly's",
    async (shape) => {
      const values = valuesOf(shape);
      const gpu = await gpuKernels(values, { isSoftware: true });
      const ours = await run(gpu, values);
      await gpu.close();
      expect(gpu.device).not.toBe("cpu");
      const theirs = await run(cpuKernels(values), values);
      expect(ours.map((array, i) => countDiffering(array, theirs[i]))).toEqual(ours.map(() => 0));
    },
  );

  test("the model that is trained there is the processor's, bit for bit", async () => {
    const { rows, d } = generatedClusters(5, { n: 600, d: 20, clusters: 12, spread: 0.5 });
    const options = { codeBytes: 8, metric: "l2", seed: 1, iterations: 3, m: 9 } as const;
    const ours = await trainModel(sourceOfArray(rows, d), { ...options, device: "software-gpu" });
    const theirs = await trainModel(sourceOfArray(rows, d), options);
    expect(countDiffering(ours.lists, theirs.lists)).toBe(0);
    expect(Buffer.from(ours.model.anchors.buffer).equals(Buffer.from(theirs.model.anchors.buffer))).toBe(true);
    expect(Buffer.from(ours.model.rotation.buffer).equals(Buffer.from(theirs.model.rotation.buffer))).toBe(true);
  });

  test("a driver that aborts in the middle costs nothing but time", async () => {
    const values = valuesOf({ k: 65, m: 5, paddedD: 48, range: 2047 });
    const pids: number[] = [];
    const gpu = await gpuKernels(values, { isSoftware: true, started: (pid) => pids.push(pid) });
    const abort = () => process.kill(pids.at(-1) ?? 0, "SIGABRT");
    abort();
    await gpu.load(values.rows);
    abort();
    const { ids } = await gpu.assign(values.anchors, 65);
    abort();
    const { sums } = await gpu.reduce(values.weights);
    abort();
    const updated = await gpu.update({ seed: 1, amplitudes: values.amplitudes });
    await gpu.close();
    const cpu = cpuKernels(values);
    await cpu.load(values.rows);
    expect(countDiffering(ids, (await cpu.assign(values.anchors, 65)).ids)).toBe(0);
    expect(countDiffering(sums, (await cpu.reduce(values.weights)).sums)).toBe(0);
    expect(countDiffering(updated, await cpu.update({ seed: 1, amplitudes: values.amplitudes }))).toBe(0);
    expect(pids.length).toBe(5);
  });
});

test("a driver that always aborts is no device, and training says so", async () => {
  const started = (pid: number) => process.kill(pid, "SIGABRT");
  await expect(gpuKernels({ paddedD: 16, range: 127 }, { isSoftware: true, started })).rejects.toMatchObject({
    code: "no-device",
    problem: expect.stringContaining("aborted twice"),
  });
});

test("a program that asked for a device ends, whether there was one or not", () => {
  const kernels = JSON.stringify(new URL("./gpu-kernels.ts", import.meta.url));
  const ask = `const { gpuKernels } = await import(${kernels});
    await gpuKernels({ paddedD: 16, range: 127 }, { isSoftware: false }).then((gpu) => gpu.close(), (error) => console.log(error.code));`;
  const { status, signal, stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", ask], {
    timeout: 20_000,
  });
  expect([status, signal]).toEqual([0, null]);
  expect(["", "no-device\n"]).toContain(String(stdout));
});

test("a graphics processor gives the same integers, and where there is none, that is said", async () => {
  const values = valuesOf({ k: 300, m: 100, paddedD: 128, range: 2047 });
  const gpu = await gpuKernels(values, { isSoftware: false }).catch((error: unknown) => error);
  if (gpu instanceof VectorIndexError) {
    expect(gpu.code).toBe("no-device");
    expect(gpu.message).toMatch(/graphics processor|npm package webgpu/);
    return;
  }
  const kernels = gpu as AnchorKernels;
  const ours = await run(kernels, values);
  await kernels.close();
  const theirs = await run(cpuKernels(values), values);
  expect(ours.map((array, i) => countDiffering(array, theirs[i]))).toEqual(ours.map(() => 0));
});
