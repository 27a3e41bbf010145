import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { PartCall } from "../part-calls.ts";
import type { Program } from "../program.ts";
import { type Crew, type Pass, ShardCalls } from "../shard-calls.ts";
import { TensorError } from "../tensor-error.ts";
import type { ArenaLayout } from "./arena-layout.ts";
import { CallTable } from "./call-table.ts";
import type { TensorModule } from "./tensor-module.ts";
import {
  CALL_PARTS,
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
/** From one look at whether threads are still there to the next. */
const LOOK_MS = 1000;

/** What the threads of one engine share. */
export interface SharedArena {
  readonly program: Program;
  readonly module: TensorModule;
  readonly memory: WebAssembly.Memory;
  readonly layout: ArenaLayout;
}

/** The calling thread and others beside it; thread t has the shards t, t + threads, …, and the same parts of a table. */
export class ThreadCrew implements Crew {
  readonly #first: WasmArena;
  readonly #own: readonly ShardCalls[];
  readonly #control: Int32Array<SharedArrayBuffer>;
  readonly #table: CallTable;
  readonly #threads: number;

  private constructor(
    first: WasmArena,
    own: readonly ShardCalls[],
    control: Int32Array<SharedArrayBuffer>,
    table: CallTable,
    threads: number,
  ) {
    this.#first = first;
    this.#own = own;
    this.#control = control;
    this.#table = table;
    this.#threads = threads;
  }

  /**
   * @param arenas  of all shards
   * @param mostCalls  that `callParts` is given at a time
   * @throws {TensorError} `thread-failed`
   */
  static async start(
    shared: SharedArena,
    arenas: readonly [WasmArena, ...WasmArena[]],
    threads: number,
    mostCalls: number,
  ): Promise<ThreadCrew> {
    const control = new Int32Array(new SharedArrayBuffer(4 * CONTROL_WORDS));
    const table = new CallTable(mostCalls);
    const shardsOf = (thread: number) => [...arenas.keys()].filter((shard) => shard % threads === thread);
    const workers = Array.from({ length: threads - 1 }, (_, other) => {
      const thread = other + 1;
      const own = { calls: table.numbers, shards: shardsOf(thread), thread, threads };
      const workerData: ShardThreadData = { ...shared, control, ...own };
      return new Worker(THREAD_URL, { workerData, argv: [] });
    });
    try {
      await Promise.all(workers.map((worker) => once(worker, "message")));
    } catch (cause) {
      for (const worker of workers) void worker.terminate();
      throw new TensorError("thread-failed", "a thread did not start", "use fewer threads", { cause });
    }
    for (const worker of workers) {
      worker.unref();
      worker.once("exit", () => {
        Atomics.add(control, FAILED, 1);
        Atomics.add(control, DONE, 1);
      });
      // It ends with an "exit" in any case: what remains to be said is said there.
      worker.on("error", () => undefined);
    }
    const own = shardsOf(0).flatMap((shard) => arenas[shard] ?? []);
    const calls = own.map((arena) => new ShardCalls(shared.program, arena));
    return new ThreadCrew(arenas[0], calls, control, table, threads);
  }

  async run(pass: Pass): Promise<void> {
    this.#begin(COMMANDS[pass]);
    for (const calls of this.#own) calls.run(pass);
    await this.#finish();
  }

  /** One part is not worth a round. */
  async callParts(calls: readonly PartCall[]): Promise<ArrayLike<number>> {
    const isShared = calls.some(({ part }) => part % this.#threads !== 0);
    this.#table.write(calls);
    if (isShared) this.#begin(CALL_PARTS);
    this.#table.run(this.#first, 0, this.#threads);
    if (isShared) await this.#finish();
    return this.#table.results();
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

  async #finish(): Promise<void> {
    let done = Atomics.load(this.#control, DONE);
    while (done < this.#threads - 1 && Atomics.load(this.#control, FAILED) === 0) {
      // That a thread has died is told by an event, which waits for this thread's turn.
      if (Atomics.wait(this.#control, DONE, done, LOOK_MS) === "timed-out") await setImmediate();
      done = Atomics.load(this.#control, DONE);
    }
    if (Atomics.load(this.#control, FAILED) > 0) {
      throw new TensorError("thread-failed", "another thread died or left its memory", "load the program again");
    }
  }
}
