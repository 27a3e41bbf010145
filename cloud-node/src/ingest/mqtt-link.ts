import { ALIAS_FILTER, formatTopic, parseTopic, topicFilter } from "@lockstep/protocol";
import { connect, type IClientOptions, type ISubscriptionMap } from "mqtt";
import { type BrokerLogin, brokerSettings } from "../access/broker-login.ts";
import type { Counters } from "../counters.ts";
import type { Logger } from "../logger.ts";
import type { TwinRegistry } from "../reconstructor/twin-registry.ts";
import { type FrameIntake, type FrameSource, frameSource } from "./frame-intake.ts";

/** A broker somewhere else, and how it is reached. */
export interface ForeignBroker {
  readonly url: string;
  readonly login?: BrokerLogin | undefined;
  /** PEM: whom its certificate must come from; nothing: the authorities that Node knows. */
  readonly ca?: Buffer | undefined;
}

/** What the link needs of a client: one of the package mqtt, or that of a broker in this process. */
export interface LinkClient {
  readonly connected: boolean;
  /** Called after each message of a client over a network; the next one comes once `done` was. */
  handleMessage?(packet: object, done: () => void): void;
  on(event: "connect" | "close", listener: () => void): unknown;
  on(event: "message", listener: (topic: string, payload: Buffer, packet: { retain: boolean }) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  subscribe(filters: ISubscriptionMap, done: (error: Error | null) => void): unknown;
  publish(topic: string, payload: Buffer, options: { readonly qos: 0 }): unknown;
  endAsync(isForced: boolean): Promise<unknown>;
}

export interface MqttLinkOptions {
  /** A broker's address, or a client of one in this process. */
  readonly broker: ForeignBroker | { client(): LinkClient };
  /** Whether devices are granted short topics, which a foreign broker's access rules do not know. */
  grantsAliases(): boolean;
  readonly clientId: string;
  readonly group: string;
  readonly intake: FrameIntake;
  readonly registry: TwinRegistry;
  readonly counters: Counters;
  readonly logger: Logger;
}

const KEEP_ALIVE_S = 30;
const CONNECT_LIMIT_MS = 10_000;
const RECONNECT_MS = 500;
/** Devices whose topics are remembered; a topic's name is anybody's to choose. */
const MAX_SOURCES = 100_000;
/** Within the keep-alive, whose answers wait behind what is not read. */
const LONGEST_HOLD_MS = 10_000;

/**
 * The node as a client of an MQTT 3.1.1 broker. It subscribes anew on every connection, so that the births which the
 * broker kept come in, and each of their devices is welcomed again and sends what is not confirmed.
 */
export class MqttLink {
  readonly #options: MqttLinkOptions;
  readonly #client: LinkClient;
  readonly #sources = new Map<string, FrameSource>();
  readonly #subscriptions: ISubscriptionMap;
  readonly #jobs: ISubscriptionMap;
  readonly #ready: Promise<void>;
  readonly longestHoldMs = LONGEST_HOLD_MS;
  #isHeld = false;
  /** Let the client read on. */
  #held: (() => void)[] = [];

