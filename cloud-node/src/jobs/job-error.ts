/** What can be wrong with a job, its blobs or its queue. */
export type JobErrorCode =
  | "unknown-workload"
  | "bad-params"
  | "bad-job"
  | "bad-input"
  | "bad-result"
  | "unknown-job"
  | "wrong-state"
  | "missing-blob"
  | "tampered-blob"
  | "too-large"
  | "disk-full"
  | "queue-away"
  | "bad-queue"
  | "queue-version"
  | "lease-lost"
  | "cancelled"
  | "worker-died"
  | "out-of-memory"
  | "peer-left"
  | "failed";

/** Codes of failures that another attempt would meet again: it is not made. */
const FINAL: ReadonlySet<string> = new Set([
  "unknown-workload",
  "bad-params",
  "bad-job",
  "bad-input",
  "bad-result",
  "tampered-blob",
  "too-large",
]);

/** What the queue, or the blobs, say while a wait helps. */
const PASSING: ReadonlySet<string> = new Set(["queue-away", "disk-full"]);

/** Something that a job, a blob or a queue could not do: what is wrong, and what to do about it. */
export class JobError extends Error {
  override readonly name = "JobError";
  readonly code: JobErrorCode;
  /** One line: what to do. */
  readonly remedy: string;

  constructor(code: JobErrorCode, problem: string, remedy: string, options?: ErrorOptions) {
    super(`${problem}: ${remedy}`, options);
    this.code = code;
    this.remedy = remedy;
  }

  /** Whether another attempt would end the same. */
  get isFinal(): boolean {
    return FINAL.has(this.code);
  }

  /** Whether the same may be asked again after a time. */
  get isPassing(): boolean {
    return PASSING.has(this.code);
  }
}
