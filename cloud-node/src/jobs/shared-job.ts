import { randomBytes } from "node:crypto";
import { MAX_JOB_ATTEMPTS } from "@lockstep/protocol";
import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import type { ChannelEnd } from "./channel-end.ts";
import { ChannelGuest } from "./channel-guest.ts";
import { ChannelHub } from "./channel-hub.ts";
import type { ChannelReach } from "./channel-reach.ts";
import type { Job } from "./job.ts";
import { JobError } from "./job-error.ts";
import type { JobQueue } from "./job-queue.ts";
import { SECRET_BYTES, type Seat, seatSpec } from "./seat.ts";
import { seededRandom } from "./seeded-random.ts";
import type { Heard, SharedPlaces } from "./thread-messages.ts";

export interface SharedJobOptions extends ChannelReach {
  readonly queue: JobQueue;
  readonly job: Job;
  readonly attempt: number;
  /** The place that this job is; undefined: it is the shared job itself, at place 0. */
  readonly seat: Seat | undefined;
  /** How long it waits for others to take its places, ms; by its id, up to half as long again. */
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
  #isShort = false;
  #isClosed = false;

  constructor(options: SharedJobOptions) {
    this.#options = options;
  }

  get index(): number {
    return this.#options.seat?.index ?? 0;
  }

  /** Whether it had to give up because too few took its places: no fault of the job. */
  get isShort(): boolean {
    return this.#isShort;
  }

  /** Resolves once everybody is there. @throws {JobError} `peer-left` when somebody does not come */
  async open(places: SharedPlaces): Promise<void> {
    const { seat, clock } = this.#options;
    if (seat === undefined) return await this.#openHub(places);
    const guest = await ChannelGuest.join(seat, this.#options, clock);
    await this.#keep(guest);
    await this.#whileRunning(guest.allThere());
  }

  async send(to: number, message: Uint8Array): Promise<number> {
    return await this.#opened.send(to, message);
  }

  /** What is heard next, also while the attempt is asked to end: what was begun may still become whole. */
  receive(): Promise<Heard> {
    return this.#opened.receive();
  }

  /** Leave, and take back what others have not ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#end?.close();
    for (const id of this.#seats) await this.#takeBack(id);
  }

  get #opened(): ChannelEnd {
    if (this.#end === undefined) throw new JobError("failed", "the channel is not open", "open it first");
    return this.#end;
  }

  /** What opens while the job closes is closed at once: nobody else would. */
  async #keep(end: ChannelEnd): Promise<void> {
    this.#end = end;
    if (!this.#isClosed) return;
    await end.close();
    throw closed();
  }

  async #takeBack(id: string): Promise<void> {
    const { queue, logger } = this.#options;
    try {
      const state = (await queue.get(id))?.state;
      if (state === "queued" || state === "running") await queue.cancel(id);
    } catch (error) {
      // It ended meanwhile, or the queue is away: whoever takes it sees that its job is over.
      logger.debug({ job: id, error: String(error) }, "a place of a shared job was not taken back");
    }
  }

  async #openHub({ count, isRefilled }: SharedPlaces): Promise<void> {
    const { queue, job, attempt, channelHost, channelBroker, clock, logger, peersMs } = this.#options;
    const secret = randomBytes(SECRET_BYTES);
    const reach = { channelHost, channelBroker };
    const hub = await ChannelHub.open({ job: job.id, secret, count, isRefilled, ...reach, clock, logger });
    await this.#keep(hub);
    for (let index = 1; index < count; index++) {
      const who = { job: job.id, attempt, startedMs: job.startedMs, index, count };
      const seat = { ...who, address: hub.address, secret: secret.toString("hex") };
      const maxAttempts = isRefilled ? MAX_JOB_ATTEMPTS : 1;
      const { job: offered } = await queue.submit(seatSpec(job, seat), { maxAttempts });
      this.#seats.push(offered.id);
      if (!this.#isClosed) continue;
      await this.#takeBack(offered.id);
      throw closed();
    }
    // Shared jobs that hold each other's workers must not give up together: the first one lets the others have its own.
    const waitMs = peersMs * (1 + seededRandom(`${job.id} ${attempt}`)() / 2 ** 33);
    const late = Promise.withResolvers<never>();
    const timer = clock.setTimer(() => {
      this.#isShort = true;
      const problem = `${count - hub.taken} of ${count} places were not taken in ${(waitMs / 1000).toFixed(1)} s`;
      late.reject(new JobError("peer-left", problem, "let more workers, or more threads, wait for this workload"));
    }, waitMs);
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

function closed(): JobError {
  return new JobError("cancelled", "the attempt at the shared job has ended", "nothing: its next attempt opens anew");
}
