import { type Duplex, duplexPair } from "node:stream";
import { MAX_FRAME_BYTES, parseTopic } from "@lockstep/protocol";
import { Aedes, type Client } from "aedes";
import type { ConnectionLimits } from "../access/connection-limits.ts";
import type { KnownDevices } from "../access/device-book.ts";
import { type DeviceConnection, DeviceServer } from "../access/device-server.ts";
import type { TlsFiles } from "../access/tls-files.ts";
import type { Clock } from "../clock.ts";
import type { Counters } from "../counters.ts";
import { ConnectionMeter } from "../reconstructor/connection-meter.ts";
import type { TrafficMeter } from "../reconstructor/traffic-meter.ts";
import { BrokerAccess } from "./broker-access.ts";
import { InProcessClient } from "./in-process-client.ts";
import { MeteredStream } from "./metered-stream.ts";
import { PacketLimit } from "./packet-limit.ts";

export interface EmbeddedBrokerOptions {
  /** 0 takes a free one. */
  readonly port: number;
  readonly host: string;
  /** The devices' first topic level. */
  readonly group: string;
  readonly speakers: KnownDevices;
  /** Nothing: plain TCP. */
  readonly tls?: TlsFiles | undefined;
  readonly limits?: ConnectionLimits | undefined;
  readonly clock: Clock;
  readonly counters: Counters;
  /** The meter of a device, as soon as it is known. */
  trafficOf(device: string): TrafficMeter | undefined;
  /** The short topic's name that a device was granted. */
  aliasOf(device: string): string | undefined;
}

/** A client that takes nothing for so long is dropped: until then all that is said to it is kept. */
const DRAIN_LIMIT_MS = 10_000;
/**
 * Messages under way at once: no limit. At a limit all others would wait behind those to one frozen reader, and the
 * broker's queue of them calls itself for each that nobody hears: thousands in a row end the process.
 */
const CONCURRENCY = 0;
/** Group and device names have 64 characters each. */
const MAX_CLIENT_ID = 160;
/** Messages that one client's slow reading may hold up; a node's short pause must not cut its devices' frames. */
const QUEUE_LIMIT = 10_000;
/** The longest frame, with a topic and all that stands before it. */
const MAX_PACKET_BYTES = MAX_FRAME_BYTES + 1_024;
/** Well within the keep-alive of any device: the broker cuts those of which it reads nothing. */
const LONGEST_HOLD_MS = 10_000;

/**
 * An MQTT 3.1.1 broker in this process. Devices reach it over TCP or TLS; the node itself by calls, and whatever else of this
 * process speaks to it over an in-memory stream.
 */
export class EmbeddedBroker {
  readonly #options: EmbeddedBrokerOptions;
  readonly #aedes: Aedes;
  readonly #access: BrokerAccess;
  readonly #streams = new Set<MeteredStream>();
  readonly longestHoldMs = LONGEST_HOLD_MS;
  #isHeld = false;
  readonly #meters = new WeakMap<object, ConnectionMeter>();
  readonly #clients = new Map<Client, DeviceConnection>();
  #server: DeviceServer | undefined;

  private constructor(options: EmbeddedBrokerOptions, aedes: Aedes) {
    this.#options = options;
    this.#aedes = aedes;
    this.#access = new BrokerAccess(options);
    const access = this.#access;
    aedes.preConnect = (client, packet, done) => {
      access.connecting(client, packet);
      done(null, true);
    };
    aedes.authenticate = (client, user, password, done) => {
      const refusal = access.login(client, user, password);
      if (refusal === undefined) done(null, true);
      else done(refusal, false);
    };
    aedes.authorizePublish = (client, packet, done) => done(access.publish(client, packet) ?? null);
    aedes.authorizeSubscribe = (client, subscription, done) =>
      done(null, access.maySubscribe(client, subscription) ? subscription : null);
    aedes.on("clientReady", (client) => this.#clients.get(client)?.watch.settled());
    aedes.on("publish", ({ topic }, client) => {
      if (client !== null) this.#attribute(topic, client);
    });
  }

  /** @throws {PortError} `port-taken`, `cannot-listen` */
  static async open(options: EmbeddedBrokerOptions): Promise<EmbeddedBroker> {
    const aedes = await Aedes.createBroker({
      concurrency: CONCURRENCY,
      drainTimeout: DRAIN_LIMIT_MS,
      maxClientsIdLength: MAX_CLIENT_ID,
      queueLimit: QUEUE_LIMIT,
    });
    const broker = new EmbeddedBroker(options, aedes);
    try {
      broker.#server = await DeviceServer.open(options, (connection) => broker.#accept(connection));
    } catch (error) {
      // Its timers would keep the process.
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      throw error;
    }
    return broker;
  }

  get port(): number {
    return this.#server?.port ?? 0;
  }

  /** The node's own way to it. */
  client(): InProcessClient {
    return new InProcessClient(this.#aedes);
  }

  /** A connection from inside the process. */
  connect(): Duplex {
    const [inner, outer] = duplexPair();
    // As with a socket, neither end outlives the other.
    inner.on("close", () => outer.destroy());
    outer.on("close", () => inner.destroy());
    this.#access.trust(this.#aedes.handle(inner));
    return outer;
  }

  /** Read from no device for now; what they send waits with them. */
  pause(): void {
    this.#isHeld = true;
    for (const stream of this.#streams) stream.hold();
  }

  resume(): void {
    this.#isHeld = false;
    for (const stream of this.#streams) stream.letGo();
  }

  /** End the connections of all who may not speak any more. */
  endUnadmitted(): void {
    for (const [client, { socket }] of this.#clients) {
      if (this.#access.mayStay(client)) continue;
      this.#options.counters.add("connections.revoked");
      client.close();
      socket.destroy();
    }
  }

  async close(): Promise<void> {
    const closed = this.#server?.close();
    await new Promise<void>((resolve) => this.#aedes.close(() => resolve()));
    this.#server?.cut();
    await closed;
  }

  #accept(connection: DeviceConnection): void {
    const { socket, certificate, watch } = connection;
    const meter = new ConnectionMeter();
    const limit = new PacketLimit(MAX_PACKET_BYTES);
    const stream = new MeteredStream(socket, {
      up: (chunk) => {
        meter.up(chunk.length);
        const before = limit.packets;
        const isTaken = limit.push(chunk);
        if (isTaken) watch.progressed(limit.packets - before, limit.isWithin);
        else this.#options.counters.add("refused.mqtt-packet-too-large");
        return isTaken;
      },
      down: (bytes) => meter.down(bytes),
    });
    const client = this.#aedes.handle(stream);
    this.#access.expect(client, certificate);
    this.#clients.set(client, connection);
    this.#streams.add(stream);
    if (this.#isHeld) stream.hold();
    socket.on("close", () => {
      this.#clients.delete(client);
      this.#streams.delete(stream);
    });
    this.#meters.set(client, meter);
  }

  /** A connection is the device's whose topics it publishes to. */
  #attribute(topic: string, client: Client): void {
    const meter = this.#meters.get(client);
    if (meter === undefined || meter.isAttributed) return;
    const parsed = parseTopic(topic);
    const traffic = parsed?.kind === "device" ? this.#options.trafficOf(parsed.device) : undefined;
    if (traffic !== undefined) meter.attribute(traffic);
  }
}
