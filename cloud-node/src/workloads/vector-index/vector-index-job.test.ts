import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WORKLOADS_URL } from "../../cli/workloads.ts";
import type { Job, JsonObject, NamedBlob } from "../../jobs/job.ts";
import { WorkerRig } from "../../jobs/worker-rig.suite.ts";
import { checkParams } from "../../jobs/workload-registry.ts";
import { type BuildOptions, buildIndex } from "./build-index.ts";
import { addVectors, deleteVectors } from "./change-index.ts";
import { clusteredRows } from "./clustered-vectors.suite.ts";
import { IndexFile } from "./index-file.ts";
import { Searcher } from "./search.ts";
import { vectorIndex } from "./vector-index.ts";
import { sourceOfArray } from "./vector-source.ts";

const REGISTRY = { registry: WORKLOADS_URL, workloads: ["vector-index"], memoryMb: 512, peersMs: 60_000 };
const D = 20;
const SHAPE = { d: D, clusters: 12, seed: 21 };
const VALUES = clusteredRows({ n: 900, ...SHAPE });
const QUERIES = clusteredRows({ n: 70, ...SHAPE }, 2);
const BUILD = { kind: "build", codeBytes: 12, seed: 4 } as const;
const OPTIONS: BuildOptions = { codeBytes: 12, seed: 4, metric: "l2" };

let rig: WorkerRig;
let folder = "";
let path = "";
beforeEach(async () => {
  rig = await WorkerRig.open();
  folder = mkdtempSync(join(tmpdir(), "lockstep-vector-job-"));
  path = join(folder, "a.vlc");
});
afterEach(async () => {
  await rig.close();
  rmSync(folder, { recursive: true });
});

async function run(params: JsonObject, inputs: readonly NamedBlob[]): Promise<Job> {
  return await rig.run("vector-index", params, { inputs, maxAttempts: 1 });
}

function input(name: string, bytes: Uint8Array | Float32Array): NamedBlob {
  return { name, ...rig.blobs.add(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)) };
}

/** Bytes of an output. */
function output(job: Job, name: string): Buffer {
  const found = job.result?.outputs.find((blob) => blob.name === name);
  return found === undefined ? Buffer.alloc(0) : Buffer.from(rig.blobs.bytes(found));
}

/** Words of a file in which k is in front of every row, without it. */
function rowsOf(bytes: Buffer, k: number): Uint32Array {
  const words = new Uint32Array(Uint8Array.from(bytes).buffer);
  expect(words.filter((_, i) => i % (k + 1) === 0).every((word) => word === k)).toBe(true);
  return words.filter((_, i) => i % (k + 1) !== 0);
}

test.for([
  [1, { rerank: "f16" }],
  [2, { metric: "cosine" }],
  [3, { metric: "ip", rerank: "i8" }],
  [4, { m: 3 }],
] as const)(
  "an index built by %d workers is the one that a single process builds, byte for byte: %o",
  async ([workers, more]) => {
    await rig.worker({ ...REGISTRY, threads: workers });
    const job = await run({ ...BUILD, ...more, workers }, [input(`base.900x${D}.f32`, VALUES)]);
    expect(job).toMatchObject({ state: "done", progress: { fraction: 1 } });
    const { facts, error } = await buildIndex(sourceOfArray(VALUES, D), path, { ...OPTIONS, ...more });
    const bytes = readFileSync(path);
    expect(output(job, `base.900x${D}.vlc`).equals(bytes)).toBe(true);
    const { n, m, codeBytes } = facts;
    expect(job.result?.value).toEqual({ kind: "build", n, d: D, m, codeBytes, bytes: bytes.length, ...error });
  },
);

test.for([
  [1, undefined, 5],
  [2, undefined, 5],
  [3, undefined, 1000],
  [3, 25, 5],
  [2, 900, 40],
] as const)(
  "%d workers find what one search of the whole index finds, bit for bit (rerank %s, m %d)",
  async ([workers, rerank, m]) => {
    await rig.worker({ ...REGISTRY, threads: workers });
    const m0 = Math.min(m, 60);
    await buildIndex(sourceOfArray(VALUES.subarray(0, 700 * D), D), path, { ...OPTIONS, m: m0, rerank: "i8" });
    await addVectors(path, sourceOfArray(VALUES.subarray(700 * D), D));
    await deleteVectors(path, Uint32Array.of(0, 5, 700, 899));
    const file = await IndexFile.open(path);
    const probes = Math.ceil(file.facts.m / 2);
    const whole = new Searcher(await file.segment()).search(QUERIES, 7, { probes, ...(rerank && { rerank }) });
    await file.close();
    const inputs = [input("a.vlc", readFileSync(path)), input("queries.f32", QUERIES)];
    const job = await run({ kind: "query", k: 7, probes, d: D, workers, ...(rerank && { rerank }) }, inputs);
    expect(job).toMatchObject({ state: "done" });
    expect(job.result?.value).toEqual({ kind: "query", queries: 70, k: 7, probes });
    expect(rowsOf(output(job, "neighbours.ivecs"), 7)).toEqual(whole.ids);
    expect(rowsOf(output(job, "distances.fvecs"), 7)).toEqual(new Uint32Array(whole.distances.buffer));
    expect(new Set(whole.ids).size).toBeGreaterThan(100);
  },
);

