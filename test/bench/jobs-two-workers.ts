import type { JobSpec } from "@lockstep/cloud-node";
import type { BenchGoal, BenchTable } from "./bench.ts";
import { BenchError } from "./bench-error.ts";
import { BENCH_WORKLOADS, JobsRig } from "./jobs-rig.ts";

const JOBS = 16;
/** Seconds of work: that a thread starts, or a queue is looked at, is no part of it. */
const RECORDING_ROWS = 200_000;
const WAIT_MS = 500;

/** Sixteen jobs, by one worker and by two: recordings, and some that need no processor, which shows what stands in line. */
export async function twoWorkers(): Promise<{ readonly table: BenchTable; readonly goals: readonly BenchGoal[] }> {
  const plans: readonly WorkPlan[] = [
    { what: `a recording of ${RECORDING_ROWS} rows, eps 0.01`, orderOf: recordingOf, options: [] },
    {
      what: `${WAIT_MS} ms of waiting`,
      orderOf: async (n) => ({ workload: "wait", params: { ms: WAIT_MS }, salt: `wait-${n}` }),
      options: ["--workloads-from", BENCH_WORKLOADS],
    },
  ];
  const ratios: number[] = [];
  const rows: (string | number)[][] = [];
  for (const plan of plans) {
    const one = await workBy(1, plan);
    const two = await workBy(2, plan);
    ratios.push(one.ms / two.ms);
    for (const [workers, { ms, cpuMs }] of [one, two].entries()) {
      const times = [ms, cpuMs].map((time) => Number((time / 1000).toFixed(2)));
      rows.push([plan.what, workers + 1, ...times, Number((one.ms / ms).toFixed(2))]);
    }
  }
  const [ratio = Number.NaN] = ratios;
  return {
    table: {
      title: `${JOBS} jobs by one worker and by two, each a process with one thread for jobs`,
      columns: ["each job", "workers", "s", "processor, s", "×"],
      rows,
    },
    goals: [
      {
        what: `2 workers against 1, ${JOBS} telemetry jobs`,
        measured: Number(ratio.toFixed(2)),
        unit: "x",
        must: { atLeast: 1.7 },
      },
    ],
  };
}

type WorkOrder = Pick<JobSpec, "workload" | "params"> & Partial<JobSpec>;

interface WorkPlan {
  readonly what: string;
  /** @param n  0 …: no two are the same */
  orderOf(n: number, rig: JobsRig): Promise<WorkOrder>;
  /** Of the workers. */
  readonly options: readonly string[];
}

/** From handing in to the last end, by workers that run and have done a job each; with the processor's time for it. */
async function workBy(
  count: number,
  { orderOf, options }: WorkPlan,
): Promise<{ readonly ms: number; readonly cpuMs: number }> {
  const rig = await JobsRig.start("SQLite");
  try {
    const orders = await Promise.all(Array.from({ length: JOBS + count }, (_, n) => orderOf(n, rig)));
    const handIn = async ({ workload, params, ...more }: WorkOrder) => await rig.submit(workload, params, more);
    const workers = await Promise.all(Array.from({ length: count }, () => rig.worker(options)));
    await settled(rig, await Promise.all(orders.slice(JOBS).map(handIn)));
    const cpuMs = () => workers.reduce((sum, worker) => sum + worker.cpuMs, 0);
    const before = { atMs: performance.now(), cpuMs: cpuMs() };
    await settled(rig, await Promise.all(orders.slice(0, JOBS).map(handIn)));
    return { ms: performance.now() - before.atMs, cpuMs: cpuMs() - before.cpuMs };
  } finally {
    await rig.stop();
  }
}

/** @throws {BenchError} `no-answer` for one that is not done in the end */
async function settled(rig: JobsRig, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const { state, error } = await rig.over(id);
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
