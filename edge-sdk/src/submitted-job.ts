import {
  encodeFrame,
  type JobBlob,
  type JobNamedFrame,
  type JobState,
  type JsonObject,
  parseJsonObject,
  type ResultFailedFrame,
  type ResultFrame,
  type ResultProgressFrame,
} from "@lockstep/protocol";
import { JobClientError } from "./job-client-error.ts";

/** A request for work. The same request is the same job, whoever hands it in. */
export interface JobRequest {
  /** 1 … 64 of `[a-z0-9-]`. */
  readonly workload: string;
  /** What the workload takes; at most 32,768 bytes as JSON. */
  readonly params: JsonObject;
  /** Blobs that the node has, at most 64; none unless given. */
  readonly inputs?: readonly JobBlob[];
  /** Makes equal requests different jobs, at most 64 of `[A-Za-z0-9_-]`; none unless given. */
  readonly salt?: string;
  /** Of which the last that fails is the job's end, 1 … 100; as many as the node gives unless given. */
  readonly attempts?: number;
}

/** How a job stands. */
export interface JobStanding {
  readonly state: JobState;
  /** 0 … 1; null: nobody can say. */
  readonly fraction: number | null;
  /** One line for people. */
  readonly note: string;
  /** Attempts that were begun. */
  readonly attempts: number;
}

/** What a job left. */
export interface JobOutcome {
  readonly value: JsonObject;
  readonly outputs: readonly JobBlob[];
}

/** A job that the node has. */
export interface SubmittedJob {
  /** 64 hexadecimal digits. */
  readonly id: string;
  /** False: it was there before, or an answer that it is new was lost. */
  readonly isNew: boolean;
  /** As far as was heard. */
  readonly standing: JobStanding;
  /** How it stands, whenever that changes, until it is over; what is overtaken before it is asked for is left out. */
  progress(): AsyncIterable<JobStanding>;
  /** @throws {JobClientError} `failed`, `cancelled`, `refused`, `bad-result`, `closed` */
  result(): Promise<JobOutcome>;
  /** Let it end; `result` says whether it did, or was done before. */
  cancel(): void;
}

/** Said again when nothing came back for so long, and twice as long each time, up to the longest. */
const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 30_000;
/** Asked after so long without a word of a job that the node has. */
const SILENCE_MS = 15_000;
/** What a node says of a job that nobody has handed in; never of one that is being handed in. */
const UNKNOWN_JOB = "unknown-job";
const UNKNOWN: JobStanding = { state: "queued", fraction: null, note: "", attempts: 0 };

/** One job of a client: what is to be said of it, and when; what was heard. */
export class FollowedJob implements SubmittedJob {
  readonly id: string;
  readonly #nonce: number;
  /** Undefined for a job that somebody else handed in. */
  #submit: Uint8Array | undefined;
  /** The node wants something said. */
  readonly #wanted: () => void;
  readonly #accepted = Promise.withResolvers<SubmittedJob>();
  readonly #outcome = Promise.withResolvers<JobOutcome>();
  readonly #waiting = new Set<() => void>();
  #isAccepted = false;
  #isCancelling = false;
  #isOver = false;
  #changes = 0;
  #waitMs = FIRST_WAIT_MS;
  isNew = false;
  standing = UNKNOWN;
  /** When the next frame about it is due, by the client's clock, ms. */
  dueMs = Number.NEGATIVE_INFINITY;

