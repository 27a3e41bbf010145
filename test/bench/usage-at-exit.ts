/**
 * Preloaded into a process that is measured: when it ends it writes what it used, as `process.resourceUsage` tells, in JSON to
 * file descriptor 3.
 *
 *     node --import ./usage-at-exit.ts PROGRAM …        with a pipe at 3
 */
import { writeSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

const REPORT = 3;

// Threads of the process load this too, and count with it.
if (isMainThread) process.on("exit", () => writeSync(REPORT, JSON.stringify(process.resourceUsage())));
