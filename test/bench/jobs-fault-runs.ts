import { writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Job } from "@lockstep/cloud-node";
import { CutNetwork } from "./cut-network.ts";
import { BENCH_WORKLOADS, CommandProcess, JobsRig, OVER, type QueueKind } from "./jobs-rig.ts";

/** Of the jobs whose workers are lost. */
export const LEASE_MS = 2_000;
export const STEPS = 10;
export const STEP_MS = 100;
/** Of the stream that holds how each job stands. */
const STATE_STREAM = "KV_lockstep_jobs";
const UPLOAD_BYTES = 60_000_000;
/** A fault may come too late: then there is another run, up to so many for each that is to be hit. */
export const MOST_RUNS_PER_HIT = 3;
/** Steps of this fraction of the whole come to lie evenly, however many there are. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;
/** TCP tries again after pauses that double while the link is down: as long as that was, and some more. */
const BACK_MS = 30_000;

/** What became of one job that something was done to. */
export interface Outcome {
  readonly isDone: boolean;
  /** How often it was heard to end. */
  readonly ends: number;
  readonly attempts: number;
  /** Whether what was killed or cut still had something to do. */
  readonly isHit: boolean;
  /** From the fault to its end. */
  readonly ms: number;
  /** What it ended of, where it is not done. */
  readonly error: string | undefined;
}

/** One kind of fault, so many times. */
export interface Series {
  readonly fault: string;
  readonly kind: QueueKind;
  /** 2 where a worker is lost: another one must have taken the job. */
  readonly leastAttempts: 1 | 2;
  /** Of all runs, also of those that were not hit. */
  readonly outcomes: readonly Outcome[];
}

/** One job of a series, once it is over. */
interface Run {
  readonly id: string;
  readonly isHit: boolean;
  readonly ms: number;
}

/** What a fault leaves behind. */
interface Fault {
  /** Whether the job was still under way. */
  readonly isHit: boolean;
  /** Put right what was done, once the job is over. @returns whether it counts as hit, where that shows only now */
  readonly mend?: () => Promise<boolean>;
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

