import { recallAt } from "@lockstep/cloud-node";
import { median } from "./statistics.ts";
import type { IndexProcess } from "./vector-index-child.ts";
import { K, type SearchAnswer } from "./vector-index-messages.ts";
import type { BenchSet } from "./vector-index-sets.ts";

/** How well and how fast an index answers at one effort. */
export interface EffortPoint {
  readonly effort: number;
  readonly recall: number;
  /** One thread, of its processor time; the median of the rounds. */
  readonly qps: number;
}

/** An index, and how it answers; `atTarget` is what it would do at the recall asked for, between the two next to it. */
export interface SpeedRow {
  readonly process: IndexProcess;
  readonly points: readonly EffortPoint[];
  /** Not a number where it never comes so far. */
  readonly qpsAtTarget: number;
  readonly effortAtTarget: string;
}

const ROUNDS = 7;

/** The share of exact neighbours that is among those found. */
export function recallOf({ truth }: BenchSet, { ids }: SearchAnswer): number {
  return recallAt(K, { ids: truth, width: K }, { ids, width: K });
}

/**
 * Speed of several indexes at one recall: a sweep finds the efforts next to it, and those are then measured in turns, so
 * that what else the machine does falls on all of them alike.
 */
export async function speedAt(target: number, set: BenchSet, processes: readonly IndexProcess[]): Promise<SpeedRow[]> {
  const sweeps = new Map<IndexProcess, Map<number, { recall: number; times: number[] }>>();
  for (const process of processes) sweeps.set(process, await sweep(target, set, process));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [process, points] of sweeps) {
      for (const effort of bracket(target, points)) {
        points.get(effort)?.times.push((await process.search(effort)).cpuSeconds);
      }
    }
  }
  const queries = set.queries.length / set.d;
  return [...sweeps].map(([process, found]) => {
    const points = [...found].map(([effort, { recall, times }]) => ({ effort, recall, qps: queries / median(times) }));
    const efforts = bracket(target, found);
    const [below, above] = efforts.map((effort) => points.find((point) => point.effort === effort));
    return { process, points, effortAtTarget: efforts.join(" to "), qpsAtTarget: between(target, below, above) };
  });
}

/** Rising efforts until the recall is passed. */
async function sweep(target: number, set: BenchSet, process: IndexProcess) {
  const points = new Map<number, { recall: number; times: number[] }>();
  for (const effort of process.built.efforts) {
    // The first is not counted: code and caches are cold.
    await process.search(effort);
    const answer = await process.search(effort);
    const recall = recallOf(set, answer);
    points.set(effort, { recall, times: [answer.cpuSeconds] });
    if (recall >= target) break;
  }
  return points;
}

/** The last effort below the target, and the first that reaches it; one where the first already does, none where none does. */
function bracket(target: number, points: ReadonlyMap<number, { readonly recall: number }>): number[] {
  const all = [...points];
  const place = all.findIndex(([, { recall }]) => recall >= target);
  return place < 0 ? [] : all.slice(Math.max(0, place - 1), place + 1).map(([effort]) => effort);
}

/** On the line between two points, speed on a logarithmic scale. */
function between(target: number, below?: EffortPoint, above?: EffortPoint): number {
  if (below === undefined) return Number.NaN;
  if (above === undefined) return below.qps;
  const share = (target - below.recall) / (above.recall - below.recall);
  return below.qps ** (1 - share) * above.qps ** share;
}
