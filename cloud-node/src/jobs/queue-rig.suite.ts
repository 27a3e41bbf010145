import { expect } from "vitest";
import type { JobSpec } from "./job.ts";
import type { JobErrorCode } from "./job-error.ts";
import type { JobLease, JobQueue } from "./job-queue.ts";

/** A queue somewhere, that any number of processes may have open. */
export interface QueueRig {
  /** Open it, as another process would. */
  open(): Promise<JobQueue>;
  /** Let a part of a lease time pass, 0 … 2. */
  passLease(part: number): Promise<void>;
  /** Let the pause before an attempt pass. @param attempt  2 … */
  passBackOff(attempt: number): Promise<void>;
  /** Let a little time pass, in which others hear. */
  pass(): Promise<void>;
  close(): Promise<void>;
}

export const SHA = "ab".repeat(32);
export const ABSENT = "0".repeat(64);
const STEPS = 4_000;

let made = 0;

/** A request that nobody made before, unless `over` says which. */
export function spec(over: Partial<JobSpec> = {}): JobSpec {
  made += 1;
  return { workload: "toy", params: { n: made }, inputs: [], salt: "", ...over };
}

/** Wait for something that somebody else does. */
export async function until(rig: QueueRig, what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < STEPS; i++) {
    if (await isSo()) return;
    await rig.pass();
  }
  expect.fail(`never: ${what}`);
}

/** Take a job that must be there. */
export async function take(rig: QueueRig, queue: JobQueue, workload = "toy", worker = "w"): Promise<JobLease> {
  let lease: JobLease | undefined;
  await until(rig, `a job of ${workload} to take`, async () => {
    lease = await queue.claim([workload], worker);
    return lease !== undefined;
  });
  return lease ?? expect.fail("until has seen it");
}

export function codeOf(act: Promise<unknown>): Promise<JobErrorCode | undefined> {
  return act.then(
    () => undefined,
    (error: { code: JobErrorCode }) => error.code,
  );
}
