import { aliasTopic, formatTopic, mqttClientId, parseTopic } from "@lockstep/protocol";
import type { MqttClient } from "mqtt";
import { BackOff } from "../back-off.ts";
import type { Clock, Timer } from "../clock.ts";
import type { RandomSource } from "../random-source.ts";
import { checkMessage, type OutTopic, type Transport, TransportError, type TransportEvents } from "../transport.ts";
import { type TlsCredentials, tlsSettings } from "./link-security.ts";
import { Reachability, type ReachabilityListener } from "./reachability.ts";

/**
 * A ping is sent when the cloud has said nothing for so long; a broker takes a silent device for gone half as much later.
 * Longer than six frames of 10 s: a cloud that acknowledges every sixth speaks once in 60 s, and a ping due at that
 * moment goes out beside it.
 */
export const DEFAULT_MQTT_KEEP_ALIVE_SECONDS = 90;
const CONNECT_LIMIT_MS = 10_000;
/** How long a good-bye may take before the connection is dropped. */
const CLOSE_LIMIT_MS = 2_000;

export interface MqttTransportOptions extends ReachabilityListener {
  /** `mqtt://[USER:PASSWORD@]HOST[:PORT]`, or `mqtts://…` */
  readonly url: string;
  /** First level after `ls/v1`, `[A-Za-z0-9_-]`. */
  readonly group: string;
  readonly device: string;
  /** With the device's name as user: its secret, as `lockstep devices add` told it. */
  readonly password?: string | undefined;
  /** For `mqtts://`. */
  readonly tls?: TlsCredentials | undefined;
  /** 1 … 65,535 s, 90 unless given; less where a network forgets idle connections sooner. */
  readonly keepAliveSeconds?: number | undefined;
  readonly clock: Clock;
  readonly random: RandomSource;
}

/**
 * Messages over MQTT 3.1.1, as any broker speaks it: frames with QoS 0 and nothing kept by the client, because the
 * device's own ring outlives both; job frames likewise, which their program says again; births and presence retained with QoS 1; the presence with online 0 as last will.
 *
 * @throws {TransportError} `bad-url`, `half-identity`
 */
export function mqttTransport(options: MqttTransportOptions): Transport {
  return new MqttTransport(options);
}

class MqttTransport implements Transport {
  readonly #options: MqttTransportOptions;
  readonly #topics: Readonly<Record<OutTopic, string>>;
  readonly #tls: ReturnType<typeof tlsSettings> | undefined;
  readonly #backOff: BackOff;
  readonly #reachability: Reachability;
  #framesTopic: string;
  #events: TransportEvents | undefined;
  #client: MqttClient | undefined;
  #isUp = false;
  /** The socket's buffer is full: the last frame was taken, the next one waits until it has left. */
  #isFull = false;
  #wasRefused = false;
  /** Something was sent since the last ping was put off. */
  #hasSpoken = false;
  #isClosed = false;
  #retry: Timer | undefined;

