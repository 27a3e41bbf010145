import type { BenchGoal, BenchTable } from "./bench.ts";
import { BENCH_WORKLOADS, JobsRig, type QueueKind } from "./jobs-rig.ts";
import { type BullMode, bullRate } from "./peers/bullmq-rate.ts";

/** Jobs of one run. */
const JOBS = 2_000;
/** Handed in at the same time. */
const AT_ONCE = 64;
/** Worked on at the same time, by one process. */
const THREADS = 4;

/** Small jobs per second, from the first that is handed in to the last that is done. */
export async function jobRates(): Promise<{ readonly table: BenchTable; readonly goals: readonly BenchGoal[] }> {
  const sqlite = await ownRate("SQLite");
  const jetStream = await ownRate("JetStream");
  const peers: readonly (readonly [string, BullMode])[] = [
    ["BullMQ on Redis as it comes, a snapshot a minute at most", "default"],
    ["BullMQ on Redis, each write on the disk", "durable"],
  ];
  const rows: (readonly [string, number])[] = [
    ["ours, SQLite, each write on the disk", sqlite],
    ["ours, JetStream, one server, on the disk within two minutes", jetStream],
  ];
  const plan = { jobs: JOBS, atOnce: AT_ONCE, concurrency: THREADS };
  for (const [name, mode] of peers) rows.push([name, await bullRate(mode, plan)]);
  const durable = rows.at(-1)?.[1] ?? Number.NaN;
  return {
    table: {
      title: `Small jobs: ${JOBS} that do nothing, handed in and done at once`,
      columns: ["queue", "jobs/s", "× of BullMQ on the disk"],
      rows: rows.map(([name, rate]) => [name, Math.round(rate), Number((rate / durable).toPrecision(3))]),
    },
    goals: [
      { what: "small jobs, SQLite", measured: Math.round(sqlite), unit: "/s", must: { atLeast: 300 }, aim: 1_000 },
      {
        what: "small jobs, JetStream",
        measured: Math.round(jetStream),
        unit: "/s",
        must: { atLeast: 1_000 },
        aim: 3_000,
      },
    ],
  };
}

async function ownRate(kind: QueueKind): Promise<number> {
  const rig = await JobsRig.start(kind);
  try {
    await rig.worker(["--workloads-from", BENCH_WORKLOADS, "--threads", String(THREADS)]);
    // Threads are started, and workloads loaded, before it counts.
    const first = Array.from({ length: 4 * THREADS }, (_, n) => rig.submit("tiny", { n }, { salt: "first" }));
    for (const id of await Promise.all(first)) await rig.over(id);
    const done = new Set<string>();
    const { promise, resolve } = Promise.withResolvers<void>();
    const leave = rig.open.queue.watch((event) => {
      if (event.kind !== "job" || event.job.state !== "done" || event.job.salt === "first") return;
      done.add(event.job.id);
      if (done.size === JOBS) resolve();
    });
    const startedMs = performance.now();
    let next = 0;
    const submit = async (): Promise<void> => {
      while (next < JOBS) {
        const n = next;
        next += 1;
        await rig.submit("tiny", { n });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, submit));
    await promise;
    const ms = performance.now() - startedMs;
    leave();
    return (1000 * JOBS) / ms;
  } finally {
    await rig.stop();
  }
}
