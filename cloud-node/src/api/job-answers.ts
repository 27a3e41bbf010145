import type { Job } from "../jobs/job.ts";
import type { JobAnswer, JobRow, JobsAnswer } from "./schemas/job-schema.ts";

/** A job as a list has it. */
export function jobRow(job: Job): JobRow {
  return { ...about(job), inputs: job.inputs.map(({ name }) => name) };
}

/** All of a job. */
export function jobAnswer(job: Job): JobAnswer {
  const { params, inputs, salt, result } = job;
  return {
    ...about(job),
    params,
    inputs: inputs.map((blob) => ({ ...blob })),
    salt,
    result: result === null ? null : { value: result.value, outputs: result.outputs.map((blob) => ({ ...blob })) },
  };
}

/** A page of the jobs. @param limit  that was asked for: fewer are the last page */
export function jobsAnswer(jobs: readonly Job[], limit: number): JobsAnswer {
  return {
    jobs: jobs.map(jobRow),
    next: jobs.length < limit ? null : (jobs.at(-1)?.id ?? null),
  };
}

function about(job: Job): Omit<JobRow, "inputs"> {
  const { id, workload, state, attempts, maxAttempts, progress, error, worker, isCancelling } = job;
  const { submittedMs, startedMs, endedMs, dueMs } = job;
  return {
    ...{ id, workload, state, attempts, maxAttempts, worker, isCancelling, submittedMs, startedMs, endedMs, dueMs },
    progress: progress === null ? null : { ...progress },
    error: error === null ? null : { ...error },
  };
}
