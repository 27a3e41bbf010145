import { formatTopic } from "@lockstep/protocol";
import type { BrokerPlace } from "./broker-behaviours.ts";
import { MqttConnection } from "./mqtt-connection.ts";

/** Something that brokers do each in their own way, and that nothing of ours relies on. */
export interface Difference {
  /** What is looked at. */
  readonly name: string;
  /** All that a broker may do. */
  readonly outcomes: readonly string[];
  look(place: BrokerPlace): Promise<string>;
}

const QUIET_MS = 300;
const MQTT_5 = 5;

const connectTo = (place: BrokerPlace, name: string, options = {}) =>
  MqttConnection.connect(place.port, { clientId: `ls-${place.group}-${name}`, ...options });

/** How often a message comes to one who subscribed to several filters that cover it. */
async function copies(place: BrokerPlace): Promise<string> {
  const topic = formatTopic({ group: place.group, device: "unit", level: "frames" });
  const reader = await connectTo(place, "reader");
  await reader.subscribe({ [topic]: 1, [`ls/v1/${place.group}/+/f`]: 0 });
  await reader.publish(topic, "x", { qos: 1 });
  await reader.message();
  const more = await reader.settledMessages(QUIET_MS);
  await reader.disconnect();
  return more.length === 0 ? "once" : "once for each filter";
}

/** Whether a birth with QoS 1 comes before the frame with QoS 0 that was sent right behind it. */
async function orderAcross(place: BrokerPlace): Promise<string> {
  const reader = await connectTo(place, "reader");
  const writer = await connectTo(place, "writer");
  await reader.subscribe({ [`ls/v1/${place.group}/+/b`]: 1, [`ls/v1/${place.group}/+/f`]: 0 });
  let early = 0;
  for (let i = 0; i < 50; i += 1) {
    const birth = writer.publish(`ls/v1/${place.group}/unit/b`, "birth", { qos: 1 });
    await writer.publish(`ls/v1/${place.group}/unit/f`, "frame");
    const first = await reader.message();
    await reader.message();
    await birth;
    early += first.topic.endsWith("/f") ? 1 : 0;
  }
  await reader.disconnect();
  await writer.disconnect();
  return early === 0 ? "the order sent" : "frames may overtake";
}

/** Whether the will of a connection is published when the same client connects again. */
async function willAtTakeOver(place: BrokerPlace): Promise<string> {
  const topic = `ls/v1/${place.group}/unit/s`;
  const will = { topic, payload: Buffer.from("gone"), qos: 1, isRetained: false };
  const reader = await connectTo(place, "reader");
  await reader.subscribe({ [topic]: 1 });
  await connectTo(place, "unit", { will });
  const later = await connectTo(place, "unit");
  const told = await reader.settledMessages(QUIET_MS);
  await later.disconnect();
  await reader.disconnect();
  return told.length === 0 ? "not published" : "published";
}

async function mqtt5({ port, group }: BrokerPlace): Promise<string> {
  const connection = await MqttConnection.open(port, { clientId: `ls-${group}-five`, protocolLevel: MQTT_5 });
  const answer = await connection.answer();
  connection.destroy();
  return answer?.code === 0 ? "taken" : "refused";
}

async function qos2(place: BrokerPlace): Promise<string> {
  const reader = await connectTo(place, "two");
  try {
    const [granted] = await reader.subscribe({ [`ls/v1/${place.group}/unit/b`]: 2 });
    return granted === 2 ? "granted" : granted === 1 ? "QoS 1 in its place" : "refused";
  } catch {
    return "refused";
  } finally {
    reader.destroy();
  }
}

async function emptyClientId({ port }: BrokerPlace): Promise<string> {
  const connection = await MqttConnection.open(port, { clientId: "" });
  const answer = await connection.answer();
  connection.destroy();
  return answer?.code === 0 ? "taken" : "refused";
}

/** Whether a topic with a character that our names never have is passed on. */
function passes(character: string): Difference["look"] {
  return async (place) => {
    const topic = `ls/v1/${place.group}/a${character}b/f`;
    const reader = await connectTo(place, "reader");
    try {
      const [granted] = await reader.subscribe({ [topic]: 0 });
      if (granted !== 0) return "refused";
      await reader.publish(topic, "x");
      const [message] = await reader.settledMessages(QUIET_MS);
      return message?.topic === topic ? "passed on" : "refused";
    } catch {
      return "refused";
    } finally {
      reader.destroy();
    }
  };
}

/** What was seen to differ, or may. */
export const DIFFERENCES: readonly Difference[] = [
  { name: "MQTT 5", outcomes: ["taken", "refused"], look: mqtt5 },
  { name: "QoS 2", outcomes: ["granted", "QoS 1 in its place", "refused"], look: qos2 },
  { name: "an empty client id", outcomes: ["taken", "refused"], look: emptyClientId },
  { name: "a dot in a topic", outcomes: ["passed on", "refused"], look: passes(".") },
  { name: "a space in a topic", outcomes: ["passed on", "refused"], look: passes(" ") },
  { name: "a message that two filters of one client cover", outcomes: ["once", "once for each filter"], look: copies },
  {
    name: "a birth, and the frame right behind it",
    outcomes: ["the order sent", "frames may overtake"],
    look: orderAcross,
  },
  { name: "the will of a client that connects again", outcomes: ["published", "not published"], look: willAtTakeOver },
];
