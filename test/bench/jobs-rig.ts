import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  type Job,
  JobError,
  type JobSpec,
  type JsonObject,
  type OpenQueue,
  openQueue,
  systemClock,
} from "@lockstep/cloud-node";
import { BenchError } from "./bench-error.ts";
import { NatsCluster } from "./nats-cluster.ts";

/** Where the jobs of a run are. */
export type QueueKind = "SQLite" | "JetStream" | "JetStream of 3";

const LOCKSTEP = fileURLToPath(new URL("../../cloud-node/bin/lockstep.js", import.meta.url));
/** Workloads that are of use to nobody else. */
export const BENCH_WORKLOADS = fileURLToPath(new URL("../job-workloads.ts", import.meta.url));
const LIMIT_MS = 300_000;
/** In which Linux counts a process's time. */
const TICK_MS = 10;
/** Servers take clients a moment after they answer, and three of them have to agree on who leads. */
const START_MS = 30_000;
const START_LOOK_MS = 200;
/** States that a job does not leave by itself. */
export const OVER: ReadonlySet<string> = new Set(["done", "failed", "dead", "cancelled"]);

/** A command of ours in a process of its own. */
export class CommandProcess {
  readonly child: ChildProcess;
  #text = "";

  /** @param before  a program and its arguments that start it, as `ip netns exec x` */
  constructor(args: readonly string[], before: readonly string[] = []) {
    const [program = process.execPath, ...rest] = [...before, process.execPath, LOCKSTEP, ...args];
    this.child = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#text = (this.#text + text).slice(-20_000);
        this.child.emit("said");
      });
    }
  }

  /** Wait until it says this. @throws {BenchError} `no-answer` */
  async said(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.#text)) {
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new BenchError("no-answer", { from: "lockstep", said: this.#text.slice(-400) });
      }
      await Promise.race([once(this.child, "said"), once(this.child, "close")]);
    }
  }

  /** Wait until it says this, or so long. @returns whether it did. @throws {BenchError} `no-answer` when it ends */
  async saidWithin(pattern: RegExp, ms: number): Promise<boolean> {
    const late = new AbortController();
    const timer = setTimeout(ms, false, { signal: late.signal }).catch(() => false);
    const said = this.said(pattern).then(() => true);
    // One that ends after the limit is nobody's concern here.
    said.catch(() => {});
    const hasSaid = await Promise.race([said, timer]);
    late.abort();
    return hasSaid;
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** What it has said, on both. */
  get text(): string {
    return this.#text;
  }

  /** Most memory that it ever had, bytes. */
  get peakBytes(): number {
    const [, kilobytes = "0"] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.child.pid}/status`, "utf8")) ?? [];
    return Number(kilobytes) * 1024;
  }

  /** Of the processor, ms, in all of its threads. */
  get cpuMs(): number {
    const text = readFileSync(`/proc/${this.child.pid}/stat`, "utf8");
    const [user = "", system = ""] = text
      .slice(text.lastIndexOf(")") + 2)
      .split(" ")
      .slice(11);
    return (Number(user) + Number(system)) * TICK_MS;
  }

  async end(signal: "SIGKILL" | "SIGINT"): Promise<void> {
    if (this.hasEnded) return;
    this.child.kill(signal);
    await once(this.child, "exit");
  }
}

/** How a queue of a run is made. */
export interface RigOptions {
  readonly leaseMs?: number;
  /** Address at which servers listen. */
  readonly host?: string;
}

/** A fresh queue, and what works on it. */
export class JobsRig {
  readonly folder: string;
  readonly url: string;
  readonly nats: NatsCluster | undefined;
  readonly open: OpenQueue;
  readonly #leaseMs: number;
  readonly #processes: CommandProcess[] = [];

  private constructor(folder: string, url: string, nats: NatsCluster | undefined, open: OpenQueue, leaseMs: number) {
    this.folder = folder;
    this.url = url;
    this.nats = nats;
    this.open = open;
    this.#leaseMs = leaseMs;
  }

  static async start(kind: QueueKind, { leaseMs = 15_000, host }: RigOptions = {}): Promise<JobsRig> {
    const folder = mkdtempSync(join(tmpdir(), "lockstep-bench-jobs-"));
    const nats = kind === "SQLite" ? undefined : await NatsCluster.start(folder, kind === "JetStream" ? 1 : 3, host);
    const url = nats?.url ?? `sqlite:${join(folder, "bench.db.jobs")}`;
    const open = await openedQueue(url, leaseMs);
    return new JobsRig(folder, url, nats, open, leaseMs);
  }

  /** A worker of this queue, once it works. */
  async worker(
    options: readonly string[] = [],
    before: readonly string[] = [],
    url = this.url,
  ): Promise<CommandProcess> {
    const args = [
      "worker",
      "--jobs",
      url,
      "--lease",
      String(this.#leaseMs / 1000),
      "--log",
      "warn",
      "--json",
      ...options,
    ];
    const worker = new CommandProcess(args, before);
    this.#processes.push(worker);
    await worker.said(/"workloads":/);
    return worker;
  }

  /** Hand a job in. @returns its id */
  async submit(
    workload: string,
    params: JsonObject,
    more: Partial<JobSpec> = {},
    maxAttempts?: number,
  ): Promise<string> {
    const spec = { workload, params, inputs: [], salt: "", ...more };
    return (await this.open.queue.submit(spec, { maxAttempts })).job.id;
  }

  async job(id: string): Promise<Job> {
    const job = await this.open.queue.get(id);
    if (job === undefined) throw new BenchError("no-answer", { from: "the queue", job: id });
    return job;
  }

  /** A job, once it is as wanted. @throws {BenchError} `no-answer` when it has got no further for five minutes */
  async until(id: string, isSo: (job: Job) => boolean, everyMs = 20): Promise<Job> {
    let endMs = performance.now() + LIMIT_MS;
    let fraction: number | null | undefined;
    for (;;) {
      const job = await this.open.queue.get(id).catch(() => undefined);
      if (job !== undefined && isSo(job)) return job;
      if (job?.progress?.fraction !== fraction) {
        fraction = job?.progress?.fraction;
        endMs = performance.now() + LIMIT_MS;
      }
      if (performance.now() > endMs) {
        throw new BenchError("no-answer", {
          from: "a job",
          state: job?.state ?? "unknown",
          error: job?.error?.message ?? "",
        });
      }
      await setTimeout(everyMs);
    }
  }

  async over(id: string, everyMs?: number): Promise<Job> {
    return await this.until(id, ({ state }) => OVER.has(state), everyMs);
  }

  async stop(): Promise<void> {
    for (const process of this.#processes) await process.end("SIGKILL");
    await this.open.close();
    await this.nats?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A queue whose servers were only just started. */
async function openedQueue(url: string, leaseMs: number): Promise<OpenQueue> {
  const endMs = performance.now() + START_MS;
  for (;;) {
    try {
      return await openQueue(url, systemClock(), { leaseMs });
    } catch (error) {
      if (!(error instanceof JobError) || error.code !== "queue-away" || performance.now() > endMs) throw error;
      await setTimeout(START_LOOK_MS);
    }
  }
}
