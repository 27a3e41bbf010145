import { IndexProcess } from "./vector-index-child.ts";
import type { BenchSet } from "./vector-index-sets.ts";
import { equalBytes, promisedBytes, SIDE_BYTES, smallBytes } from "./vector-index-sizes.ts";
import { recallOf } from "./vector-index-speed.ts";

/** Recall of our codes alone: all lists are searched, and nothing is ranked again. */
export interface RecallRow {
  readonly set: string;
  /** Code and side data together, at most. */
  readonly bytes: number;
  readonly bytesPerVector: number;
  readonly indexBytes: number;
  readonly recall: number;
  readonly qps: number;
  readonly buildSeconds: number;
  readonly peakRssMB: number;
}

export async function recallRows(set: BenchSet, folder: string): Promise<RecallRow[]> {
  const sizes = new Set([...promisedBytes(set.d), ...equalBytes(set.d), ...(set.d === 128 ? [smallBytes(set.d)] : [])]);
  const rows: RecallRow[] = [];
  for (const bytes of [...sizes].toSorted((a, b) => a - b)) {
    const { base, queryFile: queries, n, d } = set;
    const order = { subject: "ours", base, queries, n, d, folder, ours: { codeBytes: bytes - SIDE_BYTES } } as const;
    const process = await IndexProcess.build(`ours, ${bytes} B`, order);
    const { bytesPerVector, indexBytes, cpuSeconds: buildSeconds, peakRssMB, efforts } = process.built;
    const answer = await process.search(efforts.at(-1) ?? 1);
    await process.close();
    const qps = set.queries.length / d / answer.cpuSeconds;
    const recall = recallOf(set, answer);
    rows.push({ set: set.name, bytes, bytesPerVector, indexBytes, recall, qps, buildSeconds, peakRssMB });
  }
  return rows;
}
