/** A thread that codes chunks, one after another, with a core and memory of its own. */
import { parentPort } from "node:worker_threads";
import { InvariantError } from "../../invariant-error.ts";
import { encodeChunk } from "./chunk-encode.ts";
import type { ChunkOrder, ChunkRefusal } from "./chunk-order.ts";
import { TrajectoryCore } from "./trajectory-core.ts";
import { TrajectoryError } from "./trajectory-error.ts";

const port = parentPort;
if (port === null) throw new InvariantError("a thread that codes chunks must run in a worker thread");
const core = TrajectoryCore.load();

port.on("message", ({ groups, frames, keepRows }: ChunkOrder) => {
  try {
    port.postMessage({ chunk: encodeChunk(core, groups, frames, keepRows) });
  } catch (error) {
    if (!(error instanceof TrajectoryError)) throw error;
    const { code, problem, remedy, place } = error;
    port.postMessage({ refusal: { code, problem, remedy, place } satisfies ChunkRefusal });
  }
});
