import type { Clock, OutTopic, Timer, Transport, TransportEvents } from "@lockstep/edge-sdk";
import type { LinkFault } from "./link-fault.ts";

/** Messages on their way or waiting at most; a link that is slower than its device holds it back. */
const CAPACITY = 4_096;

/** What a faulty link did so far, in messages of both directions. */
export interface LinkTally {
  sent: number;
  delivered: number;
}

export interface FaultyTransportOptions {
  /** Faults on the way from the device. */
  readonly up: LinkFault;
  /** Faults on the way to it. */
  readonly down: LinkFault;
  readonly clock: Clock;
  /** On the clock, when the link's own time starts; now unless given. */
  readonly startMs?: number;
  /** Counts what passes; the caller's, updated in place. */
  readonly tally?: LinkTally;
}

/**
 * Put a bad link between a device and its real transport: every message in either direction goes through the faults of
 * that direction. The connection itself stays up; what a cut swallows is gone silently, as it is on radio.
 */
export function faultyTransport(inner: Transport, options: FaultyTransportOptions): Transport {
  return new FaultyTransport(inner, options);
}

interface Message {
  readonly topic: OutTopic;
  readonly bytes: Uint8Array;
}

class FaultyTransport implements Transport {
  readonly #inner: Transport;
  readonly #up: LinkFault;
  readonly #down: LinkFault;
  readonly #clock: Clock;
  readonly #tally: LinkTally;
  readonly #startMs: number;
  readonly #timers = new Set<Timer>();
  /** Arrived at the far side of the bad link while the real transport takes nothing. */
  readonly #arrived: Message[] = [];
  #events: TransportEvents | undefined;
  #isUp = false;
  #wasRefused = false;

  constructor(inner: Transport, options: FaultyTransportOptions) {
    const { up, down, clock, startMs = clock.nowMs(), tally = { sent: 0, delivered: 0 } } = options;
    this.#inner = inner;
    this.#up = up;
    this.#down = down;
    this.#clock = clock;
    this.#startMs = startMs;
    this.#tally = tally;
  }

  async open(events: TransportEvents, will: Uint8Array): Promise<void> {
    this.#events = events;
    await this.#inner.open(
      {
        connected: () => {
          this.#isUp = true;
          events.connected();
        },
        disconnected: (reason) => {
          this.#forget();
          events.disconnected(reason);
        },
        message: (bytes) => this.#pass(this.#down, bytes, (delivered) => events.message(delivered)),
        drained: () => this.#drain(),
      },
      will,
    );
  }

  send(topic: OutTopic, bytes: Uint8Array): boolean {
    if (!this.#isUp) return false;
    // A broker's presence is not on the radio.
    if (topic === "presence") return this.#inner.send(topic, bytes);
    if (this.#timers.size + this.#arrived.length >= CAPACITY) {
      this.#wasRefused = true;
      return false;
    }
    this.#pass(this.#up, bytes.slice(), (delivered) => {
      this.#arrived.push({ topic, bytes: delivered });
      this.#drain();
    });
    return true;
  }

  useAlias(alias: string): void {
    this.#inner.useAlias(alias);
  }

  async close(): Promise<void> {
    this.#forget();
    await this.#inner.close();
  }

  async destroy(): Promise<void> {
    this.#forget();
    await this.#inner.destroy();
  }

  #pass(fault: LinkFault, bytes: Uint8Array, deliver: (bytes: Uint8Array) => void): void {
    this.#tally.sent += 1;
    for (const delivery of fault({ bytes, afterMs: 0 }, this.#clock.nowMs() - this.#startMs)) {
      const timer = this.#clock.setTimer(() => {
        this.#timers.delete(timer);
        this.#tally.delivered += 1;
        deliver(delivery.bytes);
        this.#offer();
      }, delivery.afterMs);
      this.#timers.add(timer);
    }
  }

  #drain(): void {
    for (let message = this.#arrived[0]; message !== undefined; message = this.#arrived[0]) {
      if (!this.#inner.send(message.topic, message.bytes)) return;
      this.#arrived.shift();
    }
    this.#offer();
  }

  #offer(): void {
    if (!this.#wasRefused || this.#timers.size + this.#arrived.length >= CAPACITY) return;
    this.#wasRefused = false;
    this.#events?.drained();
  }

  #forget(): void {
    this.#isUp = false;
    this.#wasRefused = false;
    this.#arrived.length = 0;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}
