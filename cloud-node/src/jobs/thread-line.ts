import type { MessagePort } from "node:worker_threads";
import type { JobProgress } from "./job.ts";
import { JobError } from "./job-error.ts";
import type { AttemptFailure } from "./job-failure.ts";
import { unpackJobError } from "./packed-job-error.ts";
import type { CallAnswer, CallArguments, FromThread, ThreadCallName, ToThread } from "./thread-messages.ts";

interface Waiting {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

/** A thread's end of the line to its worker, for one attempt. */
export class ThreadLine {
  readonly #port: MessagePort;
  readonly #run: number;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #isOver = false;

  constructor(port: MessagePort, run: number) {
    this.#port = port;
    this.#run = run;
  }

  /** Ask for something. @throws {JobError} what the worker says; `cancelled` once the attempt is over */
  call<Name extends ThreadCallName>(
    name: Name,
    args: CallArguments<Name>,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<CallAnswer<Name>> {
    if (this.#isOver) return Promise.reject(attemptOver());
    this.#lastId += 1;
    const id = this.#lastId;
    const answer = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#post({ kind: "call", run: this.#run, id, name, args }, transfer);
    // The worker answers a call as its name says.
    return answer as Promise<CallAnswer<Name>>;
  }

  tell(progress: JobProgress | undefined, lines: readonly string[]): void {
    if (!this.#isOver) this.#post({ kind: "tell", run: this.#run, progress, lines });
  }

  /** Say how it ended: nothing else is said after it. @param value  the result as JSON */
  end(end: { readonly value: string } | { readonly failure: AttemptFailure }): void {
    this.#isOver = true;
    for (const { reject } of this.#waiting.values()) reject(attemptOver());
    this.#waiting.clear();
    if ("value" in end) this.#post({ kind: "done", run: this.#run, value: end.value });
    else this.#post({ kind: "failed", run: this.#run, failure: end.failure });
  }

  /** Take what the worker says. */
  heard(message: Extract<ToThread, { kind: "answer" | "refusal" }>): void {
    const waiting = message.run === this.#run ? this.#waiting.get(message.id) : undefined;
    if (waiting === undefined) return;
    this.#waiting.delete(message.id);
    if (message.kind === "answer") waiting.resolve(message.answer);
    else waiting.reject(unpackJobError(message.error));
  }

  #post(message: FromThread, transfer: readonly ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transfer);
  }
}

/** What whoever goes on after the end is told. */
export function attemptOver(): JobError {
  return new JobError("cancelled", "the attempt is over", "wait for all that was begun before `run` returns");
}
