import type { JobAnswer, JobRow } from "../../api/schemas/job-schema.ts";
import type { BlobRef } from "../../jobs/blob-store.ts";
import type { JobSpec, JobState } from "../../jobs/job.ts";
import type { JobFilter } from "../../jobs/job-queue.ts";

/** What is read of a file at once, bytes. */
export const FILE_PIECE_BYTES = 1_048_576;

/** How far bytes on their way are. */
export interface Moving {
  /** Told how many bytes are through. */
  readonly onProgress: (bytes: number) => void;
  readonly signal: AbortSignal;
}

/**
 * What commands do with jobs, wherever the queue is. Every call throws {JobError}, or {CommandError} where a node is asked.
 */
export interface JobDoor {
  submit(spec: JobSpec, maxAttempts: number | undefined): Promise<{ readonly id: string; readonly state: JobState }>;
  get(id: string): Promise<JobAnswer>;
  list(filter: JobFilter): Promise<JobRow[]>;
  log(id: string): Promise<string[]>;
  cancel(id: string): Promise<JobAnswer>;
  retry(id: string): Promise<JobAnswer>;
  /** @returns ids */
  prune(beforeMs: number): Promise<string[]>;
  /**
   * Keep a file's bytes, whatever they are, while they are read for the first time. Only where blobs are files of this
   * machine: elsewhere it is asked first what is there already, and need not be sent.
   */
  readonly take?: ((file: string, moving: Moving) => Promise<BlobRef>) | undefined;
  /** Keep a file's bytes: from where an earlier upload of them was broken off. */
  put(file: string, ref: BlobRef, moving: Moving): Promise<void>;
  /** A blob, verified: a reader has all of it only once this ends. */
  read(ref: BlobRef, moving: Moving): AsyncIterable<Uint8Array>;
  /** Wait until some job may stand otherwise than before, or for so long. */
  change(ms: number, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
