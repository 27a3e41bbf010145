import {
  type Clock,
  type DeviceModule,
  type DeviceSession,
  mqttTransport,
  type SessionStats,
  systemClock,
} from "@lockstep/edge-sdk";
import { seededRandom } from "@lockstep/sim";
import { connect, type MqttClient } from "mqtt";
import { BenchError } from "./bench-error.ts";
import { openRotor, RAW_BYTES_PER_SAMPLE } from "./rotor-session.ts";

/** One connection that carries the rotor's samples in frames of one length. */
export interface Lane {
  readonly plan: LanePlan;
  /** As its MQTT CONNECT says: this is how its packets are found. */
  readonly clientId: string;
  push(row: Float64Array, timeUs: number): void;
  /** Undefined for a plain stream. */
  stats(): SessionStats | undefined;
  close(): Promise<void>;
}

export interface LanePlan {
  readonly kind: "lockstep" | "plain";
  readonly frameSamples: number;
  /** Acknowledgements: of Lockstep's node, or of MQTT's QoS 1. */
  readonly acks: string;
  readonly seed: number;
  readonly name: string;
}

const LIVE_LIMIT_MS = 30_000;
const POLL_MS = 20;
/** As long as the alias that a node grants to one of its first devices. */
const PLAIN_TOPIC = "p/1";

/** A real device: session, mqtt.js, TCP. */
export async function openLockstepLane(
  plan: LanePlan,
  url: string,
  group: string,
  module: DeviceModule,
): Promise<Lane> {
  const { name: device, frameSamples, seed } = plan;
  const clock = systemClock();
  const transport = mqttTransport({ url, group, device, clock, random: seededRandom(seed).fork("transport") });
  const session = await openRotor({ device, frameSamples, transport, module, clock, seed });
  await untilLive(session, clock);
  return {
    plan,
    clientId: `ls-${group}-${device}`,
    push: (row, timeUs) => session.push(row, timeUs),
    stats: () => session.stats(),
    close: () => session.close(),
  };
}

async function untilLive(session: DeviceSession, clock: Clock): Promise<void> {
  const endMs = clock.nowMs() + LIVE_LIMIT_MS;
  while (session.stats().phase !== "live") {
    if (clock.nowMs() > endMs) throw new BenchError("not-live", { afterMs: LIVE_LIMIT_MS });
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** The same samples as float32, one message per frame, over the same client and broker. */
export async function openPlainLane(plan: LanePlan, url: string): Promise<Lane> {
  const { name: clientId, frameSamples, acks } = plan;
  const client: MqttClient = connect(url, { clientId, keepalive: 60, protocolVersion: 4, timerVariant: "native" });
  await new Promise<void>((resolve, reject) => {
    client.once("connect", () => resolve());
    client.once("error", reject);
  });
  if ("setNoDelay" in client.stream && typeof client.stream.setNoDelay === "function") client.stream.setNoDelay(true);
  const frame = Buffer.alloc(frameSamples * RAW_BYTES_PER_SAMPLE);
  let at = 0;
  return {
    plan,
    clientId,
    push(row) {
      for (const value of row) at = frame.writeFloatLE(value, at);
      if (at < frame.length) return;
      client.publish(PLAIN_TOPIC, Buffer.from(frame), { qos: acks === "QoS 1" ? 1 : 0 });
      at = 0;
    },
    stats: () => undefined,
    close: () => client.endAsync(),
  };
}
