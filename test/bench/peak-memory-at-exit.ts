/**
 * Preloaded into a process that is measured: when it ends it writes its peak memory, in KiB, to file descriptor 3.
 *
 *     node --import ./peak-memory-at-exit.ts PROGRAM …        with a pipe at 3
 */
import { writeSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

const REPORT = 3;

// Threads of the process load this too, and count with it.
if (isMainThread) process.on("exit", () => writeSync(REPORT, String(process.resourceUsage().maxRSS)));
