import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AckPolicy, CloudNode, openHistory, SILENT_LOGGER, systemClock } from "@lockstep/cloud-node";
import { type Packet, PacketCapture } from "./packet-capture.ts";
import { deviceModule, HALF_SECONDS, RATE_HZ, RAW_BYTES_PER_SAMPLE, ROTOR_EPS, rotor } from "./rotor-session.ts";
import { type Lane, type LanePlan, openLockstepLane, openPlainLane } from "./wire-lanes.ts";

/** A node of its own per way to acknowledge. */
export interface WireGroup {
  readonly name: string;
  readonly acks: AckPolicy;
}

/** What one lane had on the network in one part of the run. */
export interface LaneTraffic {
  readonly plan: LanePlan;
  /** Of the codec; of the float32 for a plain stream. */
  readonly payloadBytes: number;
  readonly dataFrames: number;
  readonly dataFrameBytes: number;
  /** Frames of every kind. */
  readonly messages: number;
  readonly messageBytes: number;
  /** What the segments carry: MQTT packets. */
  readonly mqttUp: number;
  readonly ipUp: number;
  readonly ipBoth: number;
  readonly packetsUp: number;
  /** Segments up-link that carry nothing: acknowledgements of TCP. */
  readonly bareUpBytes: number;
  readonly packetsDown: number;
}

/** How far the reopened store is from the float originals. */
export interface LaneError {
  readonly samples: number;
  readonly maxErrorOverEps: number;
  readonly rmsErrorPooled: number;
}

export interface WireRun {
  readonly setup: readonly LaneTraffic[];
  readonly cold: readonly LaneTraffic[];
  readonly steady: readonly LaneTraffic[];
  readonly errors: readonly LaneError[];
}

/** Nothing is pushed for so long between two parts of the run, so that no packet falls between them. */
const PAUSE_MS = 1_500;
const NO_STATS = { payloadBytes: 0, bytes: 0, messages: 0, dataFrames: 0, dataFrameBytes: 0 };

/**
 * Run all lanes at once, at the rotor's own pace: sample i of each is pushed i periods after the start.
 *
 * @param groups  nodes with an embedded broker each
 * @param speed  1: true real time; more: every sample so many times earlier, which no timer of device, node or TCP knows of
 * @param plans  lanes; `acks` names the group of a Lockstep lane, plain ones use the first group's broker
 */
export async function runWire(groups: readonly WireGroup[], plans: readonly LanePlan[], speed = 1): Promise<WireRun> {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-wire-"));
  const nodes = new Map<string, CloudNode>();
  try {
    for (const [i, { name, acks }] of groups.entries()) {
      const storeFile = join(folder, `${i}.db`);
      const broker = { kind: "embedded", port: 0, host: "127.0.0.1" } as const;
      nodes.set(name, await CloudNode.open({ storeFile, broker, acks, logger: SILENT_LOGGER, clock: systemClock() }));
    }
    const ports = [...nodes.values()].map(({ mqttUrl }) => Number(new URL(mqttUrl ?? "").port));
    const capture = await PacketCapture.start(ports);
    const cuts = [Date.now()];
    const lanes: Lane[] = [];
    const module = deviceModule();
    const first = nodes.values().next().value?.mqttUrl ?? "";
    for (const plan of plans) {
      const url = nodes.get(plan.acks)?.mqttUrl ?? first;
      lanes.push(
        plan.kind === "plain" ? await openPlainLane(plan, url) : await openLockstepLane(plan, url, "lockstep", module),
      );
    }
    cuts.push(await pause());
    const counts = [lanes.map(counted)];
    const readers = new Map(plans.map(({ seed }) => [seed, rotor(seed).read()]));
    const rows = new Map(plans.map(({ seed }) => [seed, new Float64Array(6)]));
    const half = HALF_SECONDS * RATE_HZ;
    for (const part of [0, 1]) {
      await paced(half, 1000 / RATE_HZ / speed, (i) => {
        for (const [seed, reader] of readers) reader.next(rows.get(seed) ?? new Float64Array(6));
        const timeUs = (part * half + i) * (1e6 / RATE_HZ);
        for (const lane of lanes) lane.push(rows.get(lane.plan.seed) ?? new Float64Array(6), timeUs);
      });
      cuts.push(await pause());
      counts.push(lanes.map(counted));
    }
    const packets = await capture.stop();
    for (const lane of lanes) await lane.close();
    for (const node of nodes.values()) await node.close();
    const byConnection = connectionsOf(packets, ports);
    const split = (part: number) =>
      lanes.map((lane, i) => {
        const own = byConnection.get(lane.clientId) ?? { up: [], down: [] };
        const isWithin = ({ timeMs }: Packet) => timeMs >= (cuts[part] ?? 0) && timeMs < (cuts[part + 1] ?? 0);
        const connection = { up: own.up.filter(isWithin), down: own.down.filter(isWithin) };
        return trafficOf(lane.plan, connection, counts[part - 1]?.[i], counts[part]?.[i]);
      });
    const errors: LaneError[] = [];
    for (const { plan } of lanes) {
      const group = groups.findIndex(({ name }) => name === plan.acks);
      if (plan.kind === "lockstep") errors.push(await errorOf(join(folder, `${group}.db`), plan));
    }
    return { setup: split(0), cold: split(1), steady: split(2), errors };
  } finally {
    for (const node of nodes.values()) await node.close();
    rmSync(folder, { recursive: true });
  }
}

