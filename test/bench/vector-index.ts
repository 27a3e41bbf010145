import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BenchOptions, BenchReport } from "./bench.ts";
import { canBuildHnswlib, compileHnswlib } from "./peers/hnswlib.ts";
import { churn } from "./vector-index-churn.ts";
import { runFaiss } from "./vector-index-faiss.ts";
import { compareDevices } from "./vector-index-gpu.ts";
import { recallRows } from "./vector-index-recall.ts";
import { reportOf, type VectorIndexFindings } from "./vector-index-report.ts";
import { type BenchSet, folderSets, madeSet } from "./vector-index-sets.ts";
import { pqBytes } from "./vector-index-sizes.ts";
import { largeRow, speedRows } from "./vector-index-subjects.ts";
import { compareDistortion, trainOnBlobs } from "./vector-index-training.ts";

/** Two thousand queries would tell no more of a set this large. */
const MADE = { n: 100_000, clusters: 1000, queries: 1000 } as const;
/** As little as says that it works: built and searched in seconds. */
const QUICK = { n: 10_000, clusters: 100, queries: 300 } as const;
const LARGE = { n: 1_000_000, clusters: 4000, queries: 200 } as const;
const CHURN_CODE_BYTES = 68;

const say = (what: string): void => {
  process.stderr.write(`vector-index: ${what}\n`);
};

/**
 * Our index beside usearch, hnswlib and FAISS: recall at equal bytes, speed at equal recall, building, memory, training,
 * changes. What is heavy runs in processes of its own; times are processor times.
 */
export async function benchVectorIndex({ dataFolder, isQuick = false }: BenchOptions): Promise<BenchReport> {
  const folder = await mkdtemp(join(tmpdir(), "lockstep-bench-index-"));
  try {
    if (canBuildHnswlib()) compileHnswlib(folder);
    const saved = dataFolder === undefined ? [] : await folderSets(dataFolder, folder);
    const { n, clusters, queries } = isQuick ? QUICK : MADE;
    const made = await madeSet(n, clusters, queries, folder);
    return reportOf(await (isQuick ? measureQuick : measure)(saved, made, folder));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What takes seconds of all this: codes of small sets, training, and one small index beside its peers. */
async function measureQuick(all: readonly BenchSet[], made: BenchSet, folder: string): Promise<VectorIndexFindings> {
  const saved = all.filter(({ d }) => d <= 128);
  const recall = [];
  say(`recall of ${saved.map(({ name }) => name).join(", ") || "no files: give --data"}`);
  for (const set of saved) recall.push(...(await recallRows(set, folder)));
  say("annealing, and WGSL beside the CPU");
  const [blobs, devices] = [await trainOnBlobs(), await compareDevices()];
  say("speed at equal recall");
  const speed = [await speedRows(made, folder)];
  return {
    ...{ sets: [...saved, made], recall, churned: [], distortion: [], blobs, devices },
    ...{ faiss: new Map(), speed, large: undefined },
  };
}

async function measure(saved: readonly BenchSet[], made: BenchSet, folder: string): Promise<VectorIndexFindings> {
  // Quantisers take minutes to train, and only their recall counts: they may run beside what counts recall, too.
  const quantised = Promise.all(saved.map(async (set) => ({ set, found: await runFaiss(set, pqBytes(set.d)) })));
  // It is awaited below; until then nobody listens.
  quantised.catch(() => {});
  const recall = [];
  say(`recall of ${saved.map(({ name }) => name).join(", ") || "no files: give --data"}`);
  for (const set of saved) recall.push(...(await recallRows(set, folder)));
  say("rows deleted and added");
  const churned = [];
  for (const set of saved.filter(({ d }) => d <= 128)) churned.push(await churn(set, CHURN_CODE_BYTES, folder));
  say("annealing beside k-means");
  const distortion = [];
  for (const set of saved.filter(({ d }) => d <= 128)) distortion.push(await compareDistortion(set));
  say("WGSL beside the CPU");
  const [blobs, devices] = [await trainOnBlobs(), await compareDevices()];
  say("FAISS' quantizers");
  const faiss = new Map((await quantised).map(({ set, found }) => [set, found]));
  say("speed at equal recall, and building");
  const speed = [];
  for (const set of [...saved.filter(({ hasSpeed }) => hasSpeed), made]) speed.push(await speedRows(set, folder));
  faiss.set(made, await runFaiss(made, []));
  say("a million rows");
  const large = await largeRow(await madeSet(LARGE.n, LARGE.clusters, LARGE.queries, folder), folder);
  return { sets: [...saved, made], recall, churned, distortion, blobs, devices, faiss, speed, large };
}
