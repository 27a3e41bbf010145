import { setTimeout } from "node:timers/promises";
import type { BenchGoal, BenchTable } from "./bench.ts";
import { BENCH_WORKLOADS, JobsRig, type QueueKind } from "./jobs-rig.ts";

const KINDS: readonly QueueKind[] = ["SQLite", "JetStream"];
const LONG_MS = 10_000;
/** A worker ends a thread that had nothing to do for ten seconds, and has another one stand ready. */
const IDLE_MS = 16_000;

/** One job of ten seconds. */
interface LongJob {
  /** By the workload's own clock. */
  readonly ownMs: number;
  /** From handing it in to hearing that it is done. */
  readonly wallMs: number;
}

/** What a queue adds to a job of ten seconds: from handing it in to hearing that it is done, beside what it took itself. */
export async function overheads(): Promise<{ readonly table: BenchTable; readonly goals: readonly BenchGoal[] }> {
  // Both queues at once: they wait, nearly all of the time.
  const found = await Promise.all(KINDS.map(longJobs));
  const goals = found.map(({ kind, warm, cold }) => ({
    what: `queue overhead of a job of 10 s, ${kind}, the worse of a warm and a cold thread`,
    measured: Math.max(percentOf(warm), percentOf(cold)),
    unit: "%",
    must: { below: 1 },
  }));
  const rowOf = (kind: string, thread: string, job: LongJob) => [
    ...[kind, thread],
    ...[job.ownMs, job.wallMs].map((ms) => Number((ms / 1000).toFixed(3))),
    percentOf(job),
  ];
  return {
    table: {
      title: "A job of 10 s, which says ten times a second how far it is",
      columns: ["queue", "thread", "itself, s", "from handing it in to hearing that it is done, s", "overhead, %"],
      rows: found.flatMap(({ kind, warm, cold }) => [
        rowOf(kind, "warm: had a job just before", warm),
        rowOf(kind, `cold: its worker had none for ${IDLE_MS / 1000} s`, cold),
      ]),
    },
    goals,
  };
}

async function longJobs(
  kind: QueueKind,
): Promise<{ readonly kind: QueueKind; readonly warm: LongJob; readonly cold: LongJob }> {
  const rig = await JobsRig.start(kind);
  try {
    await rig.worker(["--workloads-from", BENCH_WORKLOADS]);
    await rig.over(await rig.submit("tiny", { n: 0 }));
    const warm = await longJob(rig, "warm");
    await setTimeout(IDLE_MS);
    return { kind, warm, cold: await longJob(rig, "cold") };
  } finally {
    await rig.stop();
  }
}

async function longJob(rig: JobsRig, salt: string): Promise<LongJob> {
  const heard = Promise.withResolvers<number>();
  const leave = rig.open.queue.watch((event) => {
    if (event.kind === "job" && event.job.salt === salt && event.job.state === "done") heard.resolve(performance.now());
  });
  const startedMs = performance.now();
  const id = await rig.submit("wait", { ms: LONG_MS }, { salt });
  const wallMs = (await heard.promise) - startedMs;
  leave();
  const { result } = await rig.job(id);
  return { ownMs: Number(result?.value.ms), wallMs };
}

function percentOf({ ownMs, wallMs }: LongJob): number {
  return Number(((100 * (wallMs - ownMs)) / ownMs).toFixed(2));
}
