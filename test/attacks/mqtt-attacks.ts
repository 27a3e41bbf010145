import type { DeviceSession } from "@lockstep/edge-sdk";
import { encodeFrame, formatTopic, mqttClientId, type TopicLevel } from "@lockstep/protocol";
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { becomes, GROUP, speaks, type Target, THIEF, VICTIM } from "./target.ts";

/** Something that must not succeed. */
export interface Attack {
  readonly name: string;
  /** @returns whether it did */
  succeeds(target: Target, victim: DeviceSession): Promise<boolean>;
}

/** How long a guarded target is watched for an effect that it must not show. */
const EFFECT_MS = 1_500;
/** Where the effect must show; reached only when something is broken. */
const LIMIT_MS = 20_000;
/** No frame: whoever takes it for the victim's counts it as refused. */
const NOISE = Buffer.from("no frame at all");
const TIMES = { protocolVersion: 4, reconnectPeriod: 0, connectTimeout: 5_000, timerVariant: "native" } as const;

/** Attacks on a target without devices succeed, however slow the machine is. */
function watchMs({ isGuarded }: Target): number {
  return isGuarded ? EFFECT_MS : LIMIT_MS;
}

/** The thief, by its own name and secret. */
async function thief(target: Target, changes: IClientOptions = {}): Promise<MqttClient> {
  const login = { username: THIEF, password: target.passwordOf(THIEF), clientId: mqttClientId(GROUP, THIEF) };
  const client = await connectAsync(target.url, { ...TIMES, ...login, ...changes }, false);
  client.on("error", () => {});
  target.onClose(() => client.endAsync(true));
  return client;
}

/** Whether a log-in is taken. */
async function isLetIn(target: Target, changes: IClientOptions): Promise<boolean> {
  return await thief(target, changes).then(
    () => true,
    () => false,
  );
}

/** Whether a message to a topic does the victim harm, or is taken at all where no topic of its own is meant. */
async function harms(target: Target, topic: string, retain = false): Promise<boolean> {
  const client = await thief(target);
  const before = target.harm;
  client.publish(topic, NOISE, { qos: 1, retain }, () => {});
  return await becomes(() => target.harm > before || !client.connected, watchMs(target)).then(
    () => target.harm > before,
  );
}

async function isAcknowledged(
  target: Target,
  topic: string,
  options: { qos: 1 | 2; retain: boolean },
): Promise<boolean> {
  const client = await thief(target);
  let isTaken = false;
  client.publish(topic, NOISE, options, (error) => {
    isTaken = !error;
  });
  await becomes(() => isTaken || !client.connected, watchMs(target));
  return isTaken;
}

/** Whether a subscription hears anything of the victim; some brokers grant what they never deliver. */
async function hears(target: Target, victim: DeviceSession, ...filters: string[]): Promise<boolean> {
  const client = await thief(target);
  let isHeard = false;
  client.on("message", (topic) => {
    isHeard ||= topic.includes(VICTIM) || topic.startsWith("l/");
  });
  let isGranted = false;
  for (const filter of filters) {
    const grants = await client.subscribeAsync(filter, { qos: 1 }).catch(() => []);
    isGranted ||= grants.some(({ qos }) => qos < 128);
  }
  if (!isGranted) return false;
  await speaks(victim);
  return await becomes(() => isHeard, watchMs(target));
}

const topicOf = (device: string, level: TopicLevel) => formatTopic({ group: GROUP, device, level });

