import {
  ALIAS_FILTER,
  aliasTopic,
  formatTopic,
  MAX_FRAME_BYTES,
  type TopicLevel,
  topicFilter,
} from "@lockstep/protocol";
import { ANSWER_MS, BehaviourError, MqttConnection } from "./mqtt-connection.ts";

/** Where a behaviour is looked at: names of its own in a broker that others use as well. */
export interface BrokerPlace {
  readonly port: number;
  readonly group: string;
}

/** Something that devices or the node rely on. */
export interface Behaviour {
  /** A sentence that holds. */
  readonly name: string;
  /** Who relies on it, and for what. */
  readonly reliedOn: string;
  /** @throws {BehaviourError} where it does not hold @returns what is worth telling beside */
  check(place: BrokerPlace): Promise<string | undefined>;
}

/** Longer than any of the brokers takes to pass a message on; waited for only where nothing must come. */
const QUIET_MS = 150;
/** NATS rounds one and a half of it down to whole seconds. */
const KEEP_ALIVE_S = 2;
/** As long as names can be: the client id that a device makes of them is far beyond what MQTT 3.1.1 promises. */
const LONG_NAME = "A-long_name-0123456789".repeat(3).slice(0, 64);
const ORDERED_MESSAGES = 2_000;
/** Births that a broker keeps, of a fleet that a node finds when it starts. */
const FLEET = 1_500;
/** Far more than lies in the buffers of a connection. */
const HELD_UP_MESSAGES = 300;
const HELD_UP_BYTES = 60_000;
/** A broker that waits for a slow reader may hold all others up for so long. */
const HELD_UP_LIMIT_MS = 20_000;

const at = (place: BrokerPlace, level: TopicLevel, device = "unit") =>
  formatTopic({ group: place.group, device, level });
const id = (place: BrokerPlace, name: string) => `ls-${place.group}-${name}`;
const connectTo = (place: BrokerPlace, name: string, options = {}) =>
  MqttConnection.connect(place.port, { clientId: id(place, name), ...options });
const pause = (delayMs: number) => new Promise<void>((resolve) => setTimeout(resolve, delayMs));

function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new BehaviourError("otherwise", otherwise);
}

/** What a new subscriber is told at once. */
async function retainedAt(place: BrokerPlace, filter: string, count = 1) {
  const late = await connectTo(place, `late-${performance.now().toString(36).replace(".", "")}`);
  await late.subscribe({ [filter]: 1 });
  const messages = [];
  for (let i = 0; i < count; i += 1) messages.push(await late.message());
  messages.push(...(await late.settledMessages(count === 0 ? QUIET_MS : 0)));
  await late.disconnect();
  return messages;
}

