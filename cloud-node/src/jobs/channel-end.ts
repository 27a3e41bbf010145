import { MAX_EXCHANGE_BYTES } from "@lockstep/protocol";
import type { ChannelLink } from "./channel-link.ts";
import type { Heard } from "./thread-messages.ts";

/** One worker's end of the channel of a shared job. */
export interface ChannelEnd {
  readonly index: number;
  /** @throws {JobError} `peer-left` */
  send(to: number, message: Uint8Array): Promise<void>;
  /** @throws {JobError} `peer-left` once nothing more can come */
  receive(): Promise<Heard>;
  close(): Promise<void>;
}

/** Send a message in pieces. @throws {JobError} `peer-left` */
export async function sendMessage(link: ChannelLink, from: number, to: number, message: Uint8Array): Promise<void> {
  for (let at = 0; ; ) {
    const payload = message.subarray(at, at + MAX_EXCHANGE_BYTES);
    at += payload.length;
    await link.send({ from, to, isLast: at === message.length, payload });
    if (at === message.length) return;
  }
}
