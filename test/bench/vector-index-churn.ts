import { join } from "node:path";
import {
  addVectors,
  buildIndex,
  deleteVectors,
  IndexFile,
  maintainIndex,
  openVectors,
  recallAt,
  Searcher,
  searchExact,
  sourceOfArray,
} from "@lockstep/cloud-node";
import { seededRandom } from "@lockstep/sim";
import { median } from "./statistics.ts";
import { K } from "./vector-index-messages.ts";
import type { BenchSet } from "./vector-index-sets.ts";

/** Recall of an index whose rows changed, beside one built of what it then holds. */
export interface ChurnRow {
  readonly set: string;
  readonly codeBytes: number;
  /** Medians of the seeds; the difference is that of each seed. */
  readonly changed: number;
  readonly fresh: number;
  readonly difference: number;
}

const SHARE = 0.1;
const SEEDS = [1, 2, 3];

/** Build on nine tenths, delete a ninth of it, add the tenth that was left out, maintain; all lists are searched. */
export async function churn(set: BenchSet, codeBytes: number, folder: string): Promise<ChurnRow> {
  const { base, n, d, name, queries } = set;
  const source = await openVectors(base, { dtype: "f32", d });
  const rows = new Float32Array(n * d);
  await source.read(0, rows);
  await source.close();
  const count = Math.floor(n * SHARE);
  const runs: [changed: number, fresh: number][] = [];
  for (const seed of SEEDS) {
    const order = shuffled(n, seed);
    const pick = (from: number, to: number) => {
      const out = new Float32Array((to - from) * d);
      for (let i = from; i < to; i++)
        out.set(rows.subarray((order[i] ?? 0) * d, ((order[i] ?? 0) + 1) * d), (i - from) * d);
      return out;
    };
    // Rows [0, count) come later to be deleted, and [n - count, n) to be added.
    const options = { codeBytes, metric: "l2", seed } as const;
    const path = join(folder, `churn-${name}-${seed}.vlc`);
    await buildIndex(sourceOfArray(pick(0, n - count), d), path, options);
    await deleteVectors(
      path,
      Uint32Array.from({ length: count }, (_, i) => i),
    );
    await addVectors(path, sourceOfArray(pick(n - count, n), d));
    await maintainIndex(path);
    const left = pick(count, n);
    const { ids } = await searchExact(sourceOfArray(left, d), queries, K, "l2");
    const freshPath = join(folder, `fresh-${name}-${seed}.vlc`);
    await buildIndex(sourceOfArray(left, d), freshPath, options);
    runs.push([await recall(path, queries, ids, count), await recall(freshPath, queries, ids, 0)]);
  }
  return {
    ...{ set: name, codeBytes },
    changed: median(runs.map(([changed]) => changed)),
    fresh: median(runs.map(([, fresh]) => fresh)),
    difference: median(runs.map(([changed, fresh]) => fresh - changed)),
  };
}

/** @param firstId  of the row that is number 0 of the truth */
async function recall(path: string, queries: Float32Array, truth: Uint32Array, firstId: number): Promise<number> {
  const file = await IndexFile.open(path);
  const searcher = new Searcher(await file.segment());
  const { ids } = searcher.search(queries, K, { probes: file.facts.m });
  await file.close();
  return recallAt(K, { ids: truth, width: K }, { ids: ids.map((id) => id - firstId), width: K });
}

function shuffled(n: number, seed: number): Uint32Array {
  const random = seededRandom(seed);
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const other = Math.floor(random.uniform() * (i + 1));
    [order[i], order[other]] = [order[other] ?? 0, order[i] ?? 0];
  }
  return order;
}
