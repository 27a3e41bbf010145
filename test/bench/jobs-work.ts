import type { BenchGoal, BenchTable } from "./bench.ts";
import { BenchError } from "./bench-error.ts";
import { BENCH_WORKLOADS, JobsRig, type QueueKind } from "./jobs-rig.ts";

const KINDS: readonly QueueKind[] = ["SQLite", "JetStream"];
const LONG_MS = 10_000;
const RECORDINGS = 16;
const RECORDING_ROWS = 60_000;
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

/** Sixteen recordings, by one worker and by two. */
export async function twoWorkers(): Promise<{ readonly table: BenchTable; readonly goals: readonly BenchGoal[] }> {
  const one = await recordingsBy(1);
  const two = await recordingsBy(2);
  const ratio = one / two;
  return {
    table: {
      title: `${RECORDINGS} telemetry jobs of ${RECORDING_ROWS} rows, eps 0.01`,
      columns: ["workers, a thread each", "s", "×"],
      rows: [
        [1, Number((one / 1000).toFixed(2)), 1],
        [2, Number((two / 1000).toFixed(2)), Number(ratio.toFixed(2))],
      ],
    },
    goals: [{ what: "2 workers against 1", measured: Number(ratio.toFixed(2)), unit: "x", must: { atLeast: 1.7 } }],
  };
}

async function recordingsBy(workers: number): Promise<number> {
  const rig = await JobsRig.start("SQLite");
  try {
    const ids: string[] = [];
    for (let n = 0; n < RECORDINGS; n++) {
      const bytes = Buffer.from(recording(n));
      const blob = await rig.open.blobs.put(async function* () {
        yield bytes;
      });
      const inputs = [{ name: `recording-${n}.csv`, ...blob }];
      ids.push(await rig.submit("telemetry", { eps: 0.01 }, { inputs }));
    }
    await Promise.all(Array.from({ length: workers }, () => rig.worker()));
    const jobs = await Promise.all(ids.map((id) => rig.over(id, 50)));
    const wrong = jobs.find(({ state }) => state !== "done");
    if (wrong !== undefined)
      throw new BenchError("no-answer", { from: "a recording", error: wrong.error?.message ?? "" });
    const startedMs = Math.min(...jobs.map((job) => job.startedMs ?? Number.NaN));
    return Math.max(...jobs.map((job) => job.endedMs ?? Number.NaN)) - startedMs;
  } finally {
    await rig.stop();
  }
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