  outcome({ id, state, attempts, endedMs, result, error }: Job, ms: number, isHit: boolean): Outcome {
    const ends = new Set(this.#ends.get(id) ?? []).add(JSON.stringify([state, endedMs, result]));
    const isDone = state === "done";
    const what = isDone ? undefined : `${state}: ${error?.code}: ${error?.message}`;
    return { isDone, ends: ends.size, attempts, isHit, ms, error: what };
  }
}

/** Make runs until so many were hit, or there were three times as many. @returns all of them */
async function untilHit(hits: number, one: (run: number) => Promise<Run>): Promise<Run[]> {
  const runs: Run[] = [];
  for (let hit = 0; hit < hits && runs.length < MOST_RUNS_PER_HIT * hits; ) {
    const run = await one(runs.length);
    runs.push(run);
    hit += Number(run.isHit);
  }
  return runs;
}

const begun = ({ state, progress }: Job) => state === "running" && (progress?.fraction ?? 0) > 0;

/** Do something to a queue, or its workers, while a job is under way, until that came so often. */
async function whileRunning(
  rig: JobsRig,
  hits: number,
  { before, hurt }: { readonly before?: () => Promise<void>; readonly hurt: (id: string) => Promise<Fault> },
): Promise<Outcome[]> {
  const count = new EndCount(rig);
  const runs = await untilHit(hits, async (run) => {
    await before?.();
    const id = await rig.submit("steps", { steps: STEPS, stepMs: STEP_MS }, { salt: `run-${run}` });
    await rig.until(id, begun);
    // Not always at the same step.
    await setTimeout((run * 37) % (STEP_MS * 5));
    const hurtMs = performance.now();
    const { isHit, mend } = await hurt(id);
    await rig.over(id);
    const ms = performance.now() - hurtMs;
    const isMended = (await mend?.()) ?? true;
    return { id, ms, isHit: isHit && isMended };
  });
  // Whoever was late had time to spoil something.
  await setTimeout(2 * LEASE_MS);
  const outcomes = await Promise.all(
    runs.map(async ({ id, ms, isHit }) => count.outcome(await rig.job(id), ms, isHit)),
  );
  count.leave();
  return outcomes;
}

/** The worker that has the job is killed, and another one started. */
export async function killWorkers(kind: QueueKind, hits: number): Promise<Series> {
  const rig = await JobsRig.start(kind, { leaseMs: LEASE_MS });
  try {
    let worker = await rig.worker(["--workloads-from", BENCH_WORKLOADS]);
    const hurt = async (id: string) => {
      await worker.end("SIGKILL");
      // Nobody is there to bring it to its end now.
      const isHit = (await rig.job(id)).state === "running";
      worker = await rig.worker(["--workloads-from", BENCH_WORKLOADS]);
      return { isHit };
    };
    const outcomes = await whileRunning(rig, hits, { hurt });
    return { fault: "kill -9 of the worker", kind, leastAttempts: 2, outcomes };
  } finally {
    await rig.stop();
  }
}

/** The server that leads the stream of the jobs' states is killed, and started again. */
export async function killLeaders(hits: number): Promise<Series> {
  const kind = "JetStream of 3";
  // With the lease that everybody has: an election is shorter than it, and nobody is to lose a job by one.
  const rig = await JobsRig.start(kind);
  try {
    await rig.worker(["--workloads-from", BENCH_WORKLOADS]);
    const hurt = async (id: string) => {
      const isHit = (await rig.job(id)).state === "running";
      const restart = await rig.nats?.killLeader(STATE_STREAM);
      const mend = async () => {
        restart?.();
        await rig.nats?.whole(STATE_STREAM);
        return true;
      };
      return { isHit, mend };
    };
    const outcomes = await whileRunning(rig, hits, { hurt });
    return { fault: "kill -9 of the leader", kind, leastAttempts: 1, outcomes };
  } finally {
    await rig.stop();
  }
}

/** The link of the worker that has the job is taken down until another one has done the job. */
export async function cutWorkers(hits: number): Promise<Series> {
  const network = new CutNetwork();
  try {
    return await cutThrough(network, hits);
  } finally {
    network.remove();
  }
}

async function cutThrough(network: CutNetwork, hits: number): Promise<Series> {
  const kind = "JetStream";
  const rig = await JobsRig.start(kind, { leaseMs: LEASE_MS, host: network.host });
  const worker = async (name: string, before: readonly string[] = []) =>
    await rig.worker(["--workloads-from", BENCH_WORKLOADS, "--name", name, "--log", "info"], before);
  try {
    let far: CommandProcess | undefined;
    const before = async () => {
      await far?.end("SIGKILL");
      far = await worker("far", network.there);
    };
    const hurt = async (id: string) => {
      const isHit = (await rig.job(id)).state === "running";
      network.cut();
      const near = await worker("near");
      const mend = async () => {
        network.mend();
        // It comes back, and finds that the job is somebody else's: before that it had no chance to spoil anything.
        const isBack = await far?.saidWithin(/"end":"lease-lost"/, BACK_MS);
        await near.end("SIGINT");
        return isBack === true;
      };
      return { isHit, mend };
    };
    const outcomes = await whileRunning(rig, hits, { before, hurt });
    return { fault: "network cut between worker and queue", kind, leastAttempts: 2, outcomes };
  } finally {
    await rig.stop();
  }
}

/** Whoever hands a job in is killed anywhere in it, and does it again. */
export async function killClients(kind: QueueKind, hits: number): Promise<Series> {
  const rig = await JobsRig.start(kind, { leaseMs: LEASE_MS });
  try {
    await rig.worker(["--workloads-from", BENCH_WORKLOADS]);
    const count = new EndCount(rig);
    const outcomes: Outcome[] = [];
    const lifeMs = await lifeOf(rig);
    await untilHit(hits, async (run) => {
      const name = `input-${run}.bin`;
      const args = submitting(rig, name, run + 1);
      const first = new CommandProcess(args);
      // Anywhere between its start and the end of one that nobody hurts.
      await setTimeout(((0.5 + run * GOLDEN) % 1) * lifeMs);
      const isHit = !first.hasEnded;
      await first.end("SIGKILL");
      const killedMs = performance.now();
      const again = new CommandProcess(args);
      const id = await idSaidBy(again);
      const job = await rig.over(id);
      const ms = performance.now() - killedMs;
      const jobs = await rig.open.queue.list({ limit: 1_000 });
      const same = jobs.filter(({ inputs }) => inputs[0]?.name === name);
      const outcome = count.outcome(job, ms, isHit);
      outcomes.push({ ...outcome, isDone: outcome.isDone && same.length === 1 });
      await rm(join(rig.folder, name));
      return { id, ms, isHit };
    });
    count.leave();
    return { fault: "kill -9 of who hands it in", kind, leastAttempts: 1, outcomes };
  } finally {
    await rig.stop();
  }
}

/** How long the command lives when nobody hurts it, ms. */
async function lifeOf(rig: JobsRig): Promise<number> {
  const startedMs = performance.now();
  const command = new CommandProcess(submitting(rig, "input-first.bin", 0));
  const ended = new Promise((resolve) => command.child.once("exit", resolve));
  const id = await idSaidBy(command);
  await ended;
  const ms = performance.now() - startedMs;
  await rig.over(id);
  return ms;
}

/** The command that hands in a job with an input of its own. */
function submitting(rig: JobsRig, name: string, filledWith: number): readonly string[] {
  const input = join(rig.folder, name);
  writeFileSync(input, Buffer.alloc(UPLOAD_BYTES, filledWith));
  return ["jobs", "submit", "copy", input, "--queue", rig.url, "--json", "--workloads-from", BENCH_WORKLOADS];
}

async function idSaidBy(command: CommandProcess): Promise<string> {
  await command.said(/"id":"[0-9a-f]{64}"/);
  const [, id = ""] = /"id":"([0-9a-f]+)"/.exec(command.text) ?? [];
  return id;
}
