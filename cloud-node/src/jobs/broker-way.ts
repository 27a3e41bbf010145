import { randomBytes } from "node:crypto";
import { connectAsync, type MqttClient } from "mqtt";
import type { BrokerAddress } from "../broker-reach.ts";
import { BrokerStream, goneMessage, isData, opensStream } from "./broker-stream.ts";
import type { ChannelDoor, ChannelStream, ChannelWay } from "./channel-way.ts";
import { JobError, type JobErrorCode } from "./job-error.ts";

/**
 * Topics: ls/exchange/ROUTE/CONNECTION/u, towards place 0, and …/d, from it. ROUTE is 32 and CONNECTION 16 hexadecimal
 * digits, drawn for each shared job and for each connection.
 */
const PREFIX = "ls/exchange";
const SCHEME = "mqtt-route:";
const ROUTE_BYTES = 16;
const CONNECTION_BYTES = 8;
const CONNECT_MS = 10_000;
const KEEP_ALIVE_S = 30;
/** Of MQTT with QoS 1: type and length, the topic's length, the packet's id, and the answer to it. */
const PACKET_BYTES = 4 + 2 + 2 + 4;

/** Whether an address of a place is one by a broker. */
export function isBrokerRoute(address: string): boolean {
  return address.startsWith(SCHEME);
}

/** Streams over a broker, for workers that can all reach one and not each other. */
export function brokerWay(broker: BrokerAddress): ChannelWay {
  return { listen: (take) => listen(broker, take), connect: (address) => reach(broker, address) };
}

async function listen(broker: BrokerAddress, take: (stream: ChannelStream) => void): Promise<ChannelDoor> {
  const route = randomBytes(ROUTE_BYTES).toString("hex");
  const filter = `${PREFIX}/${route}/+/u`;
  const client = await connected(broker, "failed", filter);
  const streams = new Map<string, BrokerStream>();
  let isClosed = false;
  const endOnceEmpty = () => {
    if (isClosed && streams.size === 0) client.end(!client.connected);
  };
  client.on("message", (topic, message) => {
    const connection = topic.split("/").at(-2) ?? "";
    const known = streams.get(connection);
    if (known !== undefined) {
      known.receive(message);
      return;
    }
    const answers = topic.replace(/u$/, "d");
    if (isClosed || !opensStream(message)) {
      if (isData(message)) publish(client, answers, goneMessage());
      return;
    }
    const stream = streamOver(client, answers);
    streams.set(connection, stream);
    stream.once("close", () => {
      streams.delete(connection);
      endOnceEmpty();
    });
    take(stream);
    stream.receive(message);
  });
  // What was said while the broker was away is lost: whoever was here comes again.
  client.on("close", () => {
    for (const stream of streams.values()) stream.destroy();
  });
  return {
    address: `${SCHEME}${route}`,
    close: () => {
      isClosed = true;
      endOnceEmpty();
    },
  };
}

async function reach(broker: BrokerAddress, address: string): Promise<ChannelStream> {
  const connection = randomBytes(CONNECTION_BYTES).toString("hex");
  const topic = `${PREFIX}/${address.slice(SCHEME.length)}/${connection}`;
  const client = await connected(broker, "peer-left", `${topic}/d`);
  const stream = streamOver(client, `${topic}/u`);
  client.on("message", (_topic, message) => stream.receive(message));
  client.on("close", () => stream.destroy());
  stream.once("close", () => client.end(!client.connected));
  return stream;
}

function streamOver(client: MqttClient, topic: string): BrokerStream {
  return new BrokerStream((message) => publish(client, topic, message), PACKET_BYTES + topic.length);
}

function publish(client: MqttClient, topic: string, message: Buffer): void {
  // What does not get out is missed at the other end.
  if (client.connected) client.publish(topic, message, { qos: 1 }, () => undefined);
}

/** A client whose subscription stands. */
async function connected(broker: BrokerAddress, code: JobErrorCode, filter: string): Promise<MqttClient> {
  const { url, user, password, ca } = broker;
  try {
    const client = await connectAsync(
      url,
      {
        ...{ protocolVersion: 4, clean: true, keepalive: KEEP_ALIVE_S, connectTimeout: CONNECT_MS },
        ...{ timerVariant: "native", queueQoSZero: false },
        ...(user !== undefined && { username: user }),
        ...(password !== undefined && { password }),
        ...(ca !== undefined && { ca }),
      },
      false,
    );
    client.on("error", () => undefined);
    const grants = await client.subscribeAsync(filter, { qos: 1 }).catch(() => []);
    if (grants[0]?.qos === 1) return client;
    client.end(true);
  } catch (cause) {
    const problem = `the broker of a shared job's channel is not reached at ${url} (${String(cause)})`;
    throw new JobError(code, problem, "give --channel-broker one that all workers reach", { cause });
  }
  const remedy = `let the workers subscribe to and publish ${PREFIX}/# there, with QoS 1`;
  throw new JobError(code, `the broker at ${url} refuses the channel of a shared job`, remedy);
}
