import { JobError } from "./job-error.ts";
import type { ThreadLine } from "./thread-line.ts";
import type { Heard } from "./thread-messages.ts";
import { type JobChannel, MAX_MESSAGE_BYTES } from "./workload.ts";

/** The channel of a shared job, as a thread has it: its worker holds the connections. */
export class ThreadChannel implements JobChannel {
  readonly index: number;
  readonly count: number;
  readonly #line: ThreadLine;
  /** Asked for, and not given to anybody yet. */
  #next: Promise<Heard> | undefined;

  constructor(line: ThreadLine, index: number, count: number) {
    this.#line = line;
    this.index = index;
    this.count = count;
  }

  async send(to: number, message: Uint8Array): Promise<number> {
    if (!Number.isInteger(to) || to < 0 || to >= this.count || to === this.index) {
      const places = `0 to ${this.count - 1} without ${this.index}`;
      throw new JobError("failed", `no worker ${to} to send to`, `the others are ${places}`);
    }
    if (message.length > MAX_MESSAGE_BYTES) {
      const problem = `a message of ${message.length} bytes to worker ${to}`;
      throw new JobError("too-large", problem, `send at most ${MAX_MESSAGE_BYTES} at once`);
    }
    const copy = new Uint8Array(message);
    return await this.#line.call("channel-send", [to, copy], [copy.buffer]);
  }

  async receive(signal?: AbortSignal): Promise<Heard> {
    signal?.throwIfAborted();
    this.#next ??= this.#line.call("channel-receive", []);
    const next = this.#next;
    const heard = signal === undefined ? await next : await unlessAborted(next, signal);
    // Whoever gave up waiting has not had it: it is still here for the next one who asks.
    if (this.#next === next) this.#next = undefined;
    return heard;
  }
}

function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
