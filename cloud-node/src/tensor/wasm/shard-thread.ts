import { parentPort, workerData } from "node:worker_threads";
import { ShardCalls } from "../shard-calls.ts";
import { CLOSE, COMMAND, COMMANDS, DONE, FAILED, ROUND, type ShardThreadData } from "./thread-control.ts";
import { WasmArena } from "./wasm-arena.ts";

/** A thread of a `ThreadCrew`: sleeps until a round begins, and runs its shards. */
const { control, module, memory, layout, program, shards } = workerData as ShardThreadData;
const own = shards.map((shard) => new ShardCalls(program, new WasmArena(module, memory, layout, shard)));
let round = Atomics.load(control, ROUND);
parentPort?.postMessage("ready");
for (;;) {
  Atomics.wait(control, ROUND, round);
  round = Atomics.load(control, ROUND);
  const command = Atomics.load(control, COMMAND);
  if (command === CLOSE) break;
  try {
    for (const calls of own) calls.run(command === COMMANDS.forward ? "forward" : "backward");
  } catch {
    // The engine throws for it: a kernel left its memory, and there is no more to say.
    Atomics.add(control, FAILED, 1);
  }
  Atomics.add(control, DONE, 1);
  Atomics.notify(control, DONE);
}
