import { JobError, type JobErrorCode } from "./job-error.ts";

/** A JobError on its way from one thread to another. */
export interface PackedJobError {
  readonly code: JobErrorCode;
  readonly problem: string;
  readonly remedy: string;
}

export function packJobError(error: JobError): PackedJobError {
  const { code, message, remedy } = error;
  return { code, problem: message.slice(0, message.length - remedy.length - 2), remedy };
}

export function unpackJobError({ code, problem, remedy }: PackedJobError): JobError {
  return new JobError(code, problem, remedy);
}
