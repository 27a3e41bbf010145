import type { BlobRef } from "./blob-store.ts";
import type { Job, JobFailure, JobProgress, JobResult } from "./job.ts";
import { checkedResult, checkRef } from "./job-id.ts";
import type { JobLease } from "./job-queue.ts";
import { type JobRecord, jobOf, keptLine } from "./job-record.ts";
import type { LeaseStep } from "./job-steps.ts";

/** How a queue lets the holder of a lease act. */
export interface LeaseDoor {
  /** Make a step durable. @returns how the job stands then; undefined: the lease is lost */
  step(step: LeaseStep): Promise<JobRecord | undefined>;
  /** Keep a line; nothing once the lease is lost. */
  log(line: string): Promise<void>;
}

/** What a worker holds, the same for every queue. */
export class QueueLease implements JobLease {
  readonly job: Job;
  readonly attempt: number;
  readonly #door: LeaseDoor;

  constructor(record: JobRecord, door: LeaseDoor) {
    this.job = jobOf(record);
    this.attempt = record.turn;
    this.#door = door;
  }

  async extend(progress?: JobProgress): Promise<"held" | "cancelling" | "lost"> {
    const record = await this.#door.step({ kind: "extend", progress });
    if (record === undefined) return "lost";
    return record.isCancelling ? "cancelling" : "held";
  }

  async checkpoint(ref: BlobRef): Promise<boolean> {
    checkRef(ref, "a checkpoint");
    return this.#isMade({ kind: "checkpoint", ref });
  }

  log(line: string): Promise<void> {
    return this.#door.log(keptLine(line));
  }

  async done(result: JobResult): Promise<boolean> {
    return this.#isMade({ kind: "done", result: checkedResult(result) });
  }

  failed({ code, message }: Pick<JobFailure, "code" | "message">, isFinal: boolean): Promise<boolean> {
    return this.#isMade({ kind: "failed", failure: { code, message }, isFinal });
  }

  cancelled(): Promise<boolean> {
    return this.#isMade({ kind: "cancelled" });
  }

  release(away?: Pick<JobFailure, "code" | "message">): Promise<boolean> {
    return this.#isMade({ kind: "release", away: away && { code: away.code, message: away.message } });
  }

  async #isMade(step: LeaseStep): Promise<boolean> {
    return (await this.#door.step(step)) !== undefined;
  }
}
