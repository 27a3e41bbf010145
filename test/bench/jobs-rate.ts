import type { BenchGoal, BenchTable } from "./bench.ts";
import { BENCH_WORKLOADS, JobsRig, type QueueKind } from "./jobs-rig.ts";
import { bullRate } from "./peers/bullmq-rate.ts";
import type { RedisKeeping } from "./peers/redis-server.ts";
import { median } from "./statistics.ts";

/** Jobs of one run. */
const JOBS = 2_000;
/** Handed in at the same time. */
const AT_ONCE = 64;
/** Worked on at the same time, by one process. */
const THREADS = 4;
/** Done before it counts: threads are started, code is loaded, connections stand. */
const FIRST_JOBS = 4 * THREADS;
/** Of each, in turns. */
const ROUNDS = 3;

/** One queue of the comparison. */
interface Contender {
  readonly name: string;
  /** Name of the peer that loses as much when a process or the power goes; its rate is what this one's is divided by. */
  readonly peer: string;
  readonly rate: () => Promise<number>;
}

const DURABLE = "BullMQ on Redis, each write on the disk before it is answered";
const EACH_SECOND = "BullMQ on Redis, each write in its file before it is answered, on the disk every second";
const AS_IT_COMES = "BullMQ on Redis as it comes, a snapshot a minute at most";

/** Small jobs per second, from the first that is handed in to the last that is done. */
export async function jobRates(): Promise<{ readonly table: BenchTable; readonly goals: readonly BenchGoal[] }> {
  const bull = (name: string, keeping: RedisKeeping): Contender => ({
    name,
    peer: name,
    rate: () => bullRate(keeping, { jobs: JOBS, firstJobs: FIRST_JOBS, atOnce: AT_ONCE, concurrency: THREADS }),
  });
  const contenders: readonly Contender[] = [
    {
      name: "ours, SQLite, each write on the disk before it is answered",
      peer: DURABLE,
      rate: () => ownRate("SQLite"),
    },
    bull(DURABLE, "durable"),
    {
      name: "ours, JetStream, one server, each write in its file before it is answered, on the disk within two minutes",
      peer: EACH_SECOND,
      rate: () => ownRate("JetStream"),
    },
    bull(EACH_SECOND, "each-second"),
    bull(AS_IT_COMES, "default"),
  ];
  const rates = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    // Nobody is always the first, or always behind the same one.
    const turns = [...contenders.slice(round), ...contenders.slice(0, round)];
    for (const { name, rate } of turns) rates.get(name)?.push(await rate());
  }
  const medianOf = (name: string) => median(rates.get(name) ?? []);
  const [sqlite, , jetStream] = contenders.map(({ name }) => Math.round(medianOf(name)));
  return {
    table: {
      title: `Small jobs: ${JOBS} that do nothing, handed in and done at once; median of ${ROUNDS} in turns`,
      columns: ["queue", "jobs/s", "lowest", "highest", "× of BullMQ with the same safety"],
      rows: contenders.map(({ name, peer }) => {
        const all = rates.get(name) ?? [];
        const ratio = Number((medianOf(name) / medianOf(peer)).toPrecision(3));
        return [name, ...[medianOf(name), Math.min(...all), Math.max(...all)].map(Math.round), ratio];
      }),
    },
    goals: [
      { what: "small jobs, SQLite", measured: sqlite ?? Number.NaN, unit: "/s", must: { atLeast: 300 }, aim: 1_000 },
      {
        what: "small jobs, JetStream",
        measured: jetStream ?? Number.NaN,
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
    const first = Array.from({ length: FIRST_JOBS }, (_, n) => rig.submit("tiny", { n }, { salt: "first" }));
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
