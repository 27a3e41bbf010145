import type { ServerResponse } from "node:http";
import type { MessageSink } from "./live-stream.ts";
import { securityHeaders } from "./security-headers.ts";

/** After so long a browser that lost the stream asks for it again, ms. */
const RETRY_MS = 1_000;

/** A reader that takes nothing for so long is gone, ms. */
const STALL_MS = 60_000;

/** Server-sent events to one browser. A slow one gets fewer messages, never a backlog. */
export class EventStream implements MessageSink {
  readonly #response: ServerResponse;
  #isFull = false;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.writeHead(200, {
      ...securityHeaders(response.req),
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      // A proxy must not collect events before it passes them on.
      "x-accel-buffering": "no",
    });
    response.write(`retry: ${RETRY_MS}\n\n`);
    // A reader that is gone without a word is found out by what it does not take.
    response.setTimeout(STALL_MS, () => response.destroy());
    response.on("drain", () => {
      this.#isFull = false;
    });
  }

  /** Whether a message would be taken now; state that is left out must be sent whole later. */
  get isReady(): boolean {
    return !this.#isFull && !this.#response.writableEnded && !this.#response.destroyed;
  }

  /** Send one message. @param id  what a reader that comes back says that it has */
  send(event: string, id: number, data: object): void {
    this.#isFull = !this.#response.write(`event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  end(): void {
    this.#response.end();
  }
}
