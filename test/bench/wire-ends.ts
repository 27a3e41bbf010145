import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { join } from "node:path";
import { type AckPolicy, type Clock, CloudNode, SILENT_LOGGER } from "@lockstep/cloud-node";
import { DEFAULT_MQTT_KEEP_ALIVE_SECONDS, DEFAULT_TCP_KEEP_ALIVE_MS, systemRandom } from "@lockstep/edge-sdk";
import { BenchError } from "./bench-error.ts";
import { SerialFarEnd } from "./serial-far-end.ts";
import type { LaneEnds, LanePlan } from "./wire-lanes.ts";

/** A node of its own per way to acknowledge. */
export interface WireGroup {
  readonly name: string;
  readonly acks: AckPolicy;
  /** Of its devices over MQTT; the transport's own unless given. */
  readonly keepAliveSeconds?: number;
}

/** The file in which a group's node keeps what it takes in. */
export function storeOf(folder: string, group: string): string {
  return join(folder, `${group.replaceAll(" ", "-")}.db`);
}

/** Nodes with everything that a lane can end at. */
export class FarEnds {
  readonly #clock: Clock;
  readonly #nodes = new Map<
    string,
    { readonly node: CloudNode; readonly serial: SerialFarEnd; readonly keepAliveSeconds: number }
  >();
  readonly #sink: Server = createServer((socket) => socket.resume());

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sink.listen(0, "127.0.0.1");
  }

  async open(
    { name, acks, keepAliveSeconds = DEFAULT_MQTT_KEEP_ALIVE_SECONDS }: WireGroup,
    storeFile: string,
  ): Promise<void> {
    const broker = { kind: "embedded", port: 0, host: "127.0.0.1" } as const;
    const doors = { broker, tcpPort: 0, tcpHost: "127.0.0.1" };
    const node = await CloudNode.open({ storeFile, ...doors, acks, logger: SILENT_LOGGER, clock: this.#clock });
    const serial = await SerialFarEnd.open(node, this.#clock, systemRandom());
    this.#nodes.set(name, { node, serial, keepAliveSeconds });
    if (!this.#sink.listening) await once(this.#sink, "listening");
  }

  of(plan: LanePlan, speed: number): LaneEnds {
    const [first] = this.#nodes.values();
    const { node, serial, keepAliveSeconds } = this.#nodes.get(plan.acks) ?? first ?? {};
    if (node === undefined || serial === undefined || keepAliveSeconds === undefined)
      throw new BenchError("unknown-name", { acks: plan.acks });
    return {
      mqttUrl: node.mqttUrl ?? "",
      tcpPort: node.tcpPort ?? 0,
      serialPort: serial.port,
      sinkPort: this.#sinkPort,
      keepAliveSeconds: keepAliveSeconds / speed,
      tcpKeepAliveMs: DEFAULT_TCP_KEEP_ALIVE_MS / speed,
      clock: this.#clock,
    };
  }

  get ports(): number[] {
    return [...this.#nodes.values()]
      .flatMap(({ node, serial }) => [Number(new URL(node.mqttUrl ?? "").port), node.tcpPort ?? 0, serial.port])
      .concat(this.#sinkPort);
  }

  get #sinkPort(): number {
    return (this.#sink.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const { node, serial } of this.#nodes.values()) {
      serial.close();
      await node.close();
    }
    this.#sink.close();
  }
}
