import { formatTopic, MAX_FRAME_BYTES } from "@lockstep/protocol";
import { connectAsync, type MqttClient } from "mqtt";
import { type BrokerLogin, brokerSettings, publicUrl } from "../access/broker-login.ts";
import type { Clock } from "../clock.ts";
import { BrokerError } from "./broker-error.ts";

export interface AcceptanceOptions {
  readonly url: string;
  readonly login?: BrokerLogin | undefined;
  readonly ca?: Buffer | undefined;
  readonly group: string;
  /** Unique in the broker: names the client and the topics that are tried. */
  readonly probe: string;
  readonly clock: Clock;
  readonly limitMs?: number;
}

const LIMIT_MS = 5_000;

/**
 * Try what the node relies on before it relies on it: QoS 1, retained messages, and messages as long as a frame can be.
 *
 * @throws {BrokerError} saying what is missing
 */
export async function checkBroker(options: AcceptanceOptions): Promise<void> {
  const { group, probe } = options;
  // What is told of it in errors.
  const url = publicUrl(options.url);
  const limitMs = options.limitMs ?? LIMIT_MS;
  // A device's control topic, which no node listens to.
  const topic = formatTopic({ group, device: probe, level: "control" });
  const large = formatTopic({ group, device: `${probe}-large`, level: "control" });
  const client = await connectProbe(options, `${probe}-check`, limitMs);
  try {
    await subscribe(client, topic, url);
    await subscribe(client, large, url);
    const small = delivery(client, topic, options.clock, limitMs);
    client.publish(topic, "probe", { qos: 1, retain: true });
    if ((await small) === undefined) throw new BrokerError("not-delivered", { url, topic, limitMs });
    const whole = delivery(client, large, options.clock, limitMs);
    client.publish(large, Buffer.alloc(MAX_FRAME_BYTES), { qos: 1 });
    if ((await whole)?.bytes !== MAX_FRAME_BYTES)
      throw new BrokerError("packet-too-small", { url, bytes: MAX_FRAME_BYTES });
    await client.unsubscribeAsync(topic);
    const kept = delivery(client, topic, options.clock, limitMs);
    await subscribe(client, topic, url);
    if ((await kept)?.isRetained !== true) throw new BrokerError("no-retained", { url });
  } finally {
    if (client.connected) client.publish(topic, "", { qos: 0, retain: true });
    await client.endAsync(!client.connected);
  }
}

async function connectProbe(options: AcceptanceOptions, clientId: string, limitMs: number): Promise<MqttClient> {
  try {
    return await connectAsync(
      options.url,
      {
        ...brokerSettings(options),
        protocolVersion: 4,
        clean: true,
        clientId,
        connectTimeout: limitMs,
        reconnectPeriod: 0,
        timerVariant: "native",
      },
      false,
    );
  } catch (cause) {
    throw new BrokerError(
      "unreachable",
      { url: publicUrl(options.url), detail: cause instanceof Error ? cause.message : "" },
      { cause },
    );
  }
}

async function subscribe(client: MqttClient, topic: string, url: string): Promise<void> {
  const grants = await client.subscribeAsync(topic, { qos: 1 }).catch(() => []);
  if (grants[0]?.qos !== 1) throw new BrokerError("no-qos-1", { url, topic });
}

/** The next message on a topic, or nothing within the limit or when the connection ends. */
function delivery(
  client: MqttClient,
  topic: string,
  clock: Clock,
  limitMs: number,
): Promise<{ readonly bytes: number; readonly isRetained: boolean } | undefined> {
  return new Promise((resolve) => {
    const timer = clock.setTimer(() => resolve(undefined), limitMs);
    client.once("close", () => resolve(undefined));
    client.on("message", (at, payload, { retain }) => {
      if (at !== topic) return;
      timer.cancel();
      resolve({ bytes: payload.length, isRetained: retain });
    });
  });
}
