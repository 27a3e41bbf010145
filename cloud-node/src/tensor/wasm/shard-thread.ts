import { parentPort, workerData } from "node:worker_threads";
import { ShardCalls } from "../shard-calls.ts";
import { CallTable } from "./call-table.ts";
import { CALL_PARTS, CLOSE, COMMAND, COMMANDS, DONE, FAILED, ROUND, type ShardThreadData } from "./thread-control.ts";
import { WasmArena } from "./wasm-arena.ts";

/** A thread of a `ThreadCrew`: sleeps until a round begins, and runs its shards, or its parts of the parameters. */
const { control, module, memory, layout, program, shards, calls, thread, threads } = workerData as ShardThreadData;
const arenas = shards.map((shard) => new WasmArena(module, memory, layout, shard));
const own = arenas.map((arena) => new ShardCalls(program, arena));
const table = new CallTable(0, calls);
let round = Atomics.load(control, ROUND);
parentPort?.postMessage("ready");
for (;;) {
  Atomics.wait(control, ROUND, round);
  round = Atomics.load(control, ROUND);
  const command = Atomics.load(control, COMMAND);
  if (command === CLOSE) break;
  try {
    if (command === CALL_PARTS) for (const arena of arenas.slice(0, 1)) table.run(arena, thread, threads);
    else for (const shard of own) shard.run(command === COMMANDS.forward ? "forward" : "backward");
  } catch {
    // The engine throws for it: a kernel left its memory, and there is no more to say.
    Atomics.add(control, FAILED, 1);
  }
  Atomics.add(control, DONE, 1);
  Atomics.notify(control, DONE);
}
