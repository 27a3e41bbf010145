import {
  decodeFrame,
  encodeFrame,
  FrameError,
  formatJsonObject,
  jobContentId,
  type PresenceFrame,
} from "@lockstep/protocol";
import type { Clock, Timer } from "./clock.ts";
import { JobClientError } from "./job-client-error.ts";
import type { MacKey } from "./link-seal.ts";
import type { RandomSource } from "./random-source.ts";
import { sealTransport } from "./sealed-transport.ts";
import { FollowedJob, type JobRequest, type SubmittedJob } from "./submitted-job.ts";
import type { Transport } from "./transport.ts";

export interface JobClientOptions {
  /** Not opened yet; the client opens and closes it. Over MQTT its device is the program's name. */
  readonly transport: Transport;
  /** The program's name and key, where it was added with one: its frames have MACs. */
  readonly mac?: { readonly device: string; readonly key: MacKey } | undefined;
  readonly clock: Clock;
  readonly random: RandomSource;
}

/** Jobs that a node tells one program of at a time. */
const MAX_JOBS = 64;
const JOB_ID = /^[0-9a-f]{64}$/;

/**
 * Hands jobs in over any transport, hears how far they are, and gets what became of them. Whatever is lost on the way is said
 * again, also on every new connection; to say it twice does it once.
 *
 * @see protocol/SPEC.md, section 10
 */
export class JobClient {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #nonce: number;
  readonly #jobs = new Map<string, FollowedJob>();
  #isUp = false;
  #isClosed = false;
  #timer: Timer | undefined;

  private constructor({ transport, mac, clock, random }: JobClientOptions) {
    this.#clock = clock;
    this.#nonce = random.uint32();
    this.#transport = mac === undefined ? transport : sealTransport(transport, { ...mac, nonce: this.#nonce, mtu: 0 });
  }

  /**
   * Start connecting; jobs may be submitted from now on, and go out once there is a connection.
   *
   * @throws {TransportError} `already-open`, `bad-url`
   * @throws {SessionError} `mac-key`
   */
  static async open(options: JobClientOptions): Promise<JobClient> {
    const client = new JobClient(options);
    await client.#open();
    return client;
  }

  /**
   * Hand a job in. Resolves once the node has it for good, however long it takes to reach it.
   *
   * @throws {JobClientError} `bad-job` where no frame can say it, `too-many`, `refused` with the node's reason, `closed`
   */
  async submit(request: JobRequest): Promise<SubmittedJob> {
    const { id, frame } = this.#say(request);
    return await this.#follow(id, frame).accepted();
  }

  /**
   * Follow a job that was handed in before, here or by somebody else. Resolves once the node has said how it stands.
   *
   * @param id  64 hexadecimal digits
   * @throws {JobClientError} `bad-job` for what is no id, `too-many`, `refused` with the node's reason, `closed`
   */
  async follow(id: string): Promise<SubmittedJob> {
    if (!JOB_ID.test(id)) throw new JobClientError("bad-job", { message: `"${id.slice(0, 80)}" is no id of a job` });
    return await this.#follow(id, undefined).accepted();
  }

  /** Say good-bye. Jobs go on; whoever waits for one hears `closed`. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const job of this.#jobs.values()) job.end(new JobClientError("closed", { id: job.id }));
    this.#jobs.clear();
    if (this.#isUp) this.#transport.send("presence", this.#goodBye());
    await this.#transport.close();
  }

  #open(): Promise<void> {
    return this.#transport.open(
      {
        connected: () => {
          this.#isUp = true;
          for (const job of this.#jobs.values()) job.restart();
          this.#pump();
        },
        disconnected: () => {
          this.#isUp = false;
        },
        message: (bytes) => this.#heard(bytes),
        drained: () => this.#pump(),
      },
      this.#goodBye(),
    );
  }

  #goodBye(): Uint8Array {
    const presence: PresenceFrame = { kind: "presence", nonce: this.#nonce, online: false };
    return encodeFrame(presence);
  }

  #say({ workload, params, inputs = [], salt = "", attempts = 0 }: JobRequest): { id: string; frame: Uint8Array } {
    try {
      const said = { workload, inputs, salt, attempts, params: formatJsonObject(params) };
      const frame = encodeFrame({ kind: "job", op: "submit", nonce: this.#nonce, ...said });
      return { id: jobContentId({ workload, params, inputs, salt }), frame };
    } catch (cause) {
      if (!(cause instanceof FrameError)) throw cause;
      throw new JobClientError("bad-job", { message: cause.message }, { cause });
    }
  }

  #follow(id: string, submit: Uint8Array | undefined): FollowedJob {
    if (this.#isClosed) throw new JobClientError("closed", { id });
    const known = this.#jobs.get(id);
    if (known !== undefined) {
      if (submit !== undefined) known.handIn(submit);
      return known;
    }
    if (this.#jobs.size >= MAX_JOBS) throw new JobClientError("too-many", { limit: MAX_JOBS });
    const job = new FollowedJob(id, this.#nonce, submit, () => this.#pump());
    this.#jobs.set(id, job);
    this.#pump();
    return job;
  }

  #heard(bytes: Uint8Array): void {
    const frame = decodeOrNothing(bytes);
    // What was said to an earlier program of this name, or is about a device, is not for here.
    if (frame?.kind !== "result" || frame.nonce !== this.#nonce) return;
    const job = this.#jobs.get(frame.id);
    job?.heard(frame, this.#clock.nowMs());
    if (job?.isOver) this.#jobs.delete(frame.id);
    this.#pump();
  }

  /** Say everything that is due, and look again when the next is. */
  #pump(): void {
    this.#timer?.cancel();
    if (!this.#isUp || this.#isClosed) return;
    const nowMs = this.#clock.nowMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const job of this.#jobs.values()) {
      if (job.dueMs <= nowMs) {
        // What is not taken goes out when there is room, or a connection.
        if (!this.#transport.send("jobs", job.question())) return;
        job.asked(nowMs);
      }
      nextMs = Math.min(nextMs, job.dueMs);
    }
    if (nextMs !== Number.POSITIVE_INFINITY) this.#timer = this.#clock.setTimer(() => this.#pump(), nextMs - nowMs);
  }
}

/** What is damaged is said again. */
function decodeOrNothing(bytes: Uint8Array) {
  try {
    return decodeFrame(bytes);
  } catch (error) {
    if (error instanceof FrameError) return undefined;
    throw error;
  }
}