test("a job visits as many lists as the command does where nothing is said", async () => {
  await rig.worker({ ...REGISTRY, threads: 1 });
  await buildIndex(sourceOfArray(VALUES, D), path, { ...OPTIONS, m: 50 });
  const job = await run({ kind: "query", d: D }, [input("a.vlc", readFileSync(path)), input("q.f32", QUERIES)]);
  expect(job.result?.value).toMatchObject({ probes: 8 });
});

test("where there are fewer vectors than asked for, the others are none, at an infinite distance", async () => {
  await rig.worker({ ...REGISTRY, threads: 3 });
  await buildIndex(sourceOfArray(VALUES.subarray(0, 3 * D), D), path, { ...OPTIONS, m: 1 });
  const inputs = [input("a.vlc", readFileSync(path)), input(`q.1x${D}.f32`, QUERIES.subarray(0, D))];
  const job = await run({ kind: "query", k: 5, workers: 3 }, inputs);
  const ids = rowsOf(output(job, "neighbours.ivecs"), 5);
  expect([...ids].sort()).toEqual([0, 1, 2, 2 ** 32 - 1, 2 ** 32 - 1]);
  expect(new Float32Array(rowsOf(output(job, "distances.fvecs"), 5).buffer).slice(3)).toEqual(
    Float32Array.of(Infinity, Infinity),
  );
});

test("what cannot be built or searched is refused for good, by the name of its input", {
  timeout: 120_000,
}, async () => {
  await rig.worker(REGISTRY);
  await buildIndex(sourceOfArray(VALUES, D), path, OPTIONS);
  const index = readFileSync(path);
  const cut = VALUES.slice();
  cut[45] = Number.NaN;
  const [vectors, queries] = [input(`base.900x${D}.f32`, VALUES), input(`q.70x${D}.f32`, QUERIES)];
  for (const [params, inputs, code, part] of [
    [BUILD, [], "bad-job", "input 1 is missing"],
    [BUILD, [input(`nan.900x${D}.f32`, cut)], "bad-input", `nan.900x${D}.f32, row 2, column 5`],
    [BUILD, [input("odd.900x21.f32", VALUES)], "bad-input", "odd.900x21.f32"],
    [{ ...BUILD, m: 901 }, [vectors], "bad-input", "900 rows for 901 anchors"],
    [{ kind: "query" }, [input("a.vlc", index)], "bad-job", "input 2 is missing"],
    [{ kind: "query" }, [vectors, queries], "bad-input", `base.900x${D}.f32: this is no vector index`],
    [{ kind: "query" }, [input("a.vlc", index.subarray(0, 999)), queries], "bad-input", "a.vlc"],
    [
      { kind: "query" },
      [input("a.vlc", index), input("q.140x10.f32", QUERIES)],
      "bad-input",
      "q.140x10.f32: its queries have 10",
    ],
    [{ kind: "query", probes: 10_000 }, [input("a.vlc", index), queries], "bad-params", "probes is 10000"],
    [{ kind: "query", rerank: 20 }, [input("a.vlc", index), queries], "bad-params", "no finer rows"],
  ] as const) {
    const job = await run(params, inputs);
    expect(job).toMatchObject({ state: "failed", attempts: 1, error: { code } });
    expect(job.error?.message).toContain(part);
    expect(job.error?.message).not.toContain(rig.scratch);
  }
});

test.for([
  [{ kind: "bild" }, "kind: "],
  [{ kind: "build" }, "codeBytes: Invalid"],
  [{ ...BUILD, codeBytes: 1 }, "codeBytes: Invalid value"],
  [{ ...BUILD, metric: "l3" }, "metric: Invalid type"],
  [{ ...BUILD, workers: 0 }, "workers: Invalid value"],
  [{ ...BUILD, probes: 3 }, "probes: Invalid key"],
  [{ kind: "query", k: 0 }, "k: Invalid value"],
  [{ kind: "query", d: 65_536 }, "d: Invalid value"],
] as const)("with the parameters %o names the field: %s", ([params, part]) => {
  expect(() => checkParams(vectorIndex, params as JsonObject)).toThrow(`vector-index, ${part}`);
});
