import type { JobSpec } from "@lockstep/cloud-node";
import type { BenchGoal, BenchTable } from "./bench.ts";
import { BenchError } from "./bench-error.ts";
import { BENCH_WORKLOADS, JobsRig, type QueueKind } from "./jobs-rig.ts";

const KINDS: readonly QueueKind[] = ["SQLite", "JetStream"];
const LONG_MS = 10_000;
const JOBS = 16;
/** Seconds of work: that a thread starts, or a queue is looked at, is no part of it. */
const RECORDING_ROWS = 200_000;
const WAIT_MS = 500;
const ATTEMPTS = 3;

/** What a queue adds to a job of ten seconds: from handing it in to hearing that it is done, beside what it took itself. */
export async function overheads(): Promise<{ readonly table: BenchTable; readonly goals: readonly BenchGoal[] }> {
  const rows: (string | number)[][] = [];
  const goals: BenchGoal[] = [];
  for (const kind of KINDS) {
    const rig = await JobsRig.start(kind);
    try {
      await rig.worker(["--workloads-from", BENCH_WORKLOADS]);
      await rig.over(await rig.submit("tiny", { n: 0 }));
      const heard = Promise.withResolvers<number>();
      rig.open.queue.watch((event) => {
        if (event.kind === "job" && event.job.workload === "wait" && event.job.state === "done") {
          heard.resolve(performance.now());
        }
      });
      const startedMs = performance.now();
      const id = await rig.submit("wait", { ms: LONG_MS });
      const wallMs = (await heard.promise) - startedMs;
      const { result } = await rig.job(id);
      const ownMs = Number(result?.value.ms);
      const percent = Number(((100 * (wallMs - ownMs)) / ownMs).toFixed(2));
      rows.push([kind, ...[ownMs, wallMs].map((ms) => Number((ms / 1000).toFixed(3))), percent]);
      goals.push({
        what: `queue overhead of a job of 10 s, ${kind}`,
        measured: percent,
        unit: "%",
        must: { below: 1 },
      });
    } finally {
      await rig.stop();
    }
  }
  return {
    table: {
      title: "A job of 10 s, which says ten times a second how far it is",
      columns: ["queue", "itself, s", "from handing it in to hearing that it is done, s", "overhead, %"],
      rows,
    },
    goals,
  };
}

/** A job that takes its thread along each time: given up with its error, while its worker lives. */
export async function poisonous(): Promise<{ readonly table: BenchTable; readonly goals: readonly BenchGoal[] }> {
  const rows: (string | number)[][] = [];
  let deaths = 0;
  let survivals = 0;
  for (const kind of KINDS) {
    const rig = await JobsRig.start(kind, { leaseMs: 2_000 });
    try {
      const worker = await rig.worker(["--workloads-from", BENCH_WORKLOADS, "--memory", "64"]);
      for (const how of ["exit", "throw", "memory"]) {
        const job = await rig.over(await rig.submit("poison", { how }, {}, ATTEMPTS));
        const next = await rig.over(await rig.submit("tiny", { n: 1 }, { salt: how }));
        const isAlive = !worker.hasEnded && next.state === "done";
        const isDead = job.state === "dead" && job.attempts === ATTEMPTS && job.error !== null;
        deaths += Number(isDead);
        survivals += Number(isAlive);
        rows.push([kind, how, job.state, job.attempts, job.error?.code ?? "–", isAlive ? "yes" : "no"]);
      }
    } finally {
      await rig.stop();
    }
  }
  const all = rows.length;
  return {
    table: {
      title: "Poisonous jobs",
      columns: ["queue", "how it ends its thread", "ends as", "attempts", "error", "worker lives and goes on"],
      rows,
    },
    goals: [
      {
        what: "poisonous jobs given up after their attempts with their error",
        measured: deaths,
        unit: `of ${all}`,
        must: { atLeast: all },
      },
      { what: "workers that live on behind them", measured: survivals, unit: `of ${all}`, must: { atLeast: all } },
    ],
  };
}

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
