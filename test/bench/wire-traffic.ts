import type { SessionStats } from "@lockstep/edge-sdk";
import { BenchError } from "./bench-error.ts";
import type { Packet } from "./packet-capture.ts";
import type { Lane, LanePlan } from "./wire-lanes.ts";

/** What one lane had on the network in one part of a run. */
export interface LaneTraffic {
  readonly plan: LanePlan;
  /** The part's samples as float32. */
  readonly rawBytes: number;
  /** Of the codec; of the float32 for a plain stream. */
  readonly payloadBytes: number;
  readonly dataFrames: number;
  readonly dataFrameBytes: number;
  /** Frames of every kind. */
  readonly messages: number;
  readonly messageBytes: number;
  /** What the segments carry: MQTT packets, or the bytes of a framed stream. */
  readonly linkUp: number;
  readonly linkBoth: number;
  readonly ipUp: number;
  readonly ipBoth: number;
  readonly packetsUp: number;
  /** Segments up-link that carry nothing: acknowledgements of TCP. */
  readonly bareUpBytes: number;
}

/** What a device says of itself; nothing for a plain stream. */
export type LaneCounts = Pick<SessionStats, "payloadBytes" | "bytes" | "messages" | "dataFrames" | "dataFrameBytes">;

const NO_COUNTS: LaneCounts = { payloadBytes: 0, bytes: 0, messages: 0, dataFrames: 0, dataFrameBytes: 0 };

/** One TCP connection's packets, without those that were sent again. */
export class Connection {
  readonly up: Packet[] = [];
  readonly down: Packet[] = [];
  /** Segments that repeat what was sent before. */
  repeated = 0;
  readonly #next: { up?: number; down?: number } = {};

  take(packet: Packet, direction: "up" | "down"): void {
    const end = (packet.sequence + packet.carriedBytes) >>> 0;
    const next = this.#next[direction];
    // Differences of sequence numbers have a sign modulo 2³².
    const isNew = next === undefined || ((end - next) | 0) > 0;
    if (isNew) this.#next[direction] = end;
    if (isNew || packet.carriedBytes === 0) this[direction].push(packet);
    else this.repeated += 1;
  }
}

/** A part of a run: its samples as float32, and its packets' times, Unix ms. */
export interface Part {
  readonly rawBytes: number;
  readonly fromMs: number;
  readonly toMs: number;
}

export function countsOf(lane: Lane): LaneCounts {
  return lane.stats() ?? NO_COUNTS;
}

/** One lane in one part. */
export function trafficOf(
  plan: LanePlan,
  part: Part,
  connection: Connection | undefined,
  before = NO_COUNTS,
  after = NO_COUNTS,
): LaneTraffic {
  const isWithin = ({ timeMs }: Packet) => timeMs >= part.fromMs && timeMs < part.toMs;
  const up = connection?.up.filter(isWithin) ?? [];
  const down = connection?.down.filter(isWithin) ?? [];
  const bare = up.filter(({ carriedBytes }) => carriedBytes === 0);
  const plainBytes = plan.kind === "plain" ? part.rawBytes : 0;
  const linkUp = sum(up, ({ carriedBytes }) => carriedBytes);
  const ipUp = sum(up, ({ ipBytes }) => ipBytes);
  return {
    plan,
    rawBytes: part.rawBytes,
    payloadBytes: plainBytes + after.payloadBytes - before.payloadBytes,
    dataFrames: after.dataFrames - before.dataFrames,
    dataFrameBytes: plainBytes + after.dataFrameBytes - before.dataFrameBytes,
    messages: after.messages - before.messages,
    messageBytes: plainBytes + after.bytes - before.bytes,
    linkUp,
    linkBoth: linkUp + sum(down, ({ carriedBytes }) => carriedBytes),
    ipUp,
    ipBoth: ipUp + sum(down, ({ ipBytes }) => ipBytes),
    packetsUp: up.length,
    bareUpBytes: sum(bare, ({ ipBytes }) => ipBytes),
  };
}

/** A name comes in the first packets that carry anything, or not at all. */
const PACKETS_WITH_NAME = 8;

/**
 * Connections by who speaks on them.
 *
 * @param ports  of the far ends
 * @param marks  bytes that the first packets of each lane carry, by its name
 * @throws {BenchError} `no-capture` when one has no connection
 */
export function connectionsOf(
  packets: readonly Packet[],
  ports: readonly number[],
  marks: ReadonlyMap<string, Buffer>,
): Map<string, Connection> {
  // A client's port alone may belong to several connections, to different ports.
  const byPorts = new Map<string, Connection>();
  const named = new Map<string, Connection>();
  const found = new Set<Connection>();
  for (const packet of packets) {
    const isUp = ports.includes(packet.targetPort);
    const { sourcePort, targetPort } = packet;
    const key = isUp ? `${sourcePort} ${targetPort}` : `${targetPort} ${sourcePort}`;
    const connection = byPorts.get(key) ?? new Connection();
    byPorts.set(key, connection);
    connection.take(packet, isUp ? "up" : "down");
    if (!isUp || packet.carriedBytes === 0 || connection.up.length > PACKETS_WITH_NAME || found.has(connection))
      continue;
    const name = [...marks].find(([, mark]) => packet.carried.includes(mark))?.[0];
    if (name === undefined) continue;
    named.set(name, connection);
    found.add(connection);
  }
  for (const name of marks.keys()) if (!named.has(name)) throw new BenchError("no-capture", { lane: name });
  return named;
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
