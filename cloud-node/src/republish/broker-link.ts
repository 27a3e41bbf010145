import { connect, type IClientOptions, MqttClient } from "mqtt";
import type { BrokerReach } from "../broker-reach.ts";
import type { Clock, Timer } from "../clock.ts";
import type { Logger } from "../logger.ts";

/** What a broker says in our place when we are gone without a word. */
export interface LastWill {
  readonly topic: string;
  readonly payload: Uint8Array;
}

export interface BrokerLinkOptions {
  readonly broker: BrokerReach;
  readonly clientId: string;
  /** What it is for, as the log says. */
  readonly purpose: string;
  /** Subscribed to, with QoS 1, before a connection counts as one. */
  readonly filters: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Asked before every connection. */
  lastWill?(): LastWill;
  /** Connected, subscriptions standing. */
  up(): void;
  down(): void;
  /** Messages are taken again, after a time in which none were. */
  room(): void;
  message(topic: string, payload: Uint8Array): void;
}

const KEEP_ALIVE_S = 30;
const CONNECT_LIMIT_MS = 10_000;
/** Doubled after every failure, up to the other. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** Bytes on their way to the socket beyond which nothing more is written: what waits further up can still be chosen. */
const HIGH_WATER_BYTES = 256 * 1024;
/** A goodbye that the broker does not take within this time is not said. */
const GOODBYE_MS = 2_000;

/**
 * A connection to a broker that is made anew for as long as it takes. Each connection is another client, so that each
 * has a last will of its own. It never waits for a slow broker: `hasRoom` says whether to write.
 */
export class BrokerLink {
  readonly #options: BrokerLinkOptions;
  #client: MqttClient | undefined;
  #isUp = false;
  #pendingBytes = 0;
  #isFull = false;
  #waitMs = FIRST_WAIT_MS;
  #retry: Timer | undefined;
  #isClosed = false;
  #connections = 0;
  #problem = "not connected yet";

  constructor(options: BrokerLinkOptions) {
    this.#options = options;
    this.#connect();
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Connections that came about. */
  get connections(): number {
    return this.#connections;
  }

  /** Why it is not up. */
  get problem(): string {
    return this.#problem;
  }

  /** Whether a message would be written now. */
  get hasRoom(): boolean {
    return this.#isUp && this.#pendingBytes < HIGH_WATER_BYTES;
  }

  /** Send with QoS 0, unretained; only while `isUp`. */
  publish(topic: string, payload: Uint8Array): void {
    const client = this.#client;
    if (client === undefined || !this.#isUp) return;
    this.#pendingBytes += payload.length;
    if (this.#pendingBytes >= HIGH_WATER_BYTES) this.#isFull = true;
    client.publish(topic, Buffer.from(payload), { qos: 0, retain: false }, () => {
      if (client !== this.#client) return;
      this.#pendingBytes -= payload.length;
      if (!this.#isFull || this.#pendingBytes > HIGH_WATER_BYTES / 2) return;
      this.#isFull = false;
      if (this.#isUp) this.#options.room();
    });
  }

  /** End this connection with a last word, and begin another one. */
  async restart(goodbye: LastWill): Promise<void> {
    const client = this.#leave("started over");
    if (client !== undefined) await this.#end(client, goodbye);
    this.#schedule();
  }

  /** @param goodbye  said first, with QoS 1, while connected */
  async close(goodbye?: LastWill): Promise<void> {
    this.#isClosed = true;
    this.#retry?.cancel();
    const wasUp = this.#isUp;
    const client = this.#leave("closed");
    if (client !== undefined) await this.#end(client, wasUp ? goodbye : undefined);
  }

  #connect(): void {
    const { broker, clientId, clock, lastWill } = this.#options;
    const will = lastWill?.();
    const settings: IClientOptions = {
      protocolId: "MQTT",
      protocolVersion: 4,
      clean: true,
      clientId,
      keepalive: KEEP_ALIVE_S,
      connectTimeout: CONNECT_LIMIT_MS,
      reconnectPeriod: 0,
      resubscribe: false,
      queueQoSZero: false,
      timerVariant: "native",
      ...(will && { will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: false } }),
    };
    const client =
      "url" in broker ? connect(broker.url, { ...settings, ...identity(broker) }) : overStream(broker, settings);
    this.#client = client;
    this.#pendingBytes = 0;
    this.#isFull = false;
    const giveUp = clock.setTimer(() => this.#lost(client, "no answer"), 2 * CONNECT_LIMIT_MS);
    client.on("connect", () => this.#subscribe(client, () => giveUp.cancel()));
    client.on("message", (topic, payload) => {
      if (client === this.#client) this.#options.message(topic, new Uint8Array(payload));
    });
    client.on("error", (error) => {
      giveUp.cancel();
      this.#lost(client, error.message);
    });
    client.on("close", () => {
      giveUp.cancel();
      this.#lost(client, "connection closed");
    });
  }

  #subscribe(client: MqttClient, done: () => void): void {
    const { filters } = this.#options;
    const ready = (): void => {
      done();
      if (client !== this.#client) return;
      this.#isUp = true;
      this.#problem = "";
      this.#connections += 1;
      this.#waitMs = FIRST_WAIT_MS;
      this.#options.logger.info({ purpose: this.#options.purpose }, "re-publishing: connected");
      this.#options.up();
    };
    if (filters.length === 0) {
      ready();
      return;
    }
    client.subscribe([...filters], { qos: 1 }, (error, grants) => {
      const isRefused = error !== null || grants?.some(({ qos }) => qos > 2) === true;
      if (!isRefused) ready();
      else this.#lost(client, `${filters.join(", ")} may not be subscribed to`);
    });
  }

  #lost(client: MqttClient, reason: string): void {
    if (client !== this.#client) return;
    const { logger, purpose } = this.#options;
    // Told once per loss, not once per try.
    if (this.#isUp || this.#problem === "not connected yet") {
      logger.warn({ purpose, reason }, "re-publishing: the broker is not reached; tried again without end");
    }
    this.#leave(reason)?.end(true);
    this.#schedule();
  }

  /** @returns the client, now nobody's */
  #leave(reason: string): MqttClient | undefined {
    const client = this.#client;
    const wasUp = this.#isUp;
    this.#client = undefined;
    this.#isUp = false;
    this.#problem = reason;
    // Whatever it still says is heard by nobody, and must not end the process.
    client?.on("error", () => {});
    if (wasUp) this.#options.down();
    return client;
  }

  #schedule(): void {
    if (this.#isClosed) return;
    this.#retry?.cancel();
    this.#retry = this.#options.clock.setTimer(() => this.#connect(), this.#waitMs);
    this.#waitMs = Math.min(2 * this.#waitMs, LONGEST_WAIT_MS);
  }

  #end(client: MqttClient, goodbye: LastWill | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.setTimer(() => client.end(true, () => resolve()), GOODBYE_MS);
      const end = (): void => {
        client.end(!client.connected, () => {
          timer.cancel();
          resolve();
        });
      };
      if (goodbye === undefined || !client.connected) end();
      else client.publish(goodbye.topic, Buffer.from(goodbye.payload), { qos: 1, retain: false }, end);
    });
  }
}

function identity({ user, password, ca }: Exclude<BrokerReach, { stream: unknown }>): IClientOptions {
  return {
    ...(user !== undefined && { username: user }),
    ...(password !== undefined && { password }),
    ...(ca !== undefined && { ca }),
  };
}

function overStream(broker: Extract<BrokerReach, { stream: unknown }>, settings: IClientOptions): MqttClient {
  return new MqttClient(() => broker.stream(), settings);
}
