import type { OutTopic, Transport, TransportEvents } from "./transport.ts";

/** A session's transport whose messages somebody else hears first, and may send on too. Made when it is opened. */
export class TappedTransport implements Transport {
  readonly #make: () => Transport;
  readonly #hear: (message: Uint8Array) => boolean;
  readonly #ready: () => void;
  #inner: Transport | undefined;
  #isUp = false;

  /**
   * @param make  the transport itself
   * @param hear  told every message; true: it was not the session's
   * @param ready  told when messages may be sent, or may be again
   */
  constructor(make: () => Transport, hear: (message: Uint8Array) => boolean, ready: () => void) {
    this.#make = make;
    this.#hear = hear;
    this.#ready = ready;
  }

  async open(events: TransportEvents, will: Uint8Array): Promise<void> {
    this.#inner ??= this.#make();
    await this.#inner.open(
      {
        connected: () => {
          this.#isUp = true;
          events.connected();
          this.#ready();
        },
        disconnected: (reason) => {
          this.#isUp = false;
          events.disconnected(reason);
        },
        message: (bytes) => {
          if (!this.#hear(bytes)) events.message(bytes);
        },
        drained: () => {
          events.drained();
          this.#ready();
        },
      },
      will,
    );
  }

  send(topic: OutTopic, bytes: Uint8Array): boolean {
    return this.#isUp && (this.#inner?.send(topic, bytes) ?? false);
  }

  useAlias(alias: string): void {
    this.#inner?.useAlias(alias);
  }

  async close(): Promise<void> {
    this.#isUp = false;
    await this.#inner?.close();
  }

  async destroy(): Promise<void> {
    this.#isUp = false;
    await this.#inner?.destroy();
  }
}
