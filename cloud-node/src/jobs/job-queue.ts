import type { BlobRef } from "./blob-store.ts";
import type { Job, JobFailure, JobProgress, JobResult, JobSpec, JobState } from "./job.ts";

/** What is heard of a job: how it stands now, or a line of its log. */
export type JobEvent =
  | { readonly kind: "job"; readonly job: Job }
  | { readonly kind: "log"; readonly id: string; readonly line: string };

/** Most jobs that one list has. */
export const MOST_JOBS = 1_000;

export interface JobFilter {
  readonly states?: readonly JobState[] | undefined;
  readonly workload?: string | undefined;
  /** Leave out places in shared jobs, which are of no interest to people. */
  readonly hidesSeats?: boolean | undefined;
  /** Jobs that were submitted before this one; a list goes on with the last id of the one before. */
  readonly before?: string | undefined;
  /** 1 … 1,000. */
  readonly limit: number;
}

export interface SubmitOptions {
  /** 1 … 100; `DEFAULT_ATTEMPTS` unless given. */
  readonly maxAttempts?: number | undefined;
}

/** What a worker holds while it works on a job. All of it is void once the lease is lost: whoever has it then decides. */
export interface JobLease {
  readonly job: Job;
  /** 1 …: the job is taken for so many a time. Tells this attempt from every other one, those that were given back among them. */
  readonly attempt: number;
  /**
   * Hold the job for another lease time, and say how far it is. To be called at least three times in a lease time.
   *
   * @returns "held"; "cancelling": somebody wants it to end; "lost": it is somebody else's, or over
   */
  extend(progress?: JobProgress): Promise<"held" | "cancelling" | "lost">;
  /** Keep where a later attempt may go on. @returns false when the lease is lost */
  checkpoint(ref: BlobRef): Promise<boolean>;
  log(line: string): Promise<void>;
  /** It is done. @returns false when the lease is lost: then it is not, and nothing was changed */
  done(result: JobResult): Promise<boolean>;
  /** It failed: it is tried again after a pause, unless `isFinal`, or no attempt is left. @returns as `done` */
  failed(failure: Pick<JobFailure, "code" | "message">, isFinal: boolean): Promise<boolean>;
  /** It ended because somebody wanted it to. @returns as `done` */
  cancelled(): Promise<boolean>;
  /**
   * Give it back as if it had never been taken: a worker that ends does.
   *
   * @param away  what it could not be worked on without: the next attempt then waits, longer each time, and after twenty
   *   in a row, five where `peer-left` says that it was other workers, each one counts as one that failed
   * @returns as `done`
   */
  release(away?: Pick<JobFailure, "code" | "message">): Promise<boolean>;
}

/** Jobs, whoever submits them and whoever works on them: each ends exactly once in effect. */
export interface JobQueue {
  /**
   * Hand in a job: durable once this resolves. One that is there already is not handed in again, whatever became of it.
   *
   * @throws {JobError} `bad-job`, `too-large`, `queue-away`
   */
  submit(spec: JobSpec, options?: SubmitOptions): Promise<{ readonly job: Job; readonly isNew: boolean }>;
  /** @throws {JobError} `queue-away` */
  get(id: string): Promise<Job | undefined>;
  /** Newest first. @throws {JobError} `queue-away`, `unknown-job` for a `before` that is forgotten */
  list(filter: JobFilter): Promise<Job[]>;
  /** The last lines of a job's log, oldest first; at most 1,000 are kept. */
  log(id: string): Promise<string[]>;
  /**
   * Hear of all jobs from now on: soon, in order for each job, and what is overtaken may be left out. What happens while
   * the listening begins, or while the queue is away, may be missed: `get` says how a job stands.
   *
   * @returns ends it
   */
  watch(listener: (event: JobEvent) => void): () => void;
  /** Take the job that waits longest of these workloads, if there is one that is due. @param worker  its name */
  claim(workloads: readonly string[], worker: string): Promise<JobLease | undefined>;
  /** Wait until there may be something to claim, or `ms` are over, or the signal. */
  wait(workloads: readonly string[], ms: number, signal: AbortSignal): Promise<void>;
  /** Let a job end: at once where nobody works on it. @throws {JobError} `unknown-job`, `wrong-state` when it is over */
  cancel(id: string): Promise<Job>;
  /** Let a job that is failed, dead or cancelled begin anew. @throws {JobError} `unknown-job`, `wrong-state` */
  retry(id: string): Promise<Job>;
  /** Forget jobs that ended before a time. @param beforeMs  Unix time @returns their ids */
  prune(beforeMs: number): Promise<string[]>;
  /** SHA-256 of every blob that a job in the queue names, its checkpoint among them: what may not be forgotten. */
  references(): Promise<Set<string>>;
  close(): Promise<void>;
}
