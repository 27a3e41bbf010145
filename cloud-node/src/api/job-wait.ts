import type { JobRow } from "./schemas/job-schema.ts";

/** Workers take a job within a second of its time: one that waits longer than this, ms, probably has none. */
const PATIENCE_MS = 5_000;

/** Whether a job waits for a worker, and has done so for a while. @param nowMs  Unix time */
export function waitsForWorker(
  { state, submittedMs, dueMs }: Pick<JobRow, "state" | "submittedMs" | "dueMs">,
  nowMs: number,
): boolean {
  return state === "queued" && nowMs - Math.max(submittedMs, dueMs) > PATIENCE_MS;
}

/** What is said of such a job. */
export const WAITS_FOR_WORKER = "waits for a worker; where none runs, start `lockstep worker`";
