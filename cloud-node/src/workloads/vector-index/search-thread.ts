/** A thread that searches a segment in memory that it shares with the thread that started it. */
import { parentPort, workerData } from "node:worker_threads";
import { InvariantError } from "../../invariant-error.ts";
import { type PlacedSegment, useSegment } from "./placed-segment.ts";
import type { SearchCall } from "./query-memory.ts";
import { VectorKernel } from "./vector-kernel.ts";

/** What the thread is given when it starts. */
export interface SharedSegment {
  readonly memory: WebAssembly.Memory;
  readonly placed: PlacedSegment;
}

const port = parentPort;
if (port === null) throw new InvariantError("a thread that searches must run in a worker thread");
const { memory, placed } = workerData as SharedSegment;
const kernel = VectorKernel.share(memory);
useSegment(kernel, placed);

port.on("message", (call: SearchCall) => {
  kernel.calls.searchRows(...call);
  port.postMessage("found");
});
