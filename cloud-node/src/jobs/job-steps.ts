import type { BlobRef } from "./blob-store.ts";
import { isOver, type JobFailure, type JobProgress, type JobResult, type JobState } from "./job.ts";
import { JobError } from "./job-error.ts";
import { type JobRecord, keptFailure, keptProgress, keptWorker } from "./job-record.ts";

/** What whoever holds a lease may do; every queue keeps to it, wherever it keeps its jobs. */
export type LeaseStep =
  | { readonly kind: "extend"; readonly progress: JobProgress | undefined }
  | { readonly kind: "checkpoint"; readonly ref: BlobRef }
  | { readonly kind: "done"; readonly result: JobResult }
  | {
      readonly kind: "failed";
      readonly failure: Pick<JobFailure, "code" | "message">;
      readonly isFinal: boolean;
    }
  | { readonly kind: "cancelled" }
  | { readonly kind: "release"; readonly away?: Pick<JobFailure, "code" | "message"> | undefined };

/** How long things take in a queue. */
export interface QueuePace {
  /** How long a job is held without a word of its worker, ms. */
  readonly leaseMs: number;
  /** Pause before the second attempt, ms; twice as long before each one after it. */
  readonly backOffMs: number;
}

export const DEFAULT_PACE: QueuePace = { leaseMs: 15_000, backOffMs: 1_000 };
/** No attempt waits longer for its turn, ms. */
export const LONGEST_BACK_OFF_MS = 60_000;
/** Nor so long where something was away: it may be back any moment, and nobody says when. */
const LONGEST_AWAY_MS = 10_000;
/**
 * So often in a row an attempt is not counted because something was away, a quarter of an hour altogether: what is away
 * for ever is no job's to wait for.
 */
export const MOST_GIVEN_BACK = 90;
/** So often where it was workers for its places: each time it held one for a minute. */
export const MOST_SHORT = 5;

/** Whether its worker has not been heard of for a lease time. */
function hasLostWorker({ state, leaseMs }: JobRecord, nowMs: number): boolean {
  return state === "running" && (leaseMs ?? 0) <= nowMs;
}

/** A worker takes it. */
export function taken(record: JobRecord, worker: string, nowMs: number, { leaseMs }: QueuePace): JobRecord {
  return {
    ...record,
    state: "running",
    attempts: record.attempts + 1,
    turn: record.turn + 1,
    worker: keptWorker(worker),
    startedMs: nowMs,
    leaseMs: nowMs + leaseMs,
    progress: null,
  };
}

/**
 * What becomes of a job by a step of the one who holds it.
 *
 * @param turn  of the lease
 * @returns undefined: the lease is lost, and nothing changes. The record itself: the step was made already
 */
export function stepped(
  record: JobRecord,
  turn: number,
  step: LeaseStep,
  nowMs: number,
  pace: QueuePace,
): JobRecord | undefined {
  if (record.turn !== turn) return undefined;
  if (record.state !== "running") return isMadeBy(record, step) ? record : undefined;
  switch (step.kind) {
    case "extend":
      return {
        ...record,
        leaseMs: nowMs + pace.leaseMs,
        progress: step.progress === undefined ? record.progress : keptProgress(step.progress),
      };
    case "checkpoint":
      return checkpointed(record, step.ref);
    case "done":
      return { ...ended(record, "done", nowMs), result: step.result };
    case "cancelled":
      return ended(record, "cancelled", nowMs);
    case "release":
      return givenBack(record, step.away, nowMs, pace);
    case "failed":
      return failed(record, step.failure, step.isFinal, nowMs, pace);
  }
}

/** Whether an answer to this step was lost on its way, and it is asked for again. */
function isMadeBy({ state, error, turn }: JobRecord, step: LeaseStep): boolean {
  if (step.kind === "failed") return error?.attempt === turn;
  return state === step.kind || (step.kind === "release" && (state === "queued" || error?.attempt === turn));
}