/** All that every broker must do. Each leaves nothing retained. */
export const BEHAVIOURS: readonly Behaviour[] = [
  {
    name: "a clean session begins with nothing of an earlier one",
    reliedOn: "devices and node: nothing old is ever sent behind their backs",
    async check(place) {
      const earlier = await connectTo(place, "unit");
      await earlier.subscribe({ [at(place, "control")]: 1 });
      await earlier.disconnect();
      const other = await connectTo(place, "other");
      await other.publish(at(place, "control"), "while away", { qos: 1 });
      const later = await connectTo(place, "unit");
      must((await later.settledMessages(QUIET_MS)).length === 0, "a message of the earlier session came");
      await later.disconnect();
      await other.disconnect();
      return undefined;
    },
  },
  {
    name: "several subscriptions of one packet are granted as they were asked for",
    reliedOn: "node: births and presence with QoS 1, frames with QoS 0",
    async check(place) {
      const node = await connectTo(place, "node");
      const granted = await node.subscribe({
        [topicFilter("birth", place.group)]: 1,
        [topicFilter("presence", place.group)]: 1,
        [topicFilter("frames", place.group)]: 0,
        [ALIAS_FILTER]: 0,
      });
      must(granted.join() === "1,1,0,0", `granted ${granted}`);
      await node.disconnect();
      return undefined;
    },
  },
  {
    name: "a message is delivered with the lower QoS of its publisher and its subscriber",
    reliedOn: "device: births with QoS 1; node: what it says with QoS 0 to a subscription of QoS 1",
    async check(place) {
      const [reader, writer] = [await connectTo(place, "reader"), await connectTo(place, "writer")];
      await reader.subscribe({ [at(place, "birth")]: 1, [at(place, "control")]: 1, [at(place, "frames")]: 0 });
      const seen: number[] = [];
      for (const [level, qos] of [
        ["birth", 1],
        ["control", 0],
        ["frames", 1],
      ] as const) {
        await writer.publish(at(place, level), level, { qos });
        seen.push((await reader.message()).qos);
      }
      must(seen.join() === "1,0,0", `delivered with QoS ${seen}`);
      await reader.disconnect();
      await writer.disconnect();
      return undefined;
    },
  },
  {
    name: "a retained message reaches who subscribes later, with its QoS and marked, and again at every subscription",
    reliedOn: "node: it finds the births of its fleet whenever it starts or reconnects",
    async check(place) {
      const device = await connectTo(place, "unit");
      await device.publish(at(place, "birth"), "first", { qos: 1, isRetained: true });
      await device.publish(at(place, "birth"), "birth", { qos: 1, isRetained: true });
      await device.disconnect();
      for (let times = 0; times < 2; times += 1) {
        const kept = await retainedAt(place, topicFilter("birth", place.group));
        must(kept.length === 1 && String(kept[0]?.payload) === "birth", `${kept.length} came, ${kept[0]?.payload}`);
        must(kept[0]?.isRetained === true && kept[0]?.qos === 1, `QoS ${kept[0]?.qos}, marked ${kept[0]?.isRetained}`);
      }
      await clear(place, at(place, "birth"));
      return undefined;
    },
  },
  {
    name: "a retained message reaches who is subscribed already as any other, unmarked",
    reliedOn: "node: an unmarked birth is one of a device that is there now",
    async check(place) {
      const [node, device] = [await connectTo(place, "node"), await connectTo(place, "unit")];
      await node.subscribe({ [topicFilter("birth", place.group)]: 1 });
      await device.publish(at(place, "birth"), "birth", { qos: 1, isRetained: true });
      must(!(await node.message()).isRetained, "it was marked as retained");
      await node.disconnect();
      await device.disconnect();
      await clear(place, at(place, "birth"));
      return undefined;
    },
  },
  {
    name: "an empty retained message takes a retained one back",
    reliedOn: "acceptance check, and operators who forget a device",
    async check(place) {
      const device = await connectTo(place, "unit");
      await device.publish(at(place, "birth"), "birth", { qos: 1, isRetained: true });
      await device.publish(at(place, "birth"), "", { qos: 1, isRetained: true });
      await device.disconnect();
      must((await retainedAt(place, at(place, "birth"), 0)).length === 0, "it is still there");
      return undefined;
    },
  },
  {
    name: "what is not retained is not kept",
    reliedOn: "node: frames and answers are about now",
    async check(place) {
      const device = await connectTo(place, "unit");
      await device.publish(at(place, "frames"), "frame", { qos: 1 });
      await device.disconnect();
      must((await retainedAt(place, at(place, "frames"), 0)).length === 0, "it was kept");
      return undefined;
    },
  },
  {
    name: `a subscriber is told every one of ${FLEET} retained messages`,
    reliedOn: "node: it asks a whole fleet for what is unconfirmed as soon as it starts",
    async check(place) {
      const fleet = await connectTo(place, "fleet");
      const names = Array.from({ length: FLEET }, (_, i) => at(place, "birth", `unit-${i}`));
      await Promise.all(names.map((topic) => fleet.publish(topic, "birth", { qos: 1, isRetained: true })));
      const kept = await retainedAt(place, topicFilter("birth", place.group), FLEET);
      const told = new Set(kept.map(({ topic }) => topic)).size;
      await Promise.all(names.map((topic) => fleet.publish(topic, "", { qos: 1, isRetained: true })));
      await fleet.disconnect();
      must(told === FLEET, `${told} of ${FLEET} came`);
      return undefined;
    },
  },
  {
    name: "a will is published, and retained, when a connection breaks without a good-bye",
    reliedOn: "node: a device that is gone is shown as gone",
    async check(place) {
      const topic = at(place, "presence");
      const node = await connectTo(place, "node");
      await node.subscribe({ [topicFilter("presence", place.group)]: 1 });
      const device = await connectTo(place, "unit", { will: willOf(topic) });
      device.destroy();
      const told = await node.message();
      must(String(told.payload) === "gone" && told.qos === 1, `${told.payload} with QoS ${told.qos}`);
      await node.disconnect();
      const kept = await retainedAt(place, topic);
      must(kept[0]?.isRetained === true, "the will is not retained");
      await clear(place, topic);
      return undefined;
    },
  },
  {
    name: "a will is not published after a good-bye",
    reliedOn: "node: the device's own word about why it went stands",
    async check(place) {
      const topic = at(place, "presence");
      const node = await connectTo(place, "node");
      await node.subscribe({ [topicFilter("presence", place.group)]: 1 });
      const device = await connectTo(place, "unit", { will: willOf(topic) });
      await device.disconnect();
      must((await node.settledMessages(2 * QUIET_MS)).length === 0, "the will was published");
      await node.disconnect();
      return undefined;
    },
  },
  {
    name: "a device that says nothing for one and a half keep-alives is taken for gone, one that pings is not",
    reliedOn: "node: a half-open connection does not look like a device that is there",
    async check(place) {
      const node = await connectTo(place, "node");
      await node.subscribe({ [topicFilter("presence", place.group)]: 1 });
      const topics = { silent: at(place, "presence", "silent"), pinging: at(place, "presence", "pinging") };
      const startMs = performance.now();
      const silent = await connectTo(place, "silent", { keepAliveS: KEEP_ALIVE_S, will: willOf(topics.silent) });
      const pinging = await connectTo(place, "pinging", { keepAliveS: KEEP_ALIVE_S, will: willOf(topics.pinging) });
      const ticking = setInterval(() => void pinging.ping().catch(() => {}), (KEEP_ALIVE_S * 1_000) / 2);
      const told = await node.message();
      const tookMs = performance.now() - startMs;
      clearInterval(ticking);
      must(told.topic === topics.silent, `the will at ${told.topic}`);
      must(await silent.closed(), "the silent connection goes on");
      must(!pinging.isClosed, "the pinging one was ended");
      await pinging.disconnect();
      await node.disconnect();
      await clear(place, topics.silent);
      return `after ${(tookMs / 1_000 / KEEP_ALIVE_S).toFixed(1)} keep-alives`;
    },
  },
  {
    name: "a client that connects again ends its earlier connection, and what it says then stands",
    reliedOn: "device: it comes back before its broker noticed that it was gone",
    async check(place) {
      const topic = at(place, "presence");
      const earlier = await connectTo(place, "unit", { will: willOf(topic) });
      const later = await connectTo(place, "unit", { will: willOf(topic) });
      await later.publish(topic, "here", { qos: 1, isRetained: true });
      must(await earlier.closed(), "the earlier connection goes on");
      await later.subscribe({ [at(place, "control")]: 1 });
      await later.publish(at(place, "control"), "to itself");
      must(String((await later.message()).payload) === "to itself", "the later connection is no use");
      await pause(2 * QUIET_MS);
      const [kept] = await retainedAt(place, topic);
      must(String(kept?.payload) === "here", `the broker keeps "${kept?.payload}"`);
      await later.disconnect();
      await clear(place, topic);
      return undefined;
    },
  },
  {
    name: `messages of ${MAX_FRAME_BYTES} bytes pass, with QoS 0, with QoS 1 and retained`,
    reliedOn: "device: the longest frame there is",
    async check(place) {
      const [reader, writer] = [await connectTo(place, "reader"), await connectTo(place, "writer")];
      await reader.subscribe({ [topicFilter("frames", place.group)]: 1 });
      const frame = Uint8Array.from({ length: MAX_FRAME_BYTES }, (_, i) => (i * 7) & 255);
      for (const options of [{ qos: 0 }, { qos: 1 }, { qos: 1, isRetained: true }]) {
        await writer.publish(at(place, "frames"), frame, options);
        must((await reader.message()).payload.equals(frame), `other bytes, QoS ${options.qos}`);
      }
      const [kept] = await retainedAt(place, at(place, "frames"));
      must(kept?.payload.equals(frame) === true, "other bytes are retained");
      await reader.disconnect();
      await writer.disconnect();
      await clear(place, at(place, "frames"));
      return undefined;
    },
  },
  {
    name: `${ORDERED_MESSAGES} messages of one topic arrive in their order and once each, with QoS 0 and with QoS 1`,
    reliedOn: "node: a frame that is early looks like a gap, and is asked for again",
    async check(place) {
      const [reader, writer] = [await connectTo(place, "reader"), await connectTo(place, "writer")];
      for (const qos of [0, 1]) {
        const topic = at(place, "frames", `qos-${qos}`);
        await reader.subscribe({ [topic]: qos });
        const sent = Array.from({ length: ORDERED_MESSAGES }, (_, i) => writer.publish(topic, String(i), { qos }));
        for (let i = 0; i < ORDERED_MESSAGES; i += 1) {
          const { payload } = await reader.message();
          must(String(payload) === String(i), `${payload} in place of ${i}, QoS ${qos}`);
        }
        await Promise.all(sent);
        must((await reader.settledMessages()).length === 0, `more than was sent, QoS ${qos}`);
      }
      await reader.disconnect();
      await writer.disconnect();
      return undefined;
    },
  },
  {
    name: "a filter covers its group, its level and short topics of one level, and nothing else",
    reliedOn: "node: two groups share a broker, and no device hears what is said to another",
    async check(place) {
      const { group } = place;
      const [node, writer] = [await connectTo(place, "node"), await connectTo(place, "writer")];
      await node.subscribe({ [topicFilter("birth", group)]: 1, [ALIAS_FILTER]: 0 });
      const alias = aliasTopic(group.slice(-6));
      const ours = [at(place, "birth"), at(place, "birth", LONG_NAME), at(place, "birth", "a-b_C9"), alias];
      const others = [
        at(place, "frames"),
        at(place, "control"),
        formatTopic({ group: `${group}x`, device: "unit", level: "birth" }),
        `ls/v1/${group}/a/b/b`,
        `ls/v1/${group}/b`,
        `LS/v1/${group}/unit/b`,
        `${alias}/x`,
      ];
      for (const topic of [...others, ...ours]) await writer.publish(topic, "x", { qos: 1 });
      const seen = new Set<string>();
      while (!seen.has(alias)) seen.add((await node.message()).topic);
      for (const { topic } of await node.settledMessages(QUIET_MS)) seen.add(topic);
      must([...seen].filter((topic) => others.includes(topic)).length === 0, `it covers ${[...seen]}`);
      must(
        ours.every((topic) => seen.has(topic)),
        `it covers only ${[...seen]}`,
      );
      await node.disconnect();
      await writer.disconnect();
      return undefined;
    },
  },
  {
    name: "a client id as long as a group's and a device's names make it is taken",
    reliedOn: "device: its client id says who it is",
    async check(place) {
      const clientId = `ls-${LONG_NAME}-${LONG_NAME.slice(0, 40)}-${place.group}`;
      const device = await MqttConnection.connect(place.port, { clientId });
      await device.ping();
      await device.disconnect();
      return undefined;
    },
  },
  {
    name: "a message that was not acknowledged is sent again with its number, and is acknowledged again",
    reliedOn: "device and node: a client may repeat a birth whose acknowledgement was lost",
    async check(place) {
      const [reader, writer] = [await connectTo(place, "reader"), await connectTo(place, "writer")];
      await reader.subscribe({ [at(place, "birth")]: 1 });
      await writer.publish(at(place, "birth"), "birth", { qos: 1, id: 77 });
      await writer.publish(at(place, "birth"), "birth", { qos: 1, id: 77, isDuplicate: true });
      await reader.message();
      const more = await reader.settledMessages(QUIET_MS);
      await reader.disconnect();
      await writer.disconnect();
      return `delivered ${1 + more.length === 1 ? "once" : "twice"}`;
    },
  },
  {
    name: "one that subscribes and does not read holds up nobody for good",
    reliedOn: "devices and node: a stalled reader is not their trouble",
    async check(place) {
      const topic = at(place, "frames");
      const [stalled, reader] = [await connectTo(place, "stalled"), await connectTo(place, "reader")];
      await stalled.subscribe({ [topic]: 0 });
      await reader.subscribe({ [topic]: 0 });
      stalled.pause();
      const writer = await connectTo(place, "writer");
      const frame = Buffer.alloc(HELD_UP_BYTES, "x");
      const startMs = performance.now();
      let longestMs = 0;
      for (let i = 0; i < HELD_UP_MESSAGES; i += 1) {
        const sentMs = performance.now();
        await writer.publish(topic, frame);
        while ((await reader.message().catch(() => undefined)) === undefined) {
          must(performance.now() - startMs < HELD_UP_LIMIT_MS && !reader.isClosed, `held up at message ${i}`);
        }
        longestMs = Math.max(longestMs, performance.now() - sentMs);
      }
      stalled.destroy();
      await reader.disconnect();
      await writer.disconnect();
      return longestMs < ANSWER_MS / 10 ? "not at all" : `${Math.round(longestMs / 1_000)} s`;
    },
  },
];

function willOf(topic: string) {
  return { topic, payload: Buffer.from("gone"), qos: 1, isRetained: true };
}

/** Keep nothing at a topic. */
async function clear(place: BrokerPlace, topic: string): Promise<void> {
  const client = await connectTo(place, "clear");
  await client.publish(topic, "", { qos: 1, isRetained: true });
  await client.disconnect();
}
