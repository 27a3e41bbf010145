import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Job } from "@lockstep/cloud-node";
import type { BenchGoal, BenchTable } from "./bench.ts";
import { CutNetwork } from "./cut-network.ts";
import { BENCH_WORKLOADS, CommandProcess, JobsRig, type QueueKind } from "./jobs-rig.ts";
import { median } from "./statistics.ts";

const LEASE_MS = 2_000;
const STEPS = 10;
const STEP_MS = 100;
/** Of the stream that holds how each job stands. */
const STATE_STREAM = "KV_lockstep_jobs";
const UPLOAD_BYTES = 60_000_000;
const LONGEST_LIFE_MS = 2_500;
const OVER: ReadonlySet<string> = new Set(["done", "failed", "dead", "cancelled"]);

/** What became of one job that something was done to. */
interface Outcome {
  readonly isDone: boolean;
  /** How often it was heard to end. */
  readonly ends: number;
  readonly attempts: number;
  /** Whether what was killed or cut still had something to do. */
  readonly isUnderWay: boolean;
  /** From the fault to its end. */
  readonly ms: number;
}

/** One kind of fault, so many times. */
interface Series {
  readonly fault: string;
  readonly kind: QueueKind;
  /** 2 where a worker is lost: another one must have taken the job. */
  readonly leastAttempts: 1 | 2;
  readonly outcomes: readonly Outcome[];
}

/**
 * Jobs that end exactly once in effect, whatever is killed or cut.
 *
 * @param runs  of each kind
 * @param say  told what is done next
 */
export async function faults(
  runs: number,
  say: (what: string) => void,
): Promise<{ readonly table: BenchTable; readonly goals: readonly BenchGoal[] }> {
  const series: Series[] = [];
  const plans: readonly (readonly [string, () => Promise<Series>])[] = [
    ["kill -9 of the worker, SQLite", () => killWorkers("SQLite", runs)],
    ["kill -9 of the worker, JetStream", () => killWorkers("JetStream", runs)],
    ["kill -9 of who hands it in, SQLite", () => killClients("SQLite", runs)],
    ["kill -9 of who hands it in, JetStream", () => killClients("JetStream", runs)],
    ["kill -9 of the leader of 3", () => killLeaders(runs)],
    ["a cut network", () => cutWorkers(runs)],
  ];
  for (const [what, run] of plans) {
    say(`${what}, ${runs} times`);
    series.push(await run());
  }
  const hurt = series.map((one) => ({ ...one, outcomes: one.outcomes.filter(({ isUnderWay }) => isUnderWay) }));
  return {
    table: {
      title: `Faults: ${STEPS} steps of ${STEP_MS} ms with a checkpoint behind each; a lease of ${LEASE_MS} ms, for the leader of 15 s`,
      columns: [
        ...["fault", "queue", "runs", "hit under way", "of these ended done, once", "most attempts"],
        ...["to the end: median, s", "longest, s"],
      ],
      rows: hurt.map(({ fault, kind, outcomes, leastAttempts }) => {
        const times = outcomes.map(({ ms }) => ms / 1000);
        return [
          ...[fault, kind, runs, outcomes.length, countOnce(outcomes, leastAttempts)],
          Math.max(...outcomes.map(({ attempts }) => attempts)),
          ...[Number(median(times).toFixed(1)), Number(Math.max(...times).toFixed(1))],
        ];
      }),
    },
    goals: hurt.map(({ fault, kind, outcomes, leastAttempts }) => ({
      what: `jobs that ended exactly once, ${fault}, ${kind}`,
      measured: countOnce(outcomes, leastAttempts),
      unit: `of ${outcomes.length} that were hit under way`,
      must: { atLeast: Math.max(1, outcomes.length) },
    })),
  };
}

function countOnce(outcomes: readonly Outcome[], leastAttempts: number): number {
  return outcomes.filter(({ isDone, ends, attempts }) => isDone && ends === 1 && attempts >= leastAttempts).length;
}

/** Counts the ends of jobs. */
class EndCount {
  readonly #ends = new Map<string, Set<string>>();
  readonly leave: () => void;

  constructor({ open: { queue } }: JobsRig) {
    this.leave = queue.watch((event) => {
      if (event.kind !== "job" || !OVER.has(event.job.state)) return;
      const { id, state, endedMs, result } = event.job;
      const ends = this.#ends.get(id) ?? new Set();
      // The same end may be told twice; another one differs in when or what.
      this.#ends.set(id, ends.add(JSON.stringify([state, endedMs, result])));
    });
  }

