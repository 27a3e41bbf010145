import { FrameError, type ResultFrame } from "@lockstep/protocol";
import type { Clock, Timer } from "../clock.ts";
import { isOver, type Job } from "../jobs/job.ts";
import { failedAnswer, jobAnswer } from "./job-answers.ts";

export interface JobFollowerOptions {
  readonly id: string;
  readonly nonce: number;
  readonly clock: Clock;
  send(frame: ResultFrame): void;
  /** The last word was said. */
  ended(): void;
}

/** What may be asked about a job; each once at a time. */
export type JobQuestion = "submit" | "cancel" | "ask";

/** A job is told of so often at most, ms. */
const PACE_MS = 250;

/** One job as one speaker follows it: hears in turn, four times a second at most, until the job is over. */
export class JobFollower {
  readonly id: string;
  readonly nonce: number;
  readonly #options: JobFollowerOptions;
  readonly #questions = new Set<JobQuestion>();
  #turn: Promise<void> = Promise.resolve();
  /** How the job stands, not told yet. */
  #news: Job | undefined;
  #toldMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #wasAnswered = false;
  #isSilent = false;

  constructor(options: JobFollowerOptions) {
    this.id = options.id;
    this.nonce = options.nonce;
    this.#options = options;
  }

  /** Whether anything but a refusal was ever answered. */
  get wasAnswered(): boolean {
    return this.#wasAnswered;
  }

  /** Whether the same was asked, and is not answered yet. */
  isAsking(question: JobQuestion): boolean {
    return this.#questions.has(question);
  }

  /** Ask when everything asked before is answered; what is heard meanwhile waits. */
  ask(question: JobQuestion, answer: () => Promise<void>): void {
    this.#questions.add(question);
    this.#turn = this.#turn.then(async () => {
      try {
        await answer();
      } finally {
        this.#questions.delete(question);
        this.#tell();
      }
    });
  }

  /** It is in the queue. */
  accepted(job: Job, isNew: boolean): void {
    this.#wasAnswered = true;
    this.#send({ kind: "result", op: "accepted", nonce: this.nonce, id: this.id, isNew, state: job.state });
    if (isOver(job.state)) this.#news = job;
  }

  /** It stands so; what was heard meanwhile is newer, but the last word is the last. */
  answered(job: Job): void {
    this.#wasAnswered = true;
    if (this.#news === undefined || isOver(job.state)) this.#news = job;
  }

  /** It changed. */
  heard(job: Job): void {
    this.#news = job;
    this.#tell();
  }

  /** What was asked could not be done. */
  refused(code: string, message: string, isFinal: boolean): void {
    const { id, nonce } = this;
    this.#send(failedAnswer({ id, nonce, state: isFinal ? "failed" : "queued", code, message, attempts: 0 }));
  }

  /** Nobody hears of it any more. */
  close(): void {
    this.#isSilent = true;
    this.#timer?.cancel();
    this.#news = undefined;
  }

  #tell(): void {
    const job = this.#news;
    if (job === undefined || this.#questions.size > 0 || this.#isSilent) return;
    const { clock, ended } = this.#options;
    const nowMs = clock.nowMs();
    const waitMs = isOver(job.state) ? 0 : this.#toldMs + PACE_MS - nowMs;
    if (waitMs > 0) {
      this.#timer ??= clock.setTimer(() => {
        this.#timer = undefined;
        this.#tell();
      }, waitMs);
      return;
    }
    this.#news = undefined;
    this.#toldMs = nowMs;
    this.#send(jobAnswer(job, this.nonce));
    if (!isOver(job.state)) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    ended();
  }

  #send(frame: ResultFrame): void {
    if (this.#isSilent) return;
    try {
      this.#options.send(frame);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      // A queue that keeps to its limits has no such job; whoever waits for it is told even so.
      const message = `what became of it does not fit into a frame, ${error.message}: ask for it by another way`;
      const { id, nonce } = this;
      this.#options.send(failedAnswer({ id, nonce, state: "failed", code: "too-large", message, attempts: 0 }));
    }
  }
}
