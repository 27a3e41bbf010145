import { checkMessage, type OutTopic, type Transport, TransportError, type TransportEvents } from "../transport.ts";

/** What the far end of a loopback is told. */
export interface LoopbackHandlers {
  /** A device has connected; `send` reaches it from now on. */
  connected(): void;
  disconnected(): void;
  message(bytes: Uint8Array, topic: OutTopic): void;
}

/** Messages that may be under way in each direction, as small as a socket's buffer would be for a slow reader. */
const DEFAULT_CAPACITY = 64;

type Delivery = () => void;

/**
 * Device and cloud in one process: an in-memory pair. What is sent arrives in order, in a later microtask, so that
 * neither end is ever called from inside its own call.
 */
export class Loopback {
  /** The device's end. */
  readonly transport: Transport;
  readonly #capacity: number;
  #events: TransportEvents | undefined;
  #handlers: LoopbackHandlers | undefined;
  #isClosed = false;
  #isUp = false;
  #isPaused = false;
  #wasRefused = false;
  /** Counts connections, so that what was sent in one never arrives in the next. */
  #connection = 0;
  readonly #toFar: Delivery[] = [];

  /** @param capacity  messages from the device that may wait while the far end is paused, ≥ 1 */
  constructor(capacity: number = DEFAULT_CAPACITY) {
    this.#capacity = capacity;
    this.transport = {
      open: (events) => this.#open(events),
      send: (topic, bytes) => this.#send(topic, bytes),
      useAlias: () => {},
      close: () => this.#close(true),
      destroy: () => this.#close(false),
    };
  }

  /** Become reachable: the far end listens, and a waiting device is connected. */
  listen(handlers: LoopbackHandlers): void {
    this.#handlers = handlers;
    this.#connect();
  }

  /** Send to the device; dropped when it is not connected. The bytes are copied. */
  send(bytes: Uint8Array): void {
    if (!this.#isUp) return;
    const copy = bytes.slice();
    this.#later(() => this.#events?.message(copy));
  }

  /** Stop taking messages from the device, until `resume`. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#later(() => this.#deliver());
  }

  /** End the connection. The device is connected again as soon as somebody listens. */
  drop(reason: string): void {
    this.#handlers = undefined;
    if (!this.#isUp) return;
    this.#down();
    const events = this.#events;
    queueMicrotask(() => {
      if (!this.#isClosed) events?.disconnected(reason);
    });
  }

  async #open(events: TransportEvents): Promise<void> {
    if (this.#events !== undefined || this.#isClosed) throw new TransportError("already-open", {});
    this.#events = events;
    this.#connect();
  }

  #connect(): void {
    const [events, handlers] = [this.#events, this.#handlers];
    if (this.#isUp || this.#isClosed || events === undefined || handlers === undefined) return;
    this.#isUp = true;
    this.#connection += 1;
    this.#later(() => {
      handlers.connected();
      events.connected();
    });
  }

  #send(topic: OutTopic, bytes: Uint8Array): boolean {
    checkMessage(bytes);
    if (!this.#isUp) return false;
    if (this.#toFar.length >= this.#capacity) {
      this.#wasRefused = true;
      return false;
    }
    // As on every link with connections, the connection itself is the presence.
    if (topic === "presence") return true;
    const copy = bytes.slice();
    this.#toFar.push(() => this.#handlers?.message(copy, topic));
    this.#later(() => this.#deliver());
    return true;
  }

  #deliver(): void {
    while (!this.#isPaused) {
      const delivery = this.#toFar.shift();
      if (delivery === undefined) break;
      delivery();
    }
    if (this.#wasRefused && this.#toFar.length < this.#capacity) {
      this.#wasRefused = false;
      this.#events?.drained();
    }
  }

  async #close(flush: boolean): Promise<void> {
    if (this.#isClosed) return;
    if (flush && this.#isUp) await Promise.resolve().then(() => this.#deliver());
    const handlers = this.#isUp ? this.#handlers : undefined;
    this.#isClosed = true;
    this.#down();
    handlers?.disconnected();
  }

  #down(): void {
    this.#isUp = false;
    this.#connection += 1;
    this.#wasRefused = false;
    this.#toFar.length = 0;
  }

  #later(delivery: Delivery): void {
    const connection = this.#connection;
    queueMicrotask(() => {
      if (connection === this.#connection && !this.#isClosed) delivery();
    });
  }
}
