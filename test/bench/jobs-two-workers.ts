import type { JobSpec } from "@lockstep/cloud-node";
import type { BenchGoal, BenchTable } from "./bench.ts";
import { BenchError } from "./bench-error.ts";
import { BENCH_WORKLOADS, JobsRig } from "./jobs-rig.ts";

const JOBS = 16;
/** Seconds of work: that a thread starts, or a queue is looked at, is no part of it. */
const RECORDING_ROWS = 200_000;
const WAIT_MS = 500;

/** How often the benchmark looks for a job's end, ms: it is not to take the processor from what it measures. */
const LOOK_MS = 100;

/** Sixteen jobs, by one worker and by two: recordings, and some that need no processor, which shows what stands in line. */
export async function twoWorkers(): Promise<{ readonly table: BenchTable; readonly goals: readonly BenchGoal[] }> {
  const recordings: WorkPlan = {
    what: `a recording of ${RECORDING_ROWS} rows, eps 0.01`,
    orderOf: recordingOf,
    options: [],
  };
  const waits: WorkPlan = {
    what: `${WAIT_MS} ms of waiting`,
    orderOf: async (n) => ({ workload: "wait", params: { ms: WAIT_MS }, salt: `wait-${n}` }),
    options: ["--workloads-from", BENCH_WORKLOADS],
  };
  const one = await workBy([1], recordings);
  const two = await workBy([2], recordings);
  // What the machine gives: two that share nothing.
  const apart = await workBy([1, 1], recordings);
  const waited = [await workBy([1], waits), await workBy([2], waits)] as const;
  const row = ({ what }: WorkPlan, workers: string, { ms, cpuMs }: Work, alone: Work) => {
    const times = [ms, cpuMs].map((time) => Number((time / 1000).toFixed(2)));
    return [what, workers, ...times, Number((alone.ms / ms).toFixed(2))];
  };
  return {
    table: {
      title: `${JOBS} jobs by one worker and by two, each a process with one thread for jobs`,
      columns: ["each job", "workers", "s", "processor, s", "×"],
      rows: [
        row(recordings, "1", one, one),
        row(recordings, "2", two, one),
        row(recordings, "2, each with a queue and half of the jobs", apart, one),
        row(waits, "1", waited[0], waited[0]),
        row(waits, "2", waited[1], waited[0]),
      ],
    },
    goals: [
      {
        what: `2 workers against 1, ${JOBS} telemetry jobs`,
        measured: Number((one.ms / two.ms).toFixed(2)),
        unit: "x",
        must: { atLeast: 1.7 },
      },
    ],
  };
}

interface Work {
  readonly ms: number;
  /** Of the processor, for all workers. */
  readonly cpuMs: number;
}

type WorkOrder = Pick<JobSpec, "workload" | "params"> & Partial<JobSpec>;

interface WorkPlan {
  readonly what: string;
  /** @param n  0 …: no two are the same */
  orderOf(n: number, rig: JobsRig): Promise<WorkOrder>;
  /** Of the workers. */
  readonly options: readonly string[];
}

/**
 * From handing in to the last end, by workers that run and have done a job each; with the processor's time for it.
 *
 * @param counts  workers of each queue; the jobs are divided among the queues
 */
async function workBy(counts: readonly number[], plan: WorkPlan): Promise<Work> {
  const rigs: JobsRig[] = [];
  try {
    const ready = await Promise.all(
      counts.map(async (count, i) => {
        const rig = await JobsRig.start("SQLite");
        rigs.push(rig);
        return await prepared(rig, count, plan, i * JOBS, JOBS / counts.length);
      }),
    );
    const cpuMs = () => ready.reduce((sum, one) => sum + one.cpuMs(), 0);
    const before = { atMs: performance.now(), cpuMs: cpuMs() };
    await Promise.all(ready.map(({ work }) => work()));
    return { ms: performance.now() - before.atMs, cpuMs: cpuMs() - before.cpuMs };
  } finally {
    for (const rig of rigs) await rig.stop();
  }
}

/** Workers of one queue that have done a job each. @param from  number of the first of these jobs */
async function prepared(rig: JobsRig, count: number, { orderOf, options }: WorkPlan, from: number, jobs: number) {
  const orders = await Promise.all(Array.from({ length: jobs + count }, (_, n) => orderOf(from + n, rig)));
  const handIn = async ({ workload, params, ...more }: WorkOrder) => await rig.submit(workload, params, more);
  const workers = await Promise.all(Array.from({ length: count }, () => rig.worker(options)));
  await settled(rig, await Promise.all(orders.slice(jobs).map(handIn)));
  return {
    cpuMs: () => workers.reduce((sum, worker) => sum + worker.cpuMs, 0),
    work: async () => await settled(rig, await Promise.all(orders.slice(0, jobs).map(handIn))),
  };
}

/** @throws {BenchError} `no-answer` for one that is not done in the end */
async function settled(rig: JobsRig, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const { state, error } = await rig.over(id, LOOK_MS);
    if (state !== "done") throw new BenchError("no-answer", { from: "a job", state, error: error?.message ?? "" });
  }
}

async function recordingOf(n: number, { open }: JobsRig): Promise<WorkOrder> {
  const bytes = Buffer.from(recording(n));
  const blob = await open.blobs.put(async function* () {
    yield bytes;
  });
  return { workload: "telemetry", params: { eps: 0.01 }, inputs: [{ name: `recording-${n}.csv`, ...blob }] };
}

/** A signal with some noise, no two alike; the same in every run. */
function recording(n: number): string {
  let state = n + 1;
  const lines = Array.from({ length: RECORDING_ROWS }, (_, i) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return `${i / 100},${(Math.sin(i / 40 + n) + state / 2 ** 36).toFixed(5)}`;
  });
  return `t,x\n${lines.join("\n")}\n`;
}
