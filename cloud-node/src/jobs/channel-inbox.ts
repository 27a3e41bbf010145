import type { ExchangeFrame } from "@lockstep/protocol";
import { JobError } from "./job-error.ts";
import type { Heard } from "./thread-messages.ts";
import { MAX_MESSAGE_BYTES } from "./workload.ts";

/** What waits for a workload that does not receive: beyond it the others wait, too. */
const MOST_WAITING_BYTES = 8 * MAX_MESSAGE_BYTES;

/** What was heard of the others of a shared job, put together and in order, until the workload asks for it. */
export class ChannelInbox {
  readonly #heard: Heard[] = [];
  readonly #parts = new Map<number, Uint8Array[]>();
  readonly #others: Set<number>;
  #waitingBytes = 0;
  #wakeReader: (() => void) | undefined;
  #room = Promise.withResolvers<void>();

  /** @param others  places that something may be heard of */
  constructor(others: readonly number[]) {
    this.#others = new Set(others);
  }

  /** Whether that one is still there. */
  has(place: number): boolean {
    return this.#others.has(place);
  }

  /** Take a piece of a message; resolves once there is room for another. @throws {JobError} `too-large` */
  async take({ from, isLast, payload }: ExchangeFrame): Promise<void> {
    const parts = this.#parts.get(from) ?? [];
    parts.push(payload);
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    if (bytes > MAX_MESSAGE_BYTES) {
      throw new JobError("too-large", `a message of over ${MAX_MESSAGE_BYTES} bytes of ${from}`, "send less at once");
    }
    this.#parts.set(from, parts);
    if (!isLast) return;
    this.#parts.delete(from);
    const message = new Uint8Array(bytes);
    let at = 0;
    for (const part of parts) {
      message.set(part, at);
      at += part.length;
    }
    this.#waitingBytes += bytes;
    this.#add({ kind: "message", from, message });
    while (this.#waitingBytes > MOST_WAITING_BYTES) await this.#room.promise;
  }

  /** That one is not there any more; whoever left twice left once. */
  left(place: number): void {
    if (!this.#others.delete(place)) return;
    this.#parts.delete(place);
    this.#add({ kind: "left", from: place });
  }

  /** What was heard next. @throws {JobError} `peer-left` when nothing more can come */
  async receive(): Promise<Heard> {
    for (;;) {
      const heard = this.#heard.shift();
      if (heard !== undefined) {
        if (heard.kind === "message") this.#waitingBytes -= heard.message.length;
        this.#room.resolve();
        this.#room = Promise.withResolvers<void>();
        return heard;
      }
      if (this.#others.size === 0) {
        throw new JobError("peer-left", "nobody else works on this job any more", "nothing: it is tried again");
      }
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
  }

  #add(heard: Heard): void {
    this.#heard.push(heard);
    this.#wakeReader?.();
  }
}
