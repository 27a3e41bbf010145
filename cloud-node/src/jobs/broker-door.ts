import { randomBytes } from "node:crypto";
import { connectAsync, type MqttClient } from "mqtt";
import type { BrokerAddress } from "../broker-reach.ts";
import type { Timer } from "../clock.ts";
import { BrokerStream, goneMessage, isData, opensStream } from "./broker-stream.ts";
import type { ChannelDoor, ChannelStream, DoorSurroundings } from "./channel-reach.ts";
import { JobError, type JobErrorCode } from "./job-error.ts";

/**
 * Topics: ls/exchange/ROUTE/CONNECTION/u, towards place 0, and …/d, from it. ROUTE is 32 and CONNECTION 16 hexadecimal
 * digits, drawn for each shared job and for each connection.
 */
const PREFIX = "ls/exchange";
const SCHEME = "mqtt-route:";
/** As many as nobody guesses. */
const ROUTE_BYTES = 16;
/** As many as do not meet by chance on one route. */
const CONNECTION_BYTES = 8;
/** To connect and to subscribe, together. */
const OPEN_MS = 10_000;
/** Seconds; signs of life of the channel go more often. */
const KEEP_ALIVE_S = 30;
/** Until a lost broker is tried again; doubled each time, up to the other. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
/** Of MQTT with QoS 1: kind, length of up to three bytes, the topic's length, the packet's id, and the answer to it. */
const PACKET_BYTES = 1 + 3 + 2 + 2 + 4;

/** Whether an address of a place is one by a broker. */
export function isBrokerRoute(address: string): boolean {
  return address.startsWith(SCHEME);
}

/** Where place 0 takes connections by a broker; one that goes is looked for again, and those that were here come anew. */
export class BrokerDoor implements ChannelDoor {
  readonly address: string;
  readonly #broker: BrokerAddress;
  readonly #around: DoorSurroundings;
  readonly #take: (stream: ChannelStream) => void;
  readonly #filter: string;
  readonly #streams = new Map<string, BrokerStream>();
  #client: MqttClient | undefined;
  #retry: Timer | undefined;
  #isClosed = false;

  /** @throws {JobError} `failed` when the broker is not reached, or refuses */
  static async open(
    broker: BrokerAddress,
    around: DoorSurroundings,
    take: (stream: ChannelStream) => void,
  ): Promise<BrokerDoor> {
    const door = new BrokerDoor(broker, around, take);
    door.#begin(await subscribed(broker, "failed", door.#filter));
    return door;
  }

  private constructor(broker: BrokerAddress, around: DoorSurroundings, take: (stream: ChannelStream) => void) {
    const route = randomBytes(ROUTE_BYTES).toString("hex");
    this.address = `${SCHEME}${route}`;
    this.#filter = `${PREFIX}/${route}/+/u`;
    this.#broker = broker;
    this.#around = around;
    this.#take = take;
  }

  close(): void {
    this.#isClosed = true;
    this.#retry?.cancel();
    this.#leaveOnceEmpty();
  }

