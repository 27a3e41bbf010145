import { readFileSync } from "node:fs";

/** Whether a process of Linux goes on; one that has ended may still be listed, as a zombie. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
