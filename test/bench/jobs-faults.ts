import type { BenchGoal, BenchTable } from "./bench.ts";
import {
  cutWorkers,
  killClients,
  killLeaders,
  killWorkers,
  LEASE_MS,
  type Outcome,
  type Series,
  STEP_MS,
  STEPS,
} from "./jobs-fault-runs.ts";
import { median } from "./statistics.ts";

/**
 * Jobs that end exactly once in effect, whatever is killed or cut.
 *
 * @param hits  how many of each kind are to be hit while they are under way
 * @param say  told what is done next
 */
export async function faults(
  hits: number,
  say: (what: string) => void,
): Promise<{ readonly table: BenchTable; readonly goals: readonly BenchGoal[] }> {
  const all: Series[] = [];
  // Those beside each other spend nearly all of their time waiting for a lease or an election.
  const plans: readonly (readonly [string, ...(() => Promise<Series>)[]])[] = [
    ["kill -9 of the worker", () => killWorkers("SQLite", hits), () => killWorkers("JetStream", hits)],
    ["kill -9 of who hands it in, SQLite", () => killClients("SQLite", hits)],
    ["kill -9 of who hands it in, JetStream", () => killClients("JetStream", hits)],
    ["kill -9 of the leader of 3, and a cut network", () => killLeaders(hits), () => cutWorkers(hits)],
  ];
  for (const [what, ...runs] of plans) {
    say(`${what}, until ${hits} were hit under way`);
    // None is left alone with its processes when another one fails.
    const settled = await Promise.allSettled(runs.map((run) => run()));
    for (const one of settled) {
      if (one.status === "rejected") throw one.reason;
      all.push(one.value);
    }
  }
  return {
    table: {
      title: `Faults: ${STEPS} steps of ${STEP_MS} ms with a checkpoint behind each; a lease of ${LEASE_MS} ms, for the leader of 15 s`,
      columns: [
        ...["fault", "queue", "runs", "hit under way", "ended done, once", "most attempts"],
        ...["hit, to the end: median, s", "longest, s"],
      ],
      rows: all.map(({ fault, kind, outcomes, leastAttempts }) => {
        const hit = outcomes.filter(({ isHit }) => isHit);
        const times = hit.map(({ ms }) => ms / 1000);
        return [
          ...[fault, kind, outcomes.length, hit.length, countOnce(outcomes, leastAttempts)],
          Math.max(...outcomes.map(({ attempts }) => attempts)),
          ...[Number(median(times).toFixed(1)), Number(Math.max(...times).toFixed(1))],
        ];
      }),
    },
    goals: all.flatMap(({ fault, kind, outcomes, leastAttempts }) => [
      {
        what: `jobs that ended exactly once, ${fault}, ${kind}`,
        measured: countOnce(outcomes, leastAttempts),
        unit: `of ${outcomes.length}`,
        must: { atLeast: outcomes.length },
      },
      {
        what: `of these hit while they were under way, ${fault}, ${kind}`,
        measured: outcomes.filter(({ isHit }) => isHit).length,
        unit: `of ${hits} asked for`,
        must: { atLeast: hits },
      },
    ]),
  };
}

/** How many ended as they must; of one that was missed it is not asked that another worker took it. */
function countOnce(outcomes: readonly Outcome[], leastAttempts: number): number {
  return outcomes.filter(
    ({ isDone, ends, attempts, isHit }) => isDone && ends === 1 && attempts >= (isHit ? leastAttempts : 1),
  ).length;
}