  /** @param submit  the frame that hands it in @param wanted  told when something is to be said before it is due */
  constructor(id: string, nonce: number, submit: Uint8Array | undefined, wanted: () => void) {
    this.id = id;
    this.#nonce = nonce;
    this.#submit = submit;
    this.#wanted = wanted;
    // Whoever does not ask is not told.
    this.#accepted.promise.catch(() => {});
    this.#outcome.promise.catch(() => {});
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Resolves once the node has it. @throws {JobClientError} `refused`, `closed` */
  accepted(): Promise<SubmittedJob> {
    return this.#accepted.promise;
  }

  async *progress(): AsyncGenerator<JobStanding, void> {
    let seen = 0;
    for (;;) {
      if (this.#changes > seen) {
        seen = this.#changes;
        yield this.standing;
      } else if (this.#isOver) {
        return;
      } else {
        await new Promise<void>((resolve) => this.#waiting.add(resolve));
      }
    }
  }

  result(): Promise<JobOutcome> {
    return this.#outcome.promise;
  }

  cancel(): void {
    if (this.#isOver || this.#isCancelling) return;
    this.#isCancelling = true;
    this.dueMs = Number.NEGATIVE_INFINITY;
    this.#wanted();
  }

  /** It is to be handed in here, too. @param submit  the frame that does, said unless the node has the job already */
  handIn(submit: Uint8Array): void {
    if (this.#submit !== undefined || this.#isAccepted) return;
    this.#submit = submit;
    this.restart();
    this.#wanted();
  }

  /** What is to be said now. */
  question(): Uint8Array {
    if (!this.#isAccepted && this.#submit !== undefined) return this.#submit;
    const op = this.#isCancelling ? "cancel" : "ask";
    const frame: JobNamedFrame = { kind: "job", op, nonce: this.#nonce, id: this.id };
    return encodeFrame(frame);
  }

  /** It was said. */
  asked(nowMs: number): void {
    this.dueMs = nowMs + this.#waitMs;
    this.#waitMs = Math.min(2 * this.#waitMs, LONGEST_WAIT_MS);
  }

  /** On a new connection the node follows nothing yet. */
  restart(): void {
    this.dueMs = Number.NEGATIVE_INFINITY;
    this.#waitMs = FIRST_WAIT_MS;
  }

  heard(frame: ResultFrame, nowMs: number): void {
    if (frame.op === "failed" && frame.state !== "failed" && frame.state !== "dead") return; // not now: said again when due
    // To a question from before it was handed in.
    if (frame.op === "failed" && frame.code === UNKNOWN_JOB && this.#submit !== undefined && !this.#isAccepted) return;
    this.#waitMs = FIRST_WAIT_MS;
    this.dueMs = nowMs + SILENCE_MS;
    if (frame.op === "failed") {
      this.#fail(frame);
      return;
    }
    if (frame.op === "accepted" && !this.#isAccepted) this.isNew = frame.isNew;
    if (frame.op === "accepted") this.#stand({ ...this.standing, state: frame.state });
    else if (frame.op === "progress") this.#stand(standingOf(frame));
    else this.#stand({ ...this.standing, state: frame.op });
    this.#isAccepted = true;
    this.#accepted.resolve(this);
    if (frame.op === "cancelled") this.end(new JobClientError("cancelled", { id: this.id }));
    if (frame.op !== "done") return;
    const value = parseJsonObject(frame.value);
    if (value === undefined) this.end(new JobClientError("bad-result", { id: this.id }));
    else this.#done({ value, outputs: frame.outputs });
  }

  /** Nothing more will be heard. */
  end(error: JobClientError): void {
    this.#accepted.reject(error);
    this.#outcome.reject(error);
    this.#close();
  }

  #fail({ code: reason, message, attempts, state }: ResultFailedFrame): void {
    const { id } = this;
    if (attempts === 0) {
      this.end(new JobClientError("refused", { id, reason, message }));
      return;
    }
    this.#stand({ ...this.standing, state, attempts });
    this.#accepted.resolve(this);
    this.end(new JobClientError("failed", { id, reason, message, attempts }));
  }

  #done(outcome: JobOutcome): void {
    this.#outcome.resolve(outcome);
    this.#close();
  }

  #close(): void {
    this.#isOver = true;
    this.#wake();
  }

  #stand(standing: JobStanding): void {
    this.standing = standing;
    this.#changes += 1;
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

function standingOf({ state, fraction, note, attempts }: ResultProgressFrame): JobStanding {
  return { state, fraction: fraction === null ? null : fraction / 10_000, note, attempts };
}
