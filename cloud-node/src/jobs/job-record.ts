import { MAX_JOB_ATTEMPTS } from "@lockstep/protocol";
import type { Job, JobFailure, JobProgress, JobSpec } from "./job.ts";
import { DEFAULT_ATTEMPTS } from "./job.ts";
import { JobError } from "./job-error.ts";

/** A job as a queue keeps it: what everybody sees, and what decides who may change it. */
export interface JobRecord extends Job {
  /** How often it was taken, whatever became of it: the number of its lease, never given twice. */
  readonly turn: number;
  /** How often it was handed in anew. */
  readonly round: number;
  /** How often in a row it was given back because something was away; none in records of before there was the number. */
  readonly givenBack?: number;
  /** End of its lease, Unix time, ms; null while nobody holds it. */
  readonly leaseMs: number | null;
}

const MOST_METRICS = 32;
/** Texts that people read, in characters. */
const NOTE_CHARACTERS = 200;
const MESSAGE_CHARACTERS = 1_000;
const WORKER_CHARACTERS = 100;
const LINE_CHARACTERS = 1_000;
const METRIC_CHARACTERS = 40;

/**
 * A job that was just handed in.
 *
 * @throws {JobError} `bad-job` for attempts out of 1 … 100
 */
export function newRecord(spec: JobSpec, id: string, nowMs: number, maxAttempts = DEFAULT_ATTEMPTS): JobRecord {
  if (!Number.isInteger(maxAttempts) || maxAttempts < 1 || maxAttempts > MAX_JOB_ATTEMPTS) {
    throw new JobError("bad-job", `${maxAttempts} attempts`, `an integer of 1 … ${MAX_JOB_ATTEMPTS}`);
  }
  return {
    ...spec,
    id,
    state: "queued",
    attempts: 0,
    maxAttempts,
    progress: null,
    result: null,
    error: null,
    checkpoint: null,
    worker: null,
    isCancelling: false,
    submittedMs: nowMs,
    startedMs: null,
    endedMs: null,
    dueMs: nowMs,
    turn: 0,
    round: 0,
    leaseMs: null,
  };
}

/** What everybody may see of it. */
export function jobOf({ turn: _, round: __, leaseMs: ___, givenBack: ____, ...job }: JobRecord): Job {
  return job;
}

/** SHA-256 of every blob that it names. */
export function blobsOf({ inputs, result, checkpoint }: Job): string[] {
  const refs = [...inputs, ...(result?.outputs ?? []), ...(checkpoint === null ? [] : [checkpoint])];
  return refs.map(({ sha256 }) => sha256);
}

/** How far a job is, as it is kept: what does not fit is cut, and what is no number left out. */
export function keptProgress({ fraction, note, metrics }: JobProgress): JobProgress {
  const numbers = Object.entries(metrics).filter(([, value]) => Number.isFinite(value));
  return {
    fraction: fraction === null || Number.isNaN(fraction) ? null : Math.min(1, Math.max(0, fraction)),
    note: oneLine(note, NOTE_CHARACTERS),
    metrics: Object.fromEntries(
      numbers.slice(0, MOST_METRICS).map(([name, value]) => [oneLine(name, METRIC_CHARACTERS), value]),
    ),
  };
}

/** Why an attempt ended, as it is kept. */
export function keptFailure(failure: JobFailure): JobFailure {
  return {
    ...failure,
    message: oneLine(failure.message, MESSAGE_CHARACTERS),
    worker: oneLine(failure.worker, WORKER_CHARACTERS),
  };
}

/** A worker's name, as it is kept. */
export function keptWorker(name: string): string {
  return oneLine(name, WORKER_CHARACTERS);
}

/** A line of a log, as it is kept. */
export function keptLine(line: string): string {
  return oneLine(line, LINE_CHARACTERS);
}

function oneLine(text: string, characters: number): string {
  // What is cut first is the most that has to be looked through.
  const short = text.slice(0, characters + 1).replace(/\p{Cc}+/gu, " ");
  return (short.length > characters ? `${short.slice(0, characters - 1)}…` : short).toWellFormed();
}
