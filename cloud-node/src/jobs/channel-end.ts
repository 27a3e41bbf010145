import { MAX_EXCHANGE_BYTES } from "@lockstep/protocol";
import type { ChannelLink } from "./channel-link.ts";
import type { Heard } from "./thread-messages.ts";

/** One worker's end of the channel of a shared job. */
export interface ChannelEnd {
  readonly index: number;
  /** @returns bytes on the connection. @throws {JobError} `peer-left` */
  send(to: number, message: Uint8Array): Promise<number>;
  /** @throws {JobError} `peer-left` once nothing more can come */
  receive(): Promise<Heard>;
  close(): Promise<void>;
}

/** Messages on their way out: those to one place in the order in which they were begun, each of them whole. */
export class MessageSender {
  readonly #from: number;
  readonly #last = new Map<number, Promise<unknown>>();

  /** @param from  the own place */
  constructor(from: number) {
    this.#from = from;
  }

  /** Send a message in pieces, after those before it. @returns bytes on the connection. @throws {JobError} `peer-left` */
  send(link: ChannelLink, to: number, message: Uint8Array): Promise<number> {
    const before = this.#last.get(to) ?? Promise.resolve();
    const sent = before.then(() => sendPieces(link, this.#from, to, message));
    // One that could not be sent is told to whoever sent it.
    this.#last.set(
      to,
      sent.catch(() => undefined),
    );
    return sent;
  }
}

async function sendPieces(link: ChannelLink, from: number, to: number, message: Uint8Array): Promise<number> {
  let wireBytes = 0;
  for (let at = 0; ; ) {
    const payload = message.subarray(at, at + MAX_EXCHANGE_BYTES);
    at += payload.length;
    wireBytes += await link.send({ from, to, isLast: at === message.length, payload });
    if (at === message.length) return wireBytes;
  }
}