/** What any broker must refuse, ours and one with our rules. */
export const ATTACKS: readonly Attack[] = [
  {
    name: "frames to another device's topic",
    succeeds: (target) => harms(target, topicOf(VICTIM, "frames")),
  },
  {
    name: "a birth in another device's name, for every later node",
    succeeds: (target) => harms(target, topicOf(VICTIM, "birth"), true),
  },
  {
    name: "a presence in another device's name",
    succeeds: (target) => harms(target, topicOf(VICTIM, "presence"), true),
  },
  {
    name: "a job in another device's name",
    succeeds: (target) => harms(target, topicOf(VICTIM, "jobs")),
  },
  {
    name: "a job of a device that was not added for them",
    async succeeds(target) {
      const client = await thief(target);
      const ask = encodeFrame({ kind: "job", op: "ask", nonce: 1, id: "00".repeat(32) });
      client.publish(topicOf(THIEF, "jobs"), Buffer.from(ask), { qos: 1 });
      // As far as the queue that this node does not have.
      return await becomes(() => (target.node.counters()["refused.job-no-queue"] ?? 0) > 0, watchMs(target));
    },
  },
  {
    name: "frames to another device's short topic",
    // The victim was the first device of this node.
    succeeds: (target) => harms(target, "l/1"),
  },
  {
    name: "a wildcard subscription",
    succeeds: (target, victim) => hears(target, victim, "#", "ls/v1/#", `ls/v1/${GROUP}/+/c`, "+/+/+/+/f", "l/+"),
  },
  {
    name: "listening to what another device is told",
    succeeds: (target, victim) => hears(target, victim, topicOf(VICTIM, "control")),
  },
  {
    name: "ending another device's session by its client id",
    async succeeds(target, victim) {
      const before = victim.stats().connections;
      await isLetIn(target, { clientId: mqttClientId(GROUP, VICTIM) });
      return await becomes(
        () => victim.stats().connections > before || victim.stats().phase === "down",
        watchMs(target),
      );
    },
  },
  {
    name: "a device that nobody added",
    succeeds: (target) => isLetIn(target, { username: "ghost", clientId: mqttClientId(GROUP, "ghost") }),
  },
  {
    name: "another device's name with one's own secret",
    succeeds: (target) => isLetIn(target, { username: VICTIM, clientId: mqttClientId(GROUP, VICTIM) }),
  },
  {
    name: "no name and no secret",
    async succeeds(target) {
      return await connectAsync(target.url, { ...TIMES, clientId: mqttClientId(GROUP, THIEF) }, false).then(
        (client) => client.endAsync(true).then(() => true),
        () => false,
      );
    },
  },
  {
    name: "a last will in another device's name",
    async succeeds(target) {
      const will = { topic: topicOf(VICTIM, "presence"), payload: NOISE, qos: 1, retain: true } as const;
      const before = target.harm;
      await thief(target, { will }).then(
        (client) => client.stream.destroy(),
        () => {},
      );
      return await becomes(() => target.harm > before, watchMs(target));
    },
  },
];

/** What our own broker refuses beyond that. */
export const EMBEDDED_ATTACKS: readonly Attack[] = [
  {
    name: "a session that is kept, and fills while its owner is away",
    succeeds: (target) => isLetIn(target, { clean: false }),
  },
  {
    name: "retained messages beside birth and presence",
    succeeds: (target) => isAcknowledged(target, topicOf(THIEF, "frames"), { qos: 1, retain: true }),
  },
  {
    name: "messages of QoS 2, which a broker must keep",
    succeeds: (target) => isAcknowledged(target, topicOf(THIEF, "frames"), { qos: 2, retain: false }),
  },
  {
    name: "topics that are no device's",
    succeeds: (target) => isAcknowledged(target, "anything/else", { qos: 1, retain: true }),
  },
  {
    name: "a revoked device that stays connected",
    async succeeds(target) {
      const client = await thief(target);
      if (target.isGuarded) await target.book.revoke(THIEF, "2026-01-02T00:00:00Z");
      return !(await becomes(() => !client.connected, target.isGuarded ? LIMIT_MS : EFFECT_MS));
    },
  },
  {
    name: "a device that was revoked, and comes again",
    async succeeds(target) {
      if (target.isGuarded) await target.book.revoke(THIEF, "2026-01-02T00:00:00Z");
      return await isLetIn(target, {});
    },
  },
];
