import { createServer, type Server, type Socket } from "node:net";
import { parseTopic } from "@lockstep/protocol";
import { Aedes, type Client } from "aedes";
import { ConnectionMeter } from "../reconstructor/connection-meter.ts";
import type { TrafficMeter } from "../reconstructor/traffic-meter.ts";
import { listening, portOf } from "../server-port.ts";
import { InProcessClient } from "./in-process-client.ts";
import { MeteredStream } from "./metered-stream.ts";

export interface EmbeddedBrokerOptions {
  /** 0 takes a free one. */
  readonly port: number;
  readonly host: string | undefined;
  /** The meter of a device, as soon as it is known. */
  trafficOf(device: string): TrafficMeter | undefined;
}

/** A client that takes nothing for so long is dropped: one frozen reader would hold up all others. */
const DRAIN_LIMIT_MS = 10_000;
/** Group and device names have 64 characters each. */
const MAX_CLIENT_ID = 160;
/** Messages that one client's slow reading may hold up; a node's short pause must not cut its devices' frames. */
const QUEUE_LIMIT = 10_000;
/** Well within the keep-alive of any device: the broker cuts those of which it reads nothing. */
const LONGEST_HOLD_MS = 10_000;

/**
 * An MQTT 3.1.1 broker in this process. Devices reach it over TCP; the node itself by calls.
 */
export class EmbeddedBroker {
  readonly #options: EmbeddedBrokerOptions;
  readonly #aedes: Aedes;
  readonly #server: Server;
  readonly #sockets = new Map<Socket, MeteredStream>();
  readonly longestHoldMs = LONGEST_HOLD_MS;
  #isHeld = false;
  readonly #meters = new WeakMap<object, ConnectionMeter>();

  private constructor(options: EmbeddedBrokerOptions, aedes: Aedes) {
    this.#options = options;
    this.#aedes = aedes;
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    aedes.on("publish", ({ topic }, client) => {
      if (client !== null) this.#attribute(topic, client);
    });
  }

  /** @throws {PortError} `port-taken`, `cannot-listen` */
  static async open(options: EmbeddedBrokerOptions): Promise<EmbeddedBroker> {
    const aedes = await Aedes.createBroker({
      drainTimeout: DRAIN_LIMIT_MS,
      maxClientsIdLength: MAX_CLIENT_ID,
      queueLimit: QUEUE_LIMIT,
    });
    const broker = new EmbeddedBroker(options, aedes);
    try {
      await listening(broker.#server, options.port, options.host);
    } catch (error) {
      // Its timers would keep the process.
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      throw error;
    }
    return broker;
  }

  get port(): number {
    return portOf(this.#server);
  }

  /** The node's own way to it. */
  client(): InProcessClient {
    return new InProcessClient(this.#aedes);
  }

  /** Read from no device for now; what they send waits with them. */
  pause(): void {
    this.#isHeld = true;
    for (const stream of this.#sockets.values()) stream.hold();
  }

  resume(): void {
    this.#isHeld = false;
    for (const stream of this.#sockets.values()) stream.letGo();
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await new Promise<void>((resolve) => this.#aedes.close(() => resolve()));
    for (const socket of this.#sockets.keys()) socket.destroy();
    await closed;
  }

  #accept(socket: Socket): void {
    const meter = new ConnectionMeter();
    const stream = new MeteredStream(socket, meter);
    this.#sockets.set(socket, stream);
    if (this.#isHeld) stream.hold();
    socket.on("close", () => this.#sockets.delete(socket));
    this.#meters.set(this.#aedes.handle(stream), meter);
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
