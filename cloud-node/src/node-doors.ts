import { randomUUID } from "node:crypto";
import { publicUrl } from "./access/broker-login.ts";
import type { DeviceBook } from "./access/device-book.ts";
import { refuseOpenDoor } from "./access/open-door.ts";
import type { SpeakerGate } from "./access/speaker-gate.ts";
import { checkBroker } from "./broker/acceptance.ts";
import { EmbeddedBroker } from "./broker/embedded-broker.ts";
import type { BrokerReach } from "./broker-reach.ts";
import type { Timer } from "./clock.ts";
import type { Counters } from "./counters.ts";
import type { Holdable } from "./ingest/back-pressure.ts";
import type { FrameIntake, FrameSource } from "./ingest/frame-intake.ts";
import { MqttLink } from "./ingest/mqtt-link.ts";
import { type SerialEnd, SerialListener } from "./ingest/serial-listener.ts";
import { TcpListener } from "./ingest/tcp-listener.ts";
import type { CloudNodeOptions } from "./node-options.ts";
import type { TwinRegistry } from "./reconstructor/twin-registry.ts";

export const DEFAULT_GROUP = "lockstep";
/** Nothing listens beyond this machine unless it is told to. */
const DEFAULT_HOST = "127.0.0.1";
/** How soon a device that was added or revoked is, while nobody logs in. */
const BOOK_LOOK_MS = 500;

/** What stands behind the doors of a node. */
export interface NodeDoorsParts {
  readonly options: CloudNodeOptions;
  readonly intake: FrameIntake;
  readonly registry: TwinRegistry;
  readonly counters: Counters;
  readonly book: DeviceBook;
  readonly gate: SpeakerGate;
}

/** Every way by which devices reach a node: its broker or another one, TCP, serial lines. */
export class NodeDoors {
  readonly #parts: NodeDoorsParts;
  readonly #lines = new Set<SerialListener>();
  #broker: EmbeddedBroker | undefined;
  #mqtt: MqttLink | undefined;
  #tcp: TcpListener | undefined;
  #look: Timer | undefined;
  #leaveBook: (() => void) | undefined;

  constructor(parts: NodeDoorsParts) {
    this.#parts = parts;
  }

  /** Where devices reach the broker, without a password; null without one. */
  get mqttUrl(): string | null {
    const { broker, tls } = this.#parts.options;
    if (broker === null) return null;
    if (broker.kind === "external") return publicUrl(broker.url);
    const host = broker.host ?? DEFAULT_HOST;
    const port = this.#broker?.port ?? broker.port;
    return `${tls === undefined ? "mqtt" : "mqtts"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
  }

  /**
   * How another client of this process reaches the broker. Null without one, and where the node logs in at it: brokers
   * may know clients by their users, and then each connection of one user throws the other off.
   */
  get brokerReach(): BrokerReach | null {
    const { broker } = this.#parts.options;
    const embedded = this.#broker;
    if (embedded !== undefined) return { stream: () => embedded.connect() };
    if (broker?.kind !== "external") return null;
    const { url, login, ca } = broker;
    return login === undefined ? { url: publicUrl(url), ca: ca?.toString("utf8") } : null;
  }

  get tcpPort(): number | null {
    return this.#tcp?.port ?? null;
  }

  /** Whether the broker is reached now, where there is one. */
  get isBrokerReached(): boolean {
    return this.#parts.options.broker === null || this.#mqtt?.isConnected === true;
  }

  /**
   * Listen.
   *
   * @throws {AccessError} `open-door`
   * @throws {PortError} when a port cannot be listened on
   * @throws {BrokerError} when a foreign broker cannot carry the frames
   */
  async open(): Promise<void> {
    const { options, intake, registry, counters, book, gate } = this.#parts;
    const { broker, tcpPort, tcpHost, storeFile, group = DEFAULT_GROUP, tls, connections: limits } = options;
    const { clock, logger } = options;
    this.#checkHosts(storeFile);
    this.#watchBook();
    const server = { tls, limits, clock, counters };
    if (tcpPort !== undefined && tcpPort !== null) {
      this.#tcp = await TcpListener.open({
        ...server,
        port: tcpPort,
        host: tcpHost ?? DEFAULT_HOST,
        intake,
        registry,
        // Each frame has its own MAC to show; a connection ends with the right of its device to speak at all.
        maySpeak: ({ device }) => device === undefined || gate.admits(device, true),
        gone: (source) => this.gone(source),
      });
    }
    if (broker === null) return;
    const clientId = `ls-node-${randomUUID()}`;
    const common = { clientId, group, intake, registry, counters, logger };
    if (broker.kind === "external") {
      await checkBroker({ ...broker, group, probe: clientId, clock });
      // Its access rules are written for devices, whose short topics are not known when they are.
      this.#mqtt = new MqttLink({ broker, grantsAliases: () => book.isOpen, ...common });
    } else {
      const embedded = await EmbeddedBroker.open({
        ...server,
        port: broker.port,
        host: broker.host ?? DEFAULT_HOST,
        group,
        speakers: book,
        trafficOf: (device) => registry.get(device)?.traffic,
        aliasOf: (device) => registry.aliasOf(device),
      });
      this.#broker = embedded;
      this.#mqtt = new MqttLink({ broker: { client: () => embedded.client() }, grantsAliases: () => true, ...common });
    }
    await this.#mqtt.ready();
  }

  /** Those that are open now. */
  all(): Holdable[] {
    return [this.#broker, this.#mqtt, this.#tcp, ...this.#lines].filter((door) => door !== undefined);
  }

  /** Listen on a serial line. @returns ends it, once what was sent has left */
  attachLine(path: string, end: SerialEnd): () => Promise<void> {
    const { intake, counters, options, book, gate } = this.#parts;
    const gone = (source: FrameSource) => this.gone(source);
    const maySpeak = (device: string) => gate.admits(device, book.macKeyOf(device) !== undefined);
    const line = new SerialListener({ path, end, intake, counters, logger: options.logger, maySpeak, gone });
    this.#lines.add(line);
    return async () => {
      this.#lines.delete(line);
      await line.close();
    };
  }

  /** A connection has ended. */
  gone(source: FrameSource): void {
    this.#parts.intake.gone(source);
    if (source.device !== undefined) this.#parts.registry.get(source.device)?.disconnected(source.link);
  }

  async close(): Promise<void> {
    this.#look?.cancel();
    this.#leaveBook?.();
    await Promise.all([...this.#lines].map((line) => line.close()));
    await this.#tcp?.close();
    await this.#mqtt?.close();
    await this.#broker?.close();
  }

  /** While everybody may speak, nobody but this machine hears of it. */
  #checkHosts(storeFile: string): void {
    const { options, book } = this.#parts;
    if (!book.isOpen) return;
    const { broker, tcpPort, tcpHost = DEFAULT_HOST } = options;
    if (tcpPort !== undefined && tcpPort !== null) refuseOpenDoor("a TCP port for devices", tcpHost, storeFile);
    if (broker?.kind === "embedded") refuseOpenDoor("the broker", broker.host ?? DEFAULT_HOST, storeFile);
  }

  #watchBook(): void {
    const { book, options, intake } = this.#parts;
    this.#leaveBook = book.onChange(() => {
      intake.review();
      this.#broker?.endUnadmitted();
      this.#tcp?.endUnadmitted();
      for (const line of this.#lines) line.endUnadmitted();
    });
    const look = () => {
      book.refresh();
      this.#look = options.clock.setTimer(look, BOOK_LOOK_MS);
    };
    this.#look = options.clock.setTimer(look, BOOK_LOOK_MS);
  }
}
