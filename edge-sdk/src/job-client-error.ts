export type JobClientErrorCode = "bad-job" | "too-many" | "refused" | "failed" | "cancelled" | "bad-result" | "closed";

/** What is known of a {@link JobClientError}. */
export interface JobClientErrorFacts {
  /** 64 hexadecimal digits. */
  readonly id?: string;
  /** What the node said: its code, as "unknown-workload". */
  readonly reason?: string;
  /** And its words. */
  readonly message?: string;
  /** Attempts that were begun. */
  readonly attempts?: number;
  readonly limit?: number;
}

/** A job that was not done. Callers test `code`, and `facts.reason` for what the node said, never the message. */
export class JobClientError extends Error {
  override readonly name = "JobClientError";
  readonly code: JobClientErrorCode;
  readonly facts: JobClientErrorFacts;

  constructor(code: JobClientErrorCode, facts: JobClientErrorFacts, options?: ErrorOptions) {
    super(describe(code, facts), options);
    this.code = code;
    this.facts = facts;
  }
}

function describe(code: JobClientErrorCode, facts: JobClientErrorFacts): string {
  const { id = "", reason, message, attempts, limit } = facts;
  const job = `job ${id.slice(0, 12)}`;
  switch (code) {
    case "bad-job":
      return `the job cannot be said: ${message}`;
    case "too-many":
      return `more than ${limit} jobs at a time: wait until one of them is over`;
    case "refused":
      return `${job} was refused (${reason}): ${message}`;
    case "failed":
      return `${job} failed after ${attempts} of its attempts (${reason}): ${message}`;
    case "cancelled":
      return `${job} was cancelled`;
    case "bad-result":
      return `${job} is done, and its value is no JSON object`;
    case "closed":
      return `${job}: nobody listens for it any more; submit it again to hear of it`;
  }
}
