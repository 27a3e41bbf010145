import type { HeardFrame } from "./channel-link.ts";
import { JobError } from "./job-error.ts";
import type { Heard } from "./thread-messages.ts";
import { MAX_MESSAGE_BYTES } from "./workload.ts";

/** What waits for a workload that does not receive: beyond it the others wait, too. */
const MOST_WAITING_BYTES = 8 * MAX_MESSAGE_BYTES;

/** A message that has not wholly come. */
interface Parts {
  readonly pieces: Uint8Array[];
  readonly bytes: number;
  readonly wireBytes: number;
}

/** What was heard of the others of a shared job, put together and in order, until the workload asks for it. */
export class ChannelInbox {
  readonly #heard: Heard[] = [];
  readonly #parts = new Map<number, Parts>();
  readonly #others: Set<number>;
  readonly #isRefilled: boolean;
  #waitingBytes = 0;
  #wakeReader: (() => void) | undefined;
  #room = Promise.withResolvers<void>();

  /**
   * @param others  places that something may be heard of
   * @param isRefilled  whether somebody may come when nobody is there any more
   */
  constructor(others: readonly number[], isRefilled = false) {
    this.#others = new Set(others);
    this.#isRefilled = isRefilled;
  }

  /** Whether that one is still there. */
  has(place: number): boolean {
    return this.#others.has(place);
  }

  /** Take a piece of a message; resolves once there is room for another. @throws {JobError} `too-large` */
  async take({ from, isLast, payload, wireBytes }: HeardFrame): Promise<void> {
    const before = this.#parts.get(from) ?? { pieces: [], bytes: 0, wireBytes: 0 };
    const parts = { ...before, bytes: before.bytes + payload.length, wireBytes: before.wireBytes + wireBytes };
    parts.pieces.push(payload);
    const { bytes } = parts;
    if (bytes > MAX_MESSAGE_BYTES) {
      throw new JobError("too-large", `a message of over ${MAX_MESSAGE_BYTES} bytes of ${from}`, "send less at once");
    }
    this.#parts.set(from, parts);
    if (!isLast) return;
    this.#parts.delete(from);
    const message = new Uint8Array(bytes);
    let at = 0;
    for (const part of parts.pieces) {
      message.set(part, at);
      at += part.length;
    }
    this.#waitingBytes += bytes;
    this.#add({ kind: "message", from, message, wireBytes: parts.wireBytes });
    while (this.#waitingBytes > MOST_WAITING_BYTES) await this.#room.promise;
  }

  /** That one is not there any more; whoever left twice left once. */
  left(place: number): void {
    if (!this.#others.delete(place)) return;
    this.#parts.delete(place);
    this.#add({ kind: "left", from: place });
  }

  /** Somebody is in that place again. */
  joined(place: number): void {
    this.#others.add(place);
    this.#add({ kind: "joined", from: place });
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
      if (this.#others.size === 0 && !this.#isRefilled) {
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
