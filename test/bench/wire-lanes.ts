import { once } from "node:events";
import { connect as connectSocket } from "node:net";
import {
  type Clock,
  type DeviceModule,
  type DeviceSession,
  mqttTransport,
  type SessionStats,
  type Transport,
  tcpTransport,
} from "@lockstep/edge-sdk";
import { encodeSerialFrame, encodeStreamFrame, MAX_FRAME_BYTES } from "@lockstep/protocol";
import { seededRandom } from "@lockstep/sim";
import { connect, type MqttClient } from "mqtt";
import { BenchError } from "./bench-error.ts";
import { RAW_BYTES_PER_SAMPLE } from "./rotor-session.ts";
import { socketLineTransport } from "./serial-far-end.ts";
import { openSource, type WireSource } from "./wire-source.ts";

/** What carries the frames. */
export type WireLink = "MQTT" | "TCP" | "serial";

/** One connection that carries one signal in frames of one length. */
export interface LanePlan {
  readonly kind: "lockstep" | "plain";
  readonly link: WireLink;
  readonly source: WireSource["name"];
  readonly frameSamples: number;
  /** Acknowledgements: of Lockstep's node, or of the link below a plain stream. */
  readonly acks: string;
  readonly seed: number;
  /** Device or client, 1 … 20 characters. */
  readonly name: string;
}

export interface Lane {
  readonly plan: LanePlan;
  /** Bytes that its first packets, and no others, carry: this is how they are found. */
  readonly mark: Buffer;
  push(row: Float64Array, timeUs: number): void;
  /** Undefined for a plain stream. */
  stats(): SessionStats | undefined;
  close(): Promise<void>;
}

/** Where a lane's far end is, and by which clock it lives. */
export interface LaneEnds {
  readonly mqttUrl: string;
  readonly tcpPort: number;
  readonly serialPort: number;
  /** Takes in whatever comes, and says nothing. */
  readonly sinkPort: number;
  /** Of MQTT. */
  readonly keepAliveSeconds: number;
  readonly tcpKeepAliveMs: number;
  readonly clock: Clock;
}

const GROUP = "lockstep";
const LIVE_LIMIT_MS = 30_000;
const POLL_MS = 20;
/** As long as the alias that a node grants to one of its first devices. */
const PLAIN_TOPIC = "p/1";

/** A real device: session and transport. */
export async function openLockstepLane(
  plan: LanePlan,
  source: WireSource,
  ends: LaneEnds,
  module: DeviceModule,
): Promise<Lane> {
  const { link, name: device, frameSamples, seed } = plan;
  const { clock } = ends;
  const transport = transportOf(plan, ends);
  const session = await openSource(source, { device, frameSamples, transport, clock, seed }, module);
  await untilLive(session);
  return {
    plan,
    mark: link === "MQTT" ? clientMark(`ls-${GROUP}-${device}`) : textMark(device),
    push: (row, timeUs) => session.push(row, timeUs),
    stats: () => session.stats(),
    close: () => session.close(),
  };
}

function transportOf({ link, name: device, seed }: LanePlan, ends: LaneEnds): Transport {
  const { clock, keepAliveSeconds, tcpKeepAliveMs } = ends;
  const random = seededRandom(seed).fork("transport");
  if (link === "serial") return socketLineTransport(ends.serialPort, clock, random);
  if (link === "TCP") {
    return tcpTransport({ url: `tcp://127.0.0.1:${ends.tcpPort}`, keepAliveMs: tcpKeepAliveMs, clock, random });
  }
  return mqttTransport({ url: ends.mqttUrl, group: GROUP, device, keepAliveSeconds, clock, random });
}

async function untilLive(session: DeviceSession): Promise<void> {
  const endMs = performance.now() + LIVE_LIMIT_MS;
  while (session.stats().phase !== "live") {
    if (performance.now() > endMs) throw new BenchError("not-live", { afterMs: LIVE_LIMIT_MS });
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** The same samples as float32, one message per frame, with the same framing below. */
export async function openPlainLane(plan: LanePlan, ends: LaneEnds): Promise<Lane> {
  const { frameSamples } = plan;
  const { mark, send, close } =
    plan.link === "MQTT" ? await openPlainMqtt(plan, ends) : await openPlainStream(plan, ends.sinkPort);
  const frame = Buffer.alloc(frameSamples * RAW_BYTES_PER_SAMPLE);
  let at = 0;
  return {
    plan,
    mark,
    push(row) {
      for (const value of row) at = frame.writeFloatLE(value, at);
      if (at < frame.length) return;
      send(Buffer.from(frame));
      at = 0;
    },
    stats: () => undefined,
    close,
  };
}

interface PlainLink {
  readonly mark: Buffer;
  send(frame: Buffer): void;
  close(): Promise<void>;
}

async function openPlainMqtt({ name: clientId, acks }: LanePlan, ends: LaneEnds): Promise<PlainLink> {
  const client: MqttClient = connect(ends.mqttUrl, {
    clientId,
    keepalive: ends.keepAliveSeconds,
    protocolVersion: 4,
    timerVariant: "native",
  });
  await new Promise<void>((resolve, reject) => {
    client.once("connect", () => resolve());
    client.once("error", reject);
  });
  if ("setNoDelay" in client.stream && typeof client.stream.setNoDelay === "function") client.stream.setNoDelay(true);
  return {
    mark: clientMark(clientId),
    send: (frame) => void client.publish(PLAIN_TOPIC, frame, { qos: acks === "QoS 1" ? 1 : 0 }),
    close: () => client.endAsync(),
  };
}

/** A byte stream that says its name first, as a birth does. */
async function openPlainStream({ link, name }: LanePlan, port: number): Promise<PlainLink> {
  const framed = link === "serial" ? encodeSerialFrame : encodeStreamFrame;
  const socket = connectSocket({ host: "127.0.0.1", port, noDelay: true });
  await once(socket, "connect");
  const mark = textMark(name);
  socket.write(framed(mark));
  return {
    mark,
    send(frame) {
      const size = frame.length / Math.ceil(frame.length / MAX_FRAME_BYTES);
      for (let at = 0; at < frame.length; at += size) socket.write(framed(frame.subarray(at, at + size)));
    },
    async close() {
      const closed = once(socket, "close");
      socket.resume().end();
      await closed;
    },
  };
}

/** A client's name as an MQTT CONNECT carries it. */
function clientMark(clientId: string): Buffer {
  return Buffer.concat([Buffer.of(clientId.length >> 8, clientId.length & 0xff), Buffer.from(clientId)]);
}

/** A name as a birth carries it: a text string of CBOR. */
function textMark(name: string): Buffer {
  return Buffer.concat([Buffer.of(0x60 + name.length), Buffer.from(name)]);
}