  constructor(options: MqttTransportOptions) {
    const { url, group, device } = options;
    if (!/^mqtts?:$/.test(URL.canParse(url) ? new URL(url).protocol : "") || new URL(url).hostname === "") {
      throw new TransportError("bad-url", { url, expected: "mqtt://HOST:PORT or mqtts://HOST:PORT" });
    }
    this.#options = options;
    this.#topics = {
      birth: formatTopic({ group, device, level: "birth" }),
      frames: formatTopic({ group, device, level: "frames" }),
      presence: formatTopic({ group, device, level: "presence" }),
      jobs: formatTopic({ group, device, level: "jobs" }),
    };
    this.#framesTopic = this.#topics.frames;
    this.#tls = new URL(url).protocol === "mqtts:" ? tlsSettings(options.tls ?? {}) : undefined;
    this.#backOff = new BackOff(options.random);
    this.#reachability = new Reachability(url, options);
  }

  async open(events: TransportEvents, will: Uint8Array): Promise<void> {
    if (this.#events !== undefined || this.#isClosed) throw new TransportError("already-open", {});
    this.#events = events;
    const lastWill = will.slice();
    // A hundred files, which only whoever speaks MQTT waits for.
    const { connect } = await import("mqtt");
    if (!this.#isClosed) this.#connect(connect, events, lastWill);
  }

  send(topic: OutTopic, bytes: Uint8Array): boolean {
    checkMessage(bytes);
    const client = this.#client;
    if (client === undefined || !this.#isUp) return false;
    if (this.#isFull) {
      this.#wasRefused = true;
      return false;
    }
    this.#hasSpoken = true;
    const payload = Buffer.from(bytes);
    if (topic === "frames" || topic === "jobs") {
      let hasLeft = false;
      client.publish(topic === "frames" ? this.#framesTopic : this.#topics.jobs, payload, { qos: 0 }, () => {
        hasLeft = true;
        this.#left(client);
      });
      this.#isFull = !hasLeft;
    } else {
      client.publish(this.#topics[topic], payload, { qos: 1, retain: true });
    }
    return true;
  }

  useAlias(alias: string): void {
    // What a broker would not take as one level of a topic is no alias; the long topic always works.
    this.#framesTopic = parseTopic(`l/${alias}`) === undefined ? this.#topics.frames : aliasTopic(alias);
  }

  async close(): Promise<void> {
    const client = this.#stop();
    if (client === undefined) return;
    const limit = this.#options.clock.setTimer(() => client.end(true), CLOSE_LIMIT_MS);
    await client.endAsync(!this.#isUp);
    limit.cancel();
  }

  async destroy(): Promise<void> {
    const client = this.#stop();
    if (client === undefined) return;
    client.stream.destroy();
    await client.endAsync(true);
  }

  #connect(connect: typeof import("mqtt").connect, events: TransportEvents, will: Uint8Array): void {
    const { url, group, device, password, keepAliveSeconds = DEFAULT_MQTT_KEEP_ALIVE_SECONDS } = this.#options;
    const downTopic = formatTopic({ group, device, level: "control" });
    // One client per connection: nothing that was on its way in an earlier one is ever sent again behind our back.
    const client = connect(url, {
      protocolId: "MQTT",
      protocolVersion: 4,
      clean: true,
      clientId: mqttClientId(group, device),
      ...(password === undefined ? {} : { username: device, password }),
      ...this.#tls,
      keepalive: keepAliveSeconds,
      connectTimeout: CONNECT_LIMIT_MS,
      reconnectPeriod: 0,
      resubscribe: false,
      queueQoSZero: false,
      timerVariant: "native",
      will: { topic: this.#topics.presence, payload: Buffer.from(will), qos: 1, retain: true },
    });
    this.#client = client;
    // The client leaves Nagle's algorithm on, which holds a small frame back until the one before is acknowledged.
    if ("setNoDelay" in client.stream && typeof client.stream.setNoDelay === "function") client.stream.setNoDelay(true);
    let reason: Error | string = "closed by the broker";
    client.on("connect", () => {
      client.subscribe(downTopic, { qos: 1 }, (error, grants) => {
        if (this.#isClosed || this.#client !== client) return;
        if (error || grants?.[0]?.qos === 128) {
          reason = error ?? `the broker refuses a subscription to ${downTopic}`;
          client.end(true);
          return;
        }
        this.#isUp = true;
        this.#backOff.reset();
        this.#reachability.heard();
        events.connected();
      });
    });
    client.on("message", (_topic, payload) => {
      if (this.#client !== client) return;
      this.#putPingOff(client);
      if (this.#isUp && payload.length > 0) events.message(new Uint8Array(payload));
    });
    client.on("error", (error) => {
      reason = error;
    });
    client.on("close", () => {
      if (this.#isClosed || this.#client !== client) return;
      client.end(true);
      this.#client = undefined;
      this.#isFull = false;
      this.#wasRefused = false;
      // An alias holds for one connection: the cloud grants it anew with its welcome.
      this.#framesTopic = this.#topics.frames;
      this.#retry = this.#options.clock.setTimer(() => this.#connect(connect, events, will), this.#backOff.next());
      this.#reachability.lost(reason);
      if (!this.#isUp) return;
      this.#isUp = false;
      events.disconnected(reason instanceof Error ? reason.message : reason);
    });
  }

  /**
   * The client pings however much was published with QoS 0. An answer to what was sent proves as much as a ping: that the
   * connection works both ways, and to the broker that the device is there.
   */
  #putPingOff(client: MqttClient): void {
    if (!this.#hasSpoken) return;
    this.#hasSpoken = false;
    client.reschedulePing();
  }

  #left(client: MqttClient): void {
    if (this.#client !== client || !this.#isFull) return;
    this.#isFull = false;
    if (!this.#wasRefused || this.#isClosed) return;
    this.#wasRefused = false;
    this.#events?.drained();
  }

  #stop(): MqttClient | undefined {
    this.#isClosed = true;
    this.#retry?.cancel();
    const client = this.#client;
    this.#client = undefined;
    return client;
  }
}
