import {
  MAX_JOB_BLOBS,
  MAX_JOB_JSON_BYTES,
  JOB_STATES as STATES_OF_FRAMES,
  type JobState as StateOfFrames,
} from "@lockstep/protocol";
import type { BlobRef } from "./blob-store.ts";
import type { JobErrorCode } from "./job-error.ts";

/** What JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/**
 * Where a job stands:
 *
 *     queued ─▶ running ─▶ done
 *       ▲          ├─────▶ failed     (its own fault: another attempt would end the same)
 *       └──────────┼─────▶ dead       (every attempt was used up)
 *      (retry)     └─────▶ cancelled
 */
export const JOB_STATES = STATES_OF_FRAMES;
export type JobState = StateOfFrames;

const OVER: ReadonlySet<JobState> = new Set(["done", "failed", "dead", "cancelled"]);

/** Whether nothing will become of a job any more, unless somebody wants it to begin anew. */
export function isOver(state: JobState): boolean {
  return OVER.has(state);
}

/** A blob under the name that a job has for it. */
export interface NamedBlob extends BlobRef {
  /** 1 … 255 bytes of UTF-8, a file's name: `isBlobName` says so. */
  readonly name: string;
}

/** One request for work: the same one is the same job. */
export interface JobSpec {
  /** 1 … 64 of `[a-z0-9-]`. */
  readonly workload: string;
  /** What the workload's schema takes; at most `MAX_PARAMS_BYTES` as JSON. */
  readonly params: JsonObject;
  /** At most `MAX_INPUTS`; names differ. */
  readonly inputs: readonly NamedBlob[];
  /** Makes equal requests different jobs; "" as a rule. At most 64 of `[A-Za-z0-9_-]`. */
  readonly salt: string;
}

/** How far a job is. */
export interface JobProgress {
  /** 0 … 1; null: nobody can say. */
  readonly fraction: number | null;
  /** One line for people: "block 12 of 40". */
  readonly note: string;
  /** Numbers of the workload's own, by name. */
  readonly metrics: { readonly [name: string]: number };
}

/** Why an attempt did not end well. */
export interface JobFailure {
  readonly code: JobErrorCode;
  readonly message: string;
  /** Attempt that it ended, as its lease was numbered, 1 …. */
  readonly attempt: number;
  /** Worker that had it; "" where none did. */
  readonly worker: string;
  readonly atMs: number;
}

/** What a job that is done left. */
export interface JobResult {
  /** What the workload's result schema says; at most `MAX_RESULT_BYTES` as JSON. */
  readonly value: JsonObject;
  readonly outputs: readonly NamedBlob[];
}

/** A job as the queue has it. */
export interface Job extends JobSpec {
  /** SHA-256 of its content, 64 lower-case hexadecimal digits: `jobId` makes it. */
  readonly id: string;
  readonly state: JobState;
  /** Attempts that count: begun since it was handed in, and not given back. */
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly progress: JobProgress | null;
  readonly result: JobResult | null;
  /** The last failure, also of a job that is tried again. */
  readonly error: JobFailure | null;
  /** Where a later attempt may go on. */
  readonly checkpoint: BlobRef | null;
  readonly worker: string | null;
  readonly isCancelling: boolean;
  /** Unix times, ms. */
  readonly submittedMs: number;
  readonly startedMs: number | null;
  readonly endedMs: number | null;
  /** Not before this time, ms: a failed attempt is tried again later and later. */
  readonly dueMs: number;
}

export const MAX_PARAMS_BYTES = MAX_JOB_JSON_BYTES;
export const MAX_RESULT_BYTES = MAX_JOB_JSON_BYTES;
export const MAX_INPUTS = MAX_JOB_BLOBS;
export const MAX_OUTPUTS = MAX_JOB_BLOBS;
/** Unless a job says otherwise. */
export const DEFAULT_ATTEMPTS = 3;
