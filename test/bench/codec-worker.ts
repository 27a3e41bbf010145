import { parentPort } from "node:worker_threads";
import { loadBatchCore } from "@lockstep/edge-sdk/core";
import { type CellJob, measureCell } from "./codec-cell.ts";
import { readBatchModule } from "./modules.ts";

/** The thread of `measureCells`: a job in, its cell out. */
const core = loadBatchCore(await readBatchModule());
parentPort?.on("message", (job: CellJob) => parentPort?.postMessage(measureCell(core, job)));
