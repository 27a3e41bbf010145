import type { Program } from "../program.ts";
import type { Pass } from "../shard-calls.ts";
import type { ArenaLayout } from "./arena-layout.ts";
import type { TensorModule } from "./tensor-module.ts";

/**
 * Words that an engine shares with its threads:
 *
 *   ROUND   raised by the engine: every thread runs COMMAND once
 *   COMMAND what to do
 *   DONE    raised by every thread when it has
 *   FAILED  number of threads that could not
 */
export const ROUND = 0;
export const COMMAND = 1;
export const DONE = 2;
export const FAILED = 3;
export const CONTROL_WORDS = 4;

export const CLOSE = 0;
export const COMMANDS: Readonly<Record<Pass, number>> = { forward: 1, backward: 2 };
/** Run the calls of a table. */
export const CALL_PARTS = 3;

/** What a thread is started with. */
export interface ShardThreadData {
  readonly control: Int32Array<SharedArrayBuffer>;
  readonly module: TensorModule;
  readonly memory: WebAssembly.Memory;
  readonly layout: ArenaLayout;
  readonly program: Program;
  /** Numbers of a `CallTable`. */
  readonly calls: Float64Array<SharedArrayBuffer>;
  /** Numbers of the shards that are its own. */
  readonly shards: readonly number[];
  /** Its own number, from 1 on, and how many there are with the engine's. */
  readonly thread: number;
  readonly threads: number;
}
