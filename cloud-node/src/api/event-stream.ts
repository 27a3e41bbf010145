import type { ServerResponse } from "node:http";

/** Server-sent events to one browser. A slow one gets fewer messages, never a backlog. */
export class EventStream {
  readonly #response: ServerResponse;
  #id = 0;
  #isFull = false;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.writeHead(200, {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      // A proxy must not collect events before it passes them on.
      "x-accel-buffering": "no",
    });
    response.flushHeaders();
    response.on("drain", () => {
      this.#isFull = false;
    });
  }

  /** Whether a message would be taken now; state that is left out must be sent whole later. */
  get isReady(): boolean {
    return !this.#isFull && !this.#response.writableEnded;
  }

  /** Send one message. */
  send(event: string, data: object): void {
    this.#id += 1;
    this.#isFull = !this.#response.write(`event: ${event}\nid: ${this.#id}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  end(): void {
    this.#response.end();
  }
}
