import { randomBytes } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import type { ChannelEnd } from "./channel-end.ts";
import { ChannelGuest } from "./channel-guest.ts";
import { ChannelHub } from "./channel-hub.ts";
import type { Job } from "./job.ts";
import { JobError } from "./job-error.ts";
import type { JobQueue } from "./job-queue.ts";
import { type Seat, seatSpec } from "./seat.ts";
import type { Heard } from "./thread-messages.ts";

const SECRET_BYTES = 32;

export interface SharedJobOptions {
  readonly queue: JobQueue;
  readonly job: Job;
  readonly attempt: number;
  /** The place that this job is; undefined: it is the shared job itself, at place 0. */
  readonly seat: Seat | undefined;
  readonly channelHost: string;
  readonly peersMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborted when the attempt is to end. */
  readonly signal: AbortSignal;
}

/** What makes several workers one job: place 0 listens, and hands the other places in as jobs of their own. */
export class SharedJob {
  readonly #options: SharedJobOptions;
  #end: ChannelEnd | undefined;
  #seats: string[] = [];

  constructor(options: SharedJobOptions) {
    this.#options = options;
  }

  get index(): number {
    return this.#options.seat?.index ?? 0;
  }

  /** Resolves once everybody is there. @throws {JobError} `peer-left` when somebody does not come */
  async open(count: number): Promise<void> {
    const { seat, clock } = this.#options;
    if (seat === undefined) return await this.#openHub(count);
    const guest = await ChannelGuest.join(seat, clock);
    this.#end = guest;
    await this.#whileRunning(guest.allThere());
  }

  async send(to: number, message: Uint8Array): Promise<void> {
    await this.#opened.send(to, message);
  }

  receive(): Promise<Heard> {
    return this.#whileRunning(this.#opened.receive());
  }

  /** Leave, and take back what others have not ended. */
  async close(): Promise<void> {
    await this.#end?.close();
    const { queue, logger } = this.#options;
    for (const id of this.#seats) {
      try {
        const state = (await queue.get(id))?.state;
        if (state === "queued" || state === "running") await queue.cancel(id);
      } catch (error) {
        // It ended meanwhile, or the queue is away: whoever takes it sees that its job is over.
        logger.debug({ job: id, error: String(error) }, "a place of a shared job was not taken back");
      }
    }
  }

  get #opened(): ChannelEnd {
    if (this.#end === undefined) throw new JobError("failed", "the channel is not open", "open it first");
    return this.#end;
  }

  async #openHub(count: number): Promise<void> {
    const { queue, job, attempt, channelHost: host, clock, logger, peersMs } = this.#options;
    const secret = randomBytes(SECRET_BYTES);
    const hub = await ChannelHub.open({ job: job.id, secret, count, host, clock, logger });
    this.#end = hub;
    for (let index = 1; index < count; index++) {
      const seat = { job: job.id, attempt, index, count, host, port: hub.port, secret: secret.toString("hex") };
      const { job: offered } = await queue.submit(seatSpec(job, seat), { maxAttempts: 1 });
      this.#seats.push(offered.id);
    }
    const late = Promise.withResolvers<never>();
    const timer = clock.setTimer(() => {
      const problem = `${count - hub.taken} of ${count} places were not taken in ${peersMs / 1000} s`;
      late.reject(new JobError("peer-left", problem, "let more workers, or more threads, wait for this workload"));
    }, peersMs);
    try {
      await this.#whileRunning(Promise.race([hub.allThere(), late.promise]));
    } finally {
      timer.cancel();
    }
  }

  #whileRunning<Value>(promise: Promise<Value>): Promise<Value> {
    const { signal } = this.#options;
    if (signal.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
    });
  }
}