  /** @throws {FrameError} `out-of-range` when the group is no name */
  constructor(options: MqttLinkOptions) {
    this.#options = options;
    const { broker, clientId, group } = options;
    this.#subscriptions = {
      [topicFilter("birth", group)]: { qos: 1 },
      [topicFilter("presence", group)]: { qos: 1 },
      [topicFilter("frames", group)]: { qos: 0 },
      [ALIAS_FILTER]: { qos: 0 },
    };
    this.#jobs = { [topicFilter("jobs", group)]: { qos: 0 } };
    const settings: IClientOptions = {
      protocolId: "MQTT",
      protocolVersion: 4,
      clean: true,
      clientId,
      keepalive: KEEP_ALIVE_S,
      connectTimeout: CONNECT_LIMIT_MS,
      reconnectPeriod: RECONNECT_MS,
      resubscribe: false,
      queueQoSZero: false,
      timerVariant: "native",
    };
    this.#client = "url" in broker ? connect(broker.url, { ...settings, ...brokerSettings(broker) }) : broker.client();
    this.#ready = new Promise((resolve) => {
      this.#client.on("connect", () => this.#subscribe(resolve));
    });
    this.#client.on("message", (topic, payload, { retain }) => this.#receive(topic, payload, retain));
    // One in this process holds its devices itself, and has one queue for both ways: the node's own words would wait in it.
    if ("url" in broker) {
      this.#client.handleMessage = (_packet, done) => {
        if (this.#isHeld) this.#held.push(() => done());
        else done();
      };
    }
    this.#client.on("error", (error) => options.logger.warn({ detail: error.message }, "MQTT connection failed"));
    this.#client.on("close", () => options.counters.add("mqtt.disconnected"));
  }

  /** Resolves when the subscriptions stand for the first time. */
  ready(): Promise<void> {
    return this.#ready;
  }

  /** Whether the broker is reached now; a lost one is tried again without end. */
  get isConnected(): boolean {
    return this.#client.connected;
  }

  /** Read no more from a foreign broker for now; what it has for the node waits there, or is asked for again. */
  pause(): void {
    this.#isHeld = true;
  }

  resume(): void {
    this.#isHeld = false;
    const held = this.#held;
    this.#held = [];
    for (const goOn of held) goOn();
  }

  async close(): Promise<void> {
    this.resume();
    await this.#client.endAsync(!this.#client.connected);
  }

  #subscribe(done: () => void): void {
    const { logger } = this.#options;
    this.#client.subscribe(this.#subscriptions, (error) => {
      if (error) logger.error({ detail: error.message }, "MQTT subscriptions refused");
      else this.#subscribeJobs(done);
    });
  }

  /** A broker whose rules were made before there were jobs carries everything else. */
  #subscribeJobs(done: () => void): void {
    this.#client.subscribe(this.#jobs, (error) => {
      const remedy = "its access rules are of an earlier release: lockstep devices mosquitto writes them anew";
      if (error) this.#options.logger.warn({ detail: error.message }, `no jobs over this broker, ${remedy}`);
      done();
    });
  }

  #receive(topic: string, payload: Buffer, isRetained: boolean): void {
    // An empty retained message only takes another one back.
    if (payload.length === 0) return;
    const { intake, counters, group } = this.#options;
    const parsed = parseTopic(topic);
    const isOurs = parsed !== undefined && (parsed.kind === "alias" || parsed.group === group);
    const device = !isOurs ? undefined : parsed.kind === "alias" ? this.#ofAlias(parsed.alias) : parsed.device;
    if (device === undefined) {
      counters.add("refused.unknown-topic");
      return;
    }
    intake.receive(new Uint8Array(payload), this.#source(device), !isRetained);
  }

  /** Whose short topic it is: as it was granted, and in no other spelling, for which no access rule was made. */
  #ofAlias(alias: string): string | undefined {
    const { registry, grantsAliases } = this.#options;
    const device = grantsAliases() ? registry.byAlias(alias)?.id : undefined;
    return device !== undefined && registry.aliasOf(device) === alias ? device : undefined;
  }

  #source(device: string): FrameSource {
    const known = this.#sources.get(device);
    if (known !== undefined) return known;
    const { group, grantsAliases, intake } = this.#options;
    const topic = formatTopic({ group, device, level: "control" });
    const source = frameSource(
      {
        transport: "mqtt",
        send: (frame) => {
          if (!this.#client.connected) return;
          const said = frame.kind === "welcome" && !grantsAliases() ? { ...frame, alias: "" } : frame;
          this.#client.publish(topic, Buffer.from(intake.encode(said, { device })), { qos: 0 });
        },
      },
      // The broker let nobody else publish there.
      { device, isKnown: true },
    );
    if (this.#sources.size >= MAX_SOURCES) this.#sources.clear();
    this.#sources.set(device, source);
    return source;
  }
}