  #begin(client: MqttClient): void {
    this.#client = client;
    client.on("message", (topic, message) => this.#hear(client, topic, message));
    client.once("close", () => this.#lost());
    // It went while it was not listened to.
    if (!client.connected) this.#lost();
    else if (this.#isClosed) this.#leaveOnceEmpty();
  }

  #hear(client: MqttClient, topic: string, message: Buffer): void {
    const connection = topic.split("/").at(-2) ?? "";
    const known = this.#streams.get(connection);
    if (known !== undefined) {
      known.receive(message);
      return;
    }
    const answers = topic.replace(/u$/, "d");
    if (this.#isClosed || !opensStream(message)) {
      if (isData(message)) publish(client, answers, goneMessage());
      return;
    }
    const stream = streamOver(client, answers);
    this.#streams.set(connection, stream);
    stream.once("close", () => {
      this.#streams.delete(connection);
      this.#leaveOnceEmpty();
    });
    this.#take(stream);
    stream.receive(message);
  }

  /** What was said while the broker is away is lost: nobody goes on where he was. */
  #lost(): void {
    if (this.#client === undefined) return;
    this.#client = undefined;
    for (const stream of this.#streams.values()) stream.destroy(brokerLost());
    if (this.#isClosed) return;
    this.#around.logger.warn(
      { broker: this.#broker.url },
      "the broker of a shared job's channel is lost: it is looked for",
    );
    this.#lookAgain(FIRST_PAUSE_MS);
  }

  #lookAgain(pauseMs: number): void {
    const { clock, logger } = this.#around;
    this.#retry = clock.setTimer(async () => {
      try {
        this.#begin(await subscribed(this.#broker, "failed", this.#filter));
        logger.info({ broker: this.#broker.url }, "the broker of a shared job's channel is there again");
      } catch (error) {
        if (this.#isClosed) return;
        logger.warn({ error: String(error) }, "the broker of a shared job's channel is not there yet");
        this.#lookAgain(Math.min(2 * pauseMs, LONGEST_PAUSE_MS));
      }
    }, pauseMs);
  }

  #leaveOnceEmpty(): void {
    if (!this.#isClosed || this.#streams.size > 0) return;
    leave(this.#client);
    this.#client = undefined;
  }
}

/** Connect by a broker. @param address  of a {@link BrokerDoor}. @throws {JobError} `peer-left` when the broker is not reached */
export async function connectByBroker(broker: BrokerAddress, address: string): Promise<ChannelStream> {
  const connection = randomBytes(CONNECTION_BYTES).toString("hex");
  const topic = `${PREFIX}/${address.slice(SCHEME.length)}/${connection}`;
  const client = await subscribed(broker, "peer-left", `${topic}/d`);
  const stream = streamOver(client, `${topic}/u`);
  client.on("message", (_topic, message) => stream.receive(message));
  client.once("close", () => stream.destroy(brokerLost()));
  stream.once("close", () => leave(client));
  return stream;
}

function streamOver(client: MqttClient, topic: string): BrokerStream {
  return new BrokerStream((message) => publish(client, topic, message), PACKET_BYTES + topic.length);
}

function publish(client: MqttClient, topic: string, message: Buffer): void {
  // What does not get out is missed at the other end.
  if (client.connected) client.publish(topic, message, { qos: 1 }, () => undefined);
}

/** Once what was said has reached the broker. */
function leave(client: MqttClient | undefined): void {
  client?.end(!client.connected);
}

function brokerLost(): JobError {
  return new JobError("peer-left", "the broker of a shared job's channel is lost", "nothing: it is looked for again");
}

/** A client whose subscription stands. It is not connected anew when it loses its broker: nothing of it would go on. */
async function subscribed(broker: BrokerAddress, code: JobErrorCode, filter: string): Promise<MqttClient> {
  const { url, user, password, ca } = broker;
  const limit = AbortSignal.timeout(OPEN_MS);
  let client: MqttClient | undefined;
  let cause: unknown;
  try {
    client = await connectAsync(
      url,
      {
        ...{ protocolVersion: 4, clean: true, keepalive: KEEP_ALIVE_S, connectTimeout: OPEN_MS, reconnectPeriod: 0 },
        ...{ timerVariant: "native", queueQoSZero: false, resubscribe: false },
        ...(user !== undefined && { username: user }),
        ...(password !== undefined && { password }),
        ...(ca !== undefined && { ca }),
      },
      false,
    );
    client.on("error", () => undefined);
    const [grant] = await within(limit, client, client.subscribeAsync(filter, { qos: 1 }));
    if (grant?.qos === 1) return client;
  } catch (error) {
    cause = error;
  }
  client?.end(true);
  // MQTT.js has the answer of a broker that refuses a subscription in its error.
  if (cause === undefined || (cause instanceof Error && "packet" in cause)) {
    const remedy = `let the workers subscribe to and publish ${PREFIX}/# there, with QoS 1`;
    throw new JobError(code, `the broker at ${url} refuses the channel of a shared job`, remedy, { cause });
  }
  const problem = `the broker of a shared job's channel is not reached at ${url} (${String(cause)})`;
  throw new JobError(code, problem, "give --channel-broker one that all workers reach, and may use", { cause });
}

/** A result, unless the time is up or the connection ends first. */
function within<Value>(limit: AbortSignal, client: MqttClient, result: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const late = () => reject(limit.reason);
    const closed = () => reject(brokerLost());
    limit.addEventListener("abort", late, { once: true });
    client.once("close", closed);
    result.then(resolve, reject).finally(() => {
      limit.removeEventListener("abort", late);
      client.removeListener("close", closed);
    });
  });
}
