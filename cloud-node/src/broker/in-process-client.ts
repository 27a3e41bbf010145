import { EventEmitter } from "node:events";
import type { Aedes } from "aedes";

interface HeardPacket {
  readonly topic: string;
  readonly payload: Buffer | string;
  readonly retain: boolean;
}

/**
 * The node at the broker in its own process: the same events and calls as a client over a network, without packets that
 * would be written and parsed only to come back to the same thread.
 *
 * It never keeps a message back: the broker has one queue, and what the node says would wait in it as well.
 */
export class InProcessClient extends EventEmitter {
  readonly #aedes: Aedes;
  connected = false;
  readonly #filters: string[] = [];
  readonly #letGoes: (() => void)[] = [];
  #isLettingGo = false;

  constructor(aedes: Aedes) {
    super();
    this.#aedes = aedes;
    queueMicrotask(() => {
      this.connected = true;
      this.emit("connect");
    });
  }

  /** Hear what is published from now on; the broker has kept nothing from before. */
  subscribe(filters: Readonly<Record<string, unknown>>, done: (error: Error | null) => void): void {
    for (const filter of Object.keys(filters)) {
      this.#filters.push(filter);
      this.#aedes.subscribe(filter, this.#hear, () => {});
    }
    done(null);
  }

  publish(topic: string, payload: Buffer): void {
    const packet = { cmd: "publish", qos: 0, dup: false, retain: false, topic, payload } as const;
    this.#aedes.publish(packet, () => {});
  }

  async endAsync(): Promise<void> {
    if (!this.connected) return;
    this.connected = false;
    for (const filter of this.#filters) this.#aedes.unsubscribe(filter, this.#hear, () => {});
    this.emit("close");
  }

  readonly #hear = (packet: HeardPacket, done: () => void): void => {
    const payload = typeof packet.payload === "string" ? Buffer.from(packet.payload) : packet.payload;
    // Heard as it is published: nothing that was kept.
    this.emit("message", packet.topic, payload, { retain: false });
    this.#letGo(done);
  };

  /** The broker answers with the next message at once: one after the other, or the stack would grow with each. */
  #letGo(done: () => void): void {
    this.#letGoes.push(done);
    if (this.#isLettingGo) return;
    this.#isLettingGo = true;
    try {
      for (let next = this.#letGoes.shift(); next !== undefined; next = this.#letGoes.shift()) next();
    } finally {
      this.#isLettingGo = false;
    }
  }
}