/** What becomes of a job whose worker was not heard of for a lease time. */
export function afterLease(record: JobRecord, nowMs: number, pace: QueuePace): JobRecord {
  const message = `worker ${record.worker} was not heard of any more`;
  return failed(record, { code: "worker-died", message }, false, nowMs, pace);
}

/** Somebody wants it to end. @throws {JobError} `wrong-state` when it is over */
export function cancelling(record: JobRecord, nowMs: number): JobRecord {
  if (isOver(record.state)) throw wrongState(record, "it can be cancelled only before it ends");
  if (record.state === "queued" || hasLostWorker(record, nowMs)) return ended(record, "cancelled", nowMs);
  return { ...record, isCancelling: true };
}

/** It begins anew, without what an earlier attempt left. @throws {JobError} `wrong-state` */
export function begunAnew(record: JobRecord, nowMs: number): JobRecord {
  if (!isOver(record.state) || record.state === "done")
    throw wrongState(record, "only what failed or was cancelled begins anew");
  return {
    ...waiting(record, nowMs),
    attempts: 0,
    round: record.round + 1,
    givenBack: 0,
    progress: null,
    checkpoint: null,
    startedMs: null,
    endedMs: null,
  };
}

/** One that got further may be given back as often again; who leaves the same again and again does not get further. */
function checkpointed(record: JobRecord, { sha256, bytes }: BlobRef): JobRecord {
  const isFurther = record.checkpoint?.sha256 !== sha256;
  return { ...record, checkpoint: { sha256, bytes }, ...(isFurther ? { givenBack: 0 } : {}) };
}

/** @param away  why the attempt could not be made: then the next one waits, and this one counts if there were too many */
function givenBack(
  record: JobRecord,
  away: Pick<JobFailure, "code" | "message"> | undefined,
  nowMs: number,
  pace: QueuePace,
): JobRecord {
  if (record.isCancelling) return ended(record, "cancelled", nowMs);
  const attempts = record.attempts - 1;
  if (away === undefined) return { ...waiting(record, nowMs), attempts };
  const times = (record.givenBack ?? 0) + 1;
  if (times > (away.code === "peer-left" ? MOST_SHORT : MOST_GIVEN_BACK))
    return failed(record, away, false, nowMs, pace);
  const restMs = Math.min(pauseMs(times, pace), LONGEST_AWAY_MS);
  return { ...waiting(record, nowMs + restMs), attempts, givenBack: times };
}

function failed(
  record: JobRecord,
  failure: Pick<JobFailure, "code" | "message">,
  isFinal: boolean,
  nowMs: number,
  pace: QueuePace,
): JobRecord {
  const { code, message } = failure;
  const error = keptFailure({ code, message, attempt: record.turn, worker: record.worker ?? "", atMs: nowMs });
  if (record.isCancelling) return { ...ended(record, "cancelled", nowMs), error };
  if (isFinal) return { ...ended(record, "failed", nowMs), error };
  if (record.attempts >= record.maxAttempts) return { ...ended(record, "dead", nowMs), error };
  return { ...waiting(record, nowMs + pauseMs(record.attempts, pace)), error };
}

/** @param times  that it was tried already, 1 … */
function pauseMs(times: number, { backOffMs }: QueuePace): number {
  return Math.min(backOffMs * 2 ** (times - 1), LONGEST_BACK_OFF_MS);
}

function ended(record: JobRecord, state: JobState, nowMs: number): JobRecord {
  return { ...record, state, endedMs: nowMs, leaseMs: null, isCancelling: false };
}

function waiting(record: JobRecord, dueMs: number): JobRecord {
  return { ...record, state: "queued", dueMs, leaseMs: null, worker: null, isCancelling: false };
}

function wrongState({ id, state }: JobRecord, remedy: string): JobError {
  return new JobError("wrong-state", `job ${id} is ${state}`, remedy);
}
