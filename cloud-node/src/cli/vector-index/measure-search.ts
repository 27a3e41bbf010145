import type { Clock } from "@lockstep/edge-sdk";
import type { ExactNeighbours } from "../../workloads/vector-index/exact-search.ts";
import { recallAt } from "../../workloads/vector-index/recall.ts";
import { Searcher } from "../../workloads/vector-index/search.ts";
import type { SearchSegment } from "../../workloads/vector-index/search-segment.ts";
import type { Queries } from "./read-queries.ts";

/** How well and how fast an index answers with one number of lists visited. */
export interface MeasuredPoint {
  readonly probes: number;
  readonly recallAt1: number;
  readonly recallAt10: number;
  readonly recallAt100: number;
  /** Ten nearest each, asked together. */
  readonly qps: number;
  /** Ten nearest of one query, asked alone: microseconds that half, nine in ten, and all but one in a hundred stay under. */
  readonly p50Us: number;
  readonly p90Us: number;
  readonly p99Us: number;
}

const ROUNDS = 3;
const WIDTH = 10;
const DEEPEST = 100;

/** Measure an index at several numbers of lists, in this thread. @param onPoint  told how many are done */
export async function measurePoints(
  segment: SearchSegment,
  { values, q }: Queries,
  exact: ExactNeighbours,
  { probes: all, rerank }: { readonly probes: readonly number[]; readonly rerank: number },
  clock: Clock,
  onPoint: (done: number) => void,
): Promise<MeasuredPoint[]> {
  const { d } = segment.model;
  const truth = { ids: exact.ids, width: DEEPEST };
  const searcher = new Searcher(segment);
  const points: MeasuredPoint[] = [];
  for (const probes of all) {
    const choice = { probes, ...(rerank > 0 ? { rerank } : {}) };
    const deep = { ids: searcher.search(values, DEEPEST, choice).ids, width: DEEPEST };
    const found = { ids: searcher.search(values, WIDTH, choice).ids, width: WIDTH };
    let fastestMs = Number.POSITIVE_INFINITY;
    for (let round = 0; round < ROUNDS; round++) {
      const startedMs = clock.nowMs();
      searcher.search(values, WIDTH, choice);
      fastestMs = Math.min(fastestMs, clock.nowMs() - startedMs);
    }
    const times = new Float64Array(q);
    for (let i = 0; i < q; i++) {
      const startedMs = clock.nowMs();
      searcher.search(values.subarray(i * d, (i + 1) * d), WIDTH, choice);
      times[i] = (clock.nowMs() - startedMs) * 1000;
    }
    times.sort();
    const under = (share: number) => times[Math.min(q - 1, Math.floor(share * q))] ?? Number.NaN;
    points.push({
      probes,
      recallAt1: recallAt(1, truth, found),
      recallAt10: recallAt(WIDTH, truth, found),
      recallAt100: recallAt(DEEPEST, truth, deep),
      ...{ qps: (q * 1000) / fastestMs, p50Us: under(0.5), p90Us: under(0.9), p99Us: under(0.99) },
    });
    // So that Ctrl-C and progress have their turn.
    await new Promise(setImmediate);
    onPoint(points.length);
  }
  return points;
}
