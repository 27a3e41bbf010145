/** A worker in a process of its own, which a test may kill: `worker-process.suite.ts QUEUE SCRATCH`. */
import { systemClock } from "../clock.ts";
import { SILENT_LOGGER } from "../logger.ts";
import { openQueue } from "./open-queue.ts";
import { TRIALS_URL, WORKLOADS } from "./trial-workloads.suite.ts";
import { JobWorker } from "./worker.ts";
import { WORKER_DEFAULTS } from "./worker-defaults.ts";

const [url = "", scratch = ""] = process.argv.slice(2);
const clock = systemClock();
const worker = new JobWorker({
  ...WORKER_DEFAULTS,
  ...(await openQueue(url, clock)),
  ...{ name: "killed", registry: TRIALS_URL, workloads: Object.keys(WORKLOADS), threads: 1, scratch },
  ...{ clock, logger: SILENT_LOGGER },
});
await worker.start();
