import { canBuildHnswlib } from "./peers/hnswlib.ts";
import { IndexProcess } from "./vector-index-child.ts";
import type { OurOptions, SubjectName } from "./vector-index-messages.ts";
import type { BenchSet } from "./vector-index-sets.ts";
import { SIDE_BYTES } from "./vector-index-sizes.ts";
import { type EffortPoint, recallOf, type SpeedRow, speedAt } from "./vector-index-speed.ts";

/** Speed of every index at one recall, on one set. */
export interface SpeedTable {
  readonly set: BenchSet;
  readonly target: number;
  readonly rows: readonly SpeedRow[];
}

/** The index that a million vectors become. */
export interface LargeRow {
  readonly set: BenchSet;
  readonly process: IndexProcess;
  readonly points: readonly EffortPoint[];
}

/** Where int8 HNSW is at its usual effort, on text. */
export const TARGET = 0.925;
/** Fewer lists than for the best codes: each query has to find its own among them. */
const LISTS_PER_ROOT = 1.8;
const CODE_BYTES = 72 - SIDE_BYTES;
const LARGE_CODE_BYTES = 72 - SIDE_BYTES;
const LARGE_PROBES = [8, 16, 32, 64, 128];
const RERANKED = 40;

export function lists(n: number): number {
  return Math.round(LISTS_PER_ROOT * Math.sqrt(n));
}

const OURS: Readonly<Record<string, OurOptions>> = {
  [`ours, ${CODE_BYTES + SIDE_BYTES} B`]: { codeBytes: CODE_BYTES },
  [`ours, ${CODE_BYTES / 2 + SIDE_BYTES} B, ranked again by int8`]: {
    ...{ codeBytes: CODE_BYTES / 2, rerank: "i8", candidates: RERANKED },
  },
};

/** Build every index of a set, ask them in turns, and let go of them. */
export async function speedRows(set: BenchSet, folder: string): Promise<SpeedTable> {
  const peers: SubjectName[] = ["usearch i8", "usearch f32", ...(canBuildHnswlib() ? (["hnswlib"] as const) : [])];
  const processes: IndexProcess[] = [];
  const { base, queryFile: queries, n, d } = set;
  try {
    for (const [name, ours] of Object.entries(OURS)) {
      const order = { subject: "ours", base, queries, n, d, folder, ours: { ...ours, m: lists(n) } } as const;
      processes.push(await IndexProcess.build(name, order));
    }
    for (const subject of peers) {
      processes.push(await IndexProcess.build(subject, { subject, base, queries, n, d, folder }));
    }
    return { set, target: TARGET, rows: await speedAt(TARGET, set, processes) };
  } finally {
    for (const process of processes) await process.close();
  }
}

export async function largeRow(set: BenchSet, folder: string): Promise<LargeRow> {
  const { base, queryFile: queries, n, d } = set;
  const ours = { codeBytes: LARGE_CODE_BYTES, m: lists(n) };
  const process = await IndexProcess.build("ours", { subject: "ours", base, queries, n, d, folder, ours });
  const points: EffortPoint[] = [];
  for (const effort of LARGE_PROBES) {
    await process.search(effort);
    const answer = await process.search(effort);
    points.push({ effort, recall: recallOf(set, answer), qps: set.queries.length / d / answer.cpuSeconds });
  }
  await process.close();
  return { set, process, points };
}
