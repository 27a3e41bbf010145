import type { BenchOptions, BenchReport } from "./bench.ts";
import { blobRates } from "./jobs-blob.ts";
import { faults } from "./jobs-faults.ts";
import { jobRates } from "./jobs-rate.ts";
import { overheads, poisonous, twoWorkers } from "./jobs-work.ts";

const RUNS = 20;

const say = (what: string): void => {
  process.stderr.write(`jobs: ${what}\n`);
};

/** Heavy work: how fast small jobs go, beside BullMQ; what a long one costs; what becomes of it when something dies. */
export async function benchJobs({ cases = RUNS }: BenchOptions): Promise<BenchReport> {
  say("small jobs, beside BullMQ");
  const rates = await jobRates();
  say("what a queue adds to a job of ten seconds");
  const parts = [await overheads()];
  say("a blob of a gigabyte");
  parts.push(await blobRates());
  say("poisonous jobs");
  parts.push(await poisonous());
  say("two workers against one");
  parts.push(await twoWorkers());
  parts.push(await faults(cases, say));
  return {
    ...rates.table,
    more: parts.map(({ table }) => table),
    goals: [rates, ...parts].flatMap(({ goals }) => goals),
    notes: [
      "Workers and whoever hands jobs in are processes of their own on one machine; ours are the command line, which starts a thread for each job.",
      "Small jobs: handed in 64 at a time and done four at a time by one worker, counted from the first that is handed in to the last that is heard to be done. BullMQ 6.7 with its worker in a process of its own too, whose jobs are functions of that process, with no thread and no limit of memory; Debian's Redis with every write on the disk before it is answered (appendfsync always, as SQLite here), and as it comes, with a snapshot a minute at most.",
      "JetStream is one server on this machine; where three are said, three processes on it. It has each write in its file before it answers, and that file on the disk within two minutes, as nats-server comes: it outlives kill -9, and what the power takes with it is in the other servers of a cluster.",
      "Two workers: they run, and each has done a job of its own, before sixteen jobs are handed in; until the last is seen to be done. The processor's time is that of the workers' processes.",
      "The blob is of a gigabyte of pieces that are not alike. The disk's own copy is the median of four by Node's streams, each into a new file of the same folder with an fsync behind it, before, between and after our steps; upload and download are whole commands, the start of Node among it.",
      "Faults: the worker that has a job is killed somewhere in it, and another one started; the server that leads the stream of the jobs' states is killed and started again; the worker is in a network namespace of its own whose link is taken down until another worker has done the job; the command that hands in a job with an input of 60 MB is killed somewhere in it, and typed again. Only what was under way when it was hit is counted. Ended once: it is done, and nothing else was ever heard to become of it; where a worker was lost another one took the job, and the lost one had twice its lease to spoil it.",
    ],
  };
}