function counted(lane: Lane): typeof NO_STATS {
  return lane.stats() ?? NO_STATS;
}

/** @returns the middle of the pause, Unix time in ms */
async function pause(): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  return Date.now();
}

/** Act for sample 0 … count − 1, each when it is due; after a late timer those that are over-due at once. */
async function paced(count: number, periodMs: number, act: (i: number) => void): Promise<void> {
  const startMs = performance.now();
  for (let i = 0; i < count; i += 1) {
    const waitMs = startMs + (i + 1) * periodMs - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    act(i);
  }
}

function trafficOf(plan: LanePlan, { up, down }: Connection, before = NO_STATS, after = NO_STATS): LaneTraffic {
  const bare = up.filter(({ carriedBytes }) => carriedBytes === 0);
  const raw = plan.kind === "plain" ? HALF_SECONDS * RATE_HZ * RAW_BYTES_PER_SAMPLE : 0;
  const ipUp = sum(up, ({ ipBytes }) => ipBytes);
  return {
    plan,
    payloadBytes: raw + after.payloadBytes - before.payloadBytes,
    dataFrames: after.dataFrames - before.dataFrames,
    dataFrameBytes: raw + after.dataFrameBytes - before.dataFrameBytes,
    messages: after.messages - before.messages,
    messageBytes: raw + after.bytes - before.bytes,
    mqttUp: sum(up, ({ carriedBytes }) => carriedBytes),
    ipUp,
    ipBoth: ipUp + sum(down, ({ ipBytes }) => ipBytes),
    packetsUp: up.length,
    bareUpBytes: sum(bare, ({ ipBytes }) => ipBytes),
    packetsDown: down.length,
  };
}

/** One TCP connection's packets. */
interface Connection {
  readonly up: Packet[];
  readonly down: Packet[];
}

const MQTT_CONNECT = 0x10;
/** Fixed header 2 or 3, "MQTT" with its length 6, level, flags, keep-alive 2: the client's name comes next, or one later. */
const NAME_AT = 12;

/** Connections by the client's name in their MQTT CONNECT. */
function connectionsOf(packets: readonly Packet[], ports: readonly number[]): Map<string, Connection> {
  const byPort = new Map<number, Connection>();
  const named = new Map<string, Connection>();
  for (const packet of packets) {
    const isUp = ports.includes(packet.targetPort);
    const port = isUp ? packet.sourcePort : packet.targetPort;
    const connection = byPort.get(port) ?? { up: [], down: [] };
    byPort.set(port, connection);
    (isUp ? connection.up : connection.down).push(packet);
    const name = isUp ? clientName(packet.carried) : undefined;
    if (name !== undefined) named.set(name, connection);
  }
  return named;
}

function clientName(carried: Buffer): string | undefined {
  if (carried.length < NAME_AT + 3 || carried.readUInt8(0) !== MQTT_CONNECT) return undefined;
  // A remaining length of 128 or more takes a second byte.
  const at = NAME_AT + (carried.readUInt8(1) >> 7);
  return carried.toString("utf8", at + 2, at + 2 + carried.readUInt16BE(at));
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

/** Read the store back and compare it with the signal, which the node never saw. */
async function errorOf(storeFile: string, { name, seed }: LanePlan): Promise<LaneError> {
  const history = await openHistory(storeFile);
  const reader = rotor(seed).read();
  const truth = new Float64Array(6);
  let [samples, largest, squaredError, squaredSignal] = [0, 0, 0, 0];
  for (const { values } of history.samples(name)) {
    reader.next(truth);
    samples += 1;
    for (const [c, value] of truth.entries()) {
      const error = Math.abs((values[c] ?? Number.NaN) - value);
      largest = Math.max(largest, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error);
      squaredError += error ** 2;
      squaredSignal += value ** 2;
    }
  }
  history.close();
  return { samples, maxErrorOverEps: largest / ROTOR_EPS, rmsErrorPooled: Math.sqrt(squaredError / squaredSignal) };
}
