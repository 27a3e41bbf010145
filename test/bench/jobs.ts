import type { BenchGoal, BenchOptions, BenchReport, BenchTable } from "./bench.ts";
import { type BenchPart, type PartPlace, runParts } from "./bench-part.ts";
import { blobRates } from "./jobs-blob.ts";
import { MOST_RUNS_PER_HIT } from "./jobs-fault-runs.ts";
import { faults } from "./jobs-faults.ts";
import { overheads } from "./jobs-overhead.ts";
import { poisonous } from "./jobs-poison.ts";
import { jobRates } from "./jobs-rate.ts";
import { twoWorkers } from "./jobs-two-workers.ts";
import { reportOf } from "./parts-report.ts";

const RUNS = 20;

interface JobsPlace extends PartPlace {
  /** How many jobs each fault is to hit under way. */
  readonly hits: number;
}

type Measured = Promise<{ readonly table: BenchTable; readonly goals: readonly BenchGoal[] }>;

function part(name: string, run: (place: JobsPlace) => Measured): BenchPart<JobsPlace> {
  return {
    name,
    run: async (place) => {
      const { table, goals } = await run(place);
      return { tables: [table], goals, notes: [], json: { [name]: table.rows } };
    },
  };
}

/** In the order of the page; what others may disturb comes first. */
const PARTS: readonly BenchPart<JobsPlace>[] = [
  part("rates", jobRates),
  part("overhead", overheads),
  part("blobs", blobRates),
  part("two-workers", twoWorkers),
  part("poison", poisonous),
  part("faults", async ({ hits, say }) => await faults(hits, say)),
];

const NOTES = [
  "All on one machine. A worker is `lockstep worker`, a process of its own, whose jobs are each in a thread that no other job has meanwhile; one after another they share it. Blobs are handed in and fetched by the command line, and so are the jobs whose client is killed; all other jobs by the library, in the process of this benchmark.",
  "Small jobs: handed in 64 at a time and done four at a time by one worker, counted from the first that is handed in to the last that is heard to be done, with sixteen done before it counts. BullMQ 6.7 the same, from the same process, with its worker in a process of its own; its jobs are functions of that process, with no thread and no limit of memory. Its Redis is Debian's in three ways: appendfsync always, which loses nothing to the power, as SQLite here; appendfsync everysec, which loses nothing to kill -9 and a second to the power; and as it comes, which loses up to a minute to either.",
  "JetStream is one server on this machine; where three are said, three processes on it. It has each write in its file before it answers, and that file on the disk within two minutes, as nats-server comes: it outlives kill -9, and what the power takes with it is in the other servers of a cluster. It is divided by BullMQ on appendfsync everysec, which loses as little to kill -9, and less to the power.",
  "A job of 10 s: one of each, both queues at the same time. The warm thread had a job just before. The cold one has had no job: a worker ends a thread that had nothing to do for ten seconds, and has another one stand ready, with its workloads loaded.",
  "Two workers: they run, and each has done a job of its own, before sixteen jobs are handed in; until the last is seen to be done. The processor's time is that of the workers' processes. What two workers can give on this machine is what two give that share nothing, each with a queue of its own and half of the jobs, at the same time.",
  "Blobs are of pieces that are not alike. The disk's own copy is what a user's would be, the bytes copied by the kernel (fs.copyFile) with an fsync behind; what the goal divides by. Beside it the same by Node's streams of 1 MiB, which is what a process can do that sees the bytes. Both are medians of four, each into a new file of the same folder, before, between and after our steps; for JetStream, to which no goal is set but that of memory, of two, before and after. All three steps have their bytes on the disk when they end, JetStream's within two minutes. Upload: read, and hashed while it is written. Worker: read, verified, handed on by the thread of the job, hashed while it is written. Download: read, and verified while it is written. Upload and download are whole commands, the start of Node among it; each step is the first of its process, whose peak memory is what Linux says (VmHWM).",
  "Poisonous jobs have an input. The error must be the one of their kind, after all attempts; in JetStream whoever listens on lockstep.dead.> must have heard of the job with that error and that input.",
  `Faults: the worker that has a job is killed somewhere in it, and another one started; the server that leads the stream of the jobs' states is killed and started again; the worker is in a network namespace of its own whose link is taken down until another worker has done the job; the command that hands in a job with an input of 60 MB is killed somewhere in its life, as long as one that nobody hurt has just had, and typed again. Both queues lose their workers at the same time, and the leader is killed while the network is cut elsewhere: nearly all of it is waiting. There are runs until so many were hit under way, at most ${MOST_RUNS_PER_HIT} times as many. A worker that was cut off counts as hit only if it has come back and has said itself that its lease is lost. Ended once, of all runs, hit or not: the job is done, and nothing else was ever heard to become of it; where a worker was lost another one took the job.`,
];

/** Heavy work: how fast small jobs go, beside BullMQ; what a long one costs; what becomes of it when something dies. */
export async function benchJobs(options: BenchOptions): Promise<BenchReport> {
  const { cases: hits = RUNS } = options;
  return reportOf("Jobs", NOTES, await runParts("jobs", PARTS, options, { hits }));
}