  outcome({ id, state, attempts, endedMs, result }: Job, ms: number, isUnderWay: boolean): Outcome {
    const ends = new Set(this.#ends.get(id) ?? []).add(JSON.stringify([state, endedMs, result]));
    return { isDone: state === "done", ends: ends.size, attempts, isUnderWay, ms };
  }
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

const begun = ({ state, progress }: Job) => state === "running" && (progress?.fraction ?? 0) > 0;

/** Do something to a queue, or its workers, while a job is under way, so many times. */
async function whileRunning(
  rig: JobsRig,
  runs: readonly number[],
  hurt: (run: number) => Promise<(() => Promise<void>) | undefined>,
): Promise<Outcome[]> {
  const count = new EndCount(rig);
  const ended: (readonly [id: string, ms: number, isUnderWay: boolean])[] = [];
  for (const run of runs) {
    const id = await rig.submit("steps", { steps: STEPS, stepMs: STEP_MS }, { salt: `run-${run}` });
    await rig.until(id, begun);
    // Not always at the same step.
    await setTimeout((run * 37) % (STEP_MS * 5));
    const isUnderWay = (await rig.job(id)).state === "running";
    const hurtMs = performance.now();
    const mend = await hurt(run);
    await rig.over(id);
    ended.push([id, performance.now() - hurtMs, isUnderWay]);
    await mend?.();
  }
  // Whoever was late had time to spoil something.
  await setTimeout(2 * LEASE_MS);
  const outcomes = await Promise.all(
    ended.map(async ([id, ms, isUnderWay]) => count.outcome(await rig.job(id), ms, isUnderWay)),
  );
  count.leave();
  return outcomes;
}

async function killWorkers(kind: QueueKind, runs: number): Promise<Series> {
  const rig = await JobsRig.start(kind, { leaseMs: LEASE_MS });
  try {
    let worker = await rig.worker(["--workloads-from", BENCH_WORKLOADS]);
    const outcomes = await whileRunning(rig, numbers(runs), async () => {
      await worker.end("SIGKILL");
      worker = await rig.worker(["--workloads-from", BENCH_WORKLOADS]);
      return undefined;
    });
    return { fault: "kill -9 of the worker", kind, leastAttempts: 2, outcomes };
  } finally {
    await rig.stop();
  }
}

async function killLeaders(runs: number): Promise<Series> {
  const kind = "JetStream of 3";
  // With the lease that everybody has: an election is shorter than it, and nobody is to lose a job by one.
  const rig = await JobsRig.start(kind);
  try {
    await rig.worker(["--workloads-from", BENCH_WORKLOADS]);
    const outcomes = await whileRunning(rig, numbers(runs), async () => {
      const restart = await rig.nats?.killLeader(STATE_STREAM);
      return async () => {
        restart?.();
        await rig.nats?.whole(STATE_STREAM);
      };
    });
    return { fault: "kill -9 of the leader", kind, leastAttempts: 1, outcomes };
  } finally {
    await rig.stop();
  }
}

async function cutWorkers(runs: number): Promise<Series> {
  const kind = "JetStream";
  const network = new CutNetwork();
  try {
    return await cutThrough(network, kind, runs);
  } finally {
    network.remove();
  }
}

async function cutThrough(network: CutNetwork, kind: QueueKind, runs: number): Promise<Series> {
  const rig = await JobsRig.start(kind, { leaseMs: LEASE_MS, host: network.host });
  try {
    const outcomes: Outcome[] = [];
    for (let run = 0; run < runs; run++) {
      const far = await rig.worker(["--workloads-from", BENCH_WORKLOADS, "--name", "far"], network.there);
      const [outcome] = await whileRunning(rig, [run], async () => {
        network.cut();
        const near = await rig.worker(["--workloads-from", BENCH_WORKLOADS, "--name", "near"]);
        return async () => {
          network.mend();
          // The one that was cut off comes back, and finds that the job is somebody else's.
          await setTimeout(LEASE_MS);
          await near.end("SIGINT");
        };
      });
      if (outcome !== undefined) outcomes.push(outcome);
      await far.end("SIGKILL");
    }
    return { fault: "network cut between worker and queue", kind, leastAttempts: 2, outcomes };
  } finally {
    await rig.stop();
  }
}

/** Whoever hands a job in is killed anywhere in it, and does it again. */
async function killClients(kind: QueueKind, runs: number): Promise<Series> {
  const rig = await JobsRig.start(kind, { leaseMs: LEASE_MS });
  try {
    await rig.worker(["--workloads-from", BENCH_WORKLOADS]);
    const count = new EndCount(rig);
    const outcomes: Outcome[] = [];
    for (let run = 0; run < runs; run++) {
      const input = join(rig.folder, `input-${run}.bin`);
      writeFileSync(input, Buffer.alloc(UPLOAD_BYTES, run + 1));
      const args = ["jobs", "submit", "copy", input, "--queue", rig.url, "--json", "--workloads-from", BENCH_WORKLOADS];
      const first = new CommandProcess(args);
      await setTimeout(((run + 1) * LONGEST_LIFE_MS) / runs);
      const isUnderWay = !first.hasEnded;
      await first.end("SIGKILL");
      const killedMs = performance.now();
      const again = new CommandProcess(args);
      await again.said(/"id":"[0-9a-f]{64}"/);
      const [, id = ""] = /"id":"([0-9a-f]+)"/.exec(again.text) ?? [];
      const job = await rig.over(id);
      const same = (await rig.open.queue.list({ limit: 1_000 })).filter(
        ({ inputs }) => inputs[0]?.name === `input-${run}.bin`,
      );
      const outcome = count.outcome(job, performance.now() - killedMs, isUnderWay);
      outcomes.push({ ...outcome, isDone: outcome.isDone && same.length === 1 });
    }
    count.leave();
    return { fault: "kill -9 of who hands it in", kind, leastAttempts: 1, outcomes };
  } finally {
    await rig.stop();
  }
}
