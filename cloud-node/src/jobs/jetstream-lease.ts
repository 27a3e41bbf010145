import type { Clock } from "../clock.ts";
import type { JetStreamJobs, KeptJob } from "./jetstream-jobs.ts";
import type { LeaseDoor } from "./job-lease.ts";
import type { JobRecord } from "./job-record.ts";
import { type LeaseStep, type QueuePace, stepped } from "./job-steps.ts";

/** What the holder of a lease asks of its queue. */
export interface LeaseOwner {
  readonly jobs: JetStreamJobs;
  readonly clock: Clock;
  readonly pace: QueuePace;
  /** Tell the work queue what became of a job: look again later, or never. */
  settle(record: JobRecord): Promise<void>;
  log(id: string, line: string): Promise<void>;
  /** @throws {JobError} for whatever NATS says */
  ask<Result>(act: () => Promise<Result>): Promise<Result>;
}

/** A lease in a key-value bucket: every step says which change of the job it saw last, and is made on that one alone. */
export class JetStreamLease implements LeaseDoor {
  readonly #owner: LeaseOwner;
  readonly #turn: number;
  #kept: KeptJob;
  /** One step at a time: each has to know the change that the one before made. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(owner: LeaseOwner, kept: KeptJob) {
    this.#owner = owner;
    this.#turn = kept.record.turn;
    this.#kept = kept;
  }

  step(step: LeaseStep): Promise<JobRecord | undefined> {
    const made = this.#last.then(() => this.#owner.ask(() => this.#make(step)));
    this.#last = made.catch(() => {});
    return made;
  }

  async log(line: string): Promise<void> {
    const { jobs, ask, log } = this.#owner;
    const { id } = this.#kept.record;
    const kept = await ask(() => jobs.get(id));
    const isHeld = kept?.record.turn === this.#turn && kept.record.state === "running";
    if (isHeld) await log(id, line);
  }

  async #make(step: LeaseStep): Promise<JobRecord | undefined> {
    const { jobs, clock, pace } = this.#owner;
    for (;;) {
      const { record, revision } = this.#kept;
      const nowMs = Math.floor(clock.unixUs() / 1_000);
      const next = stepped(record, this.#turn, step, nowMs, pace);
      if (next === undefined || next === record) return next;
      const written = await jobs.put(next, revision);
      if (written !== undefined) {
        this.#kept = { record: next, revision: written };
        await this.#owner.settle(next);
        return next;
      }
      const now = await jobs.get(record.id);
      if (now === undefined) return undefined;
      this.#kept = now;
    }
  }
}
