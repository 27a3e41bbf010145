import type { JobError, JobErrorCode } from "../jobs/job-error.ts";
import { ApiProblem, type ProblemCode } from "./problem.ts";

/** What each failure of a job, a blob or a queue is to whoever asks; the others are mistakes of ours. */
const PROBLEMS: Readonly<Partial<Record<JobErrorCode, ProblemCode>>> = {
  "unknown-workload": "job-refused",
  "bad-params": "job-refused",
  "bad-job": "job-refused",
  "unknown-job": "unknown-job",
  "wrong-state": "wrong-state",
  "missing-blob": "unknown-blob",
  "tampered-blob": "blob-refused",
  "too-large": "body-too-large",
  "disk-full": "disk-full",
  "queue-away": "queue-away",
  "bad-queue": "queue-away",
  "queue-version": "queue-away",
};

/** Why a queue or a blob store did not do what was asked, in its own words. */
export function jobProblem(cause: JobError): ApiProblem {
  const code = PROBLEMS[cause.code];
  if (code !== undefined) return new ApiProblem(code, cause.message, { refusal: cause.code }, { cause });
  return new ApiProblem("internal", "this is a mistake of the server; its log names the request", {}, { cause });
}
