import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Program } from "../program.ts";
import { type Crew, type Pass, ShardCalls } from "../shard-calls.ts";
import { TensorError } from "../tensor-error.ts";
import type { ArenaLayout } from "./arena-layout.ts";
import {
  CLOSE,
  COMMAND,
  COMMANDS,
  CONTROL_WORDS,
  DONE,
  FAILED,
  ROUND,
  type ShardThreadData,
} from "./thread-control.ts";
import type { WasmArena } from "./wasm-arena.ts";

/** The thread's file beside this one: TypeScript in a source tree, JavaScript where it was built. */
const THREAD_URL = new URL(
  import.meta.url.endsWith(".ts") ? "./shard-thread.ts" : "./shard-thread.js",
  import.meta.url,
);
/** Longest wait for a round; more than a step of the largest model that fits takes. */
const MAX_ROUND_MS = 1_800_000;

/** What the threads of one engine share. */
export interface SharedArena {
  readonly program: Program;
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly layout: ArenaLayout;
}

/** The calling thread and others beside it; thread t has the shards t, t + threads, … */
export class ThreadCrew implements Crew {
  readonly #own: readonly ShardCalls[];
  readonly #control: Int32Array<SharedArrayBuffer>;
  readonly #others: number;

  private constructor(own: readonly ShardCalls[], control: Int32Array<SharedArrayBuffer>, others: number) {
    this.#own = own;
    this.#control = control;
    this.#others = others;
  }

  /** @param arenas  of all shards @throws {TensorError} `thread-failed` */
  static async start(shared: SharedArena, arenas: readonly WasmArena[], threads: number): Promise<ThreadCrew> {
    const control = new Int32Array(new SharedArrayBuffer(4 * CONTROL_WORDS));
    const shardsOf = (thread: number) => [...arenas.keys()].filter((shard) => shard % threads === thread);
    const starting = Array.from({ length: threads - 1 }, async (_, other) => {
      const workerData: ShardThreadData = { ...shared, control, shards: shardsOf(other + 1) };
      const worker = new Worker(THREAD_URL, { workerData, env: {}, argv: [] });
      await once(worker, "message");
      worker.unref();
    });
    try {
      await Promise.all(starting);
    } catch (cause) {
      throw new TensorError("thread-failed", "a thread did not start", "use fewer threads", { cause });
    }
    const own = shardsOf(0).flatMap((shard) => arenas[shard] ?? []);
    return new ThreadCrew(
      own.map((arena) => new ShardCalls(shared.program, arena)),
      control,
      threads - 1,
    );
  }

  async run(pass: Pass): Promise<void> {
    this.#begin(COMMANDS[pass]);
    for (const calls of this.#own) calls.run(pass);
    let done = Atomics.load(this.#control, DONE);
    while (done < this.#others) {
      if (Atomics.wait(this.#control, DONE, done, MAX_ROUND_MS) === "timed-out") {
        throw new TensorError("thread-failed", `no answer in ${MAX_ROUND_MS} ms`, "load the program again");
      }
      done = Atomics.load(this.#control, DONE);
    }
    if (Atomics.load(this.#control, FAILED) > 0) {
      throw new TensorError("thread-failed", "a kernel of another thread failed", "load the program again");
    }
  }

  close(): void {
    this.#begin(CLOSE);
  }

  #begin(command: number): void {
    Atomics.store(this.#control, COMMAND, command);
    Atomics.store(this.#control, DONE, 0);
    Atomics.add(this.#control, ROUND, 1);
    Atomics.notify(this.#control, ROUND);
  }
}
