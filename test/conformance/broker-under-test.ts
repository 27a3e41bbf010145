import { join } from "node:path";
import { CloudNode, SILENT_LOGGER, systemClock } from "@lockstep/cloud-node";
import type { RigBroker } from "../faults/kill-rig.ts";
import { Mosquitto } from "../faults/mosquitto.ts";
import { NatsServer } from "../faults/nats-server.ts";

/** A running broker, and how to end it. */
export interface BrokerUnderTest {
  readonly port: number;
  readonly url: string;
  stop(): Promise<void>;
}

/** Start one. @param folder  for its files */
export async function openBroker(broker: RigBroker, folder: string): Promise<BrokerUnderTest> {
  if (broker === "mosquitto") return Mosquitto.start(folder);
  if (broker === "nats-server") return NatsServer.start(folder);
  const node = await openNode(folder, { kind: "embedded", port: 0, host: "127.0.0.1" });
  const url = node.mqttUrl ?? "";
  return { port: Number(new URL(url).port), url, stop: () => node.close() };
}

/** A node of another group than any that is looked at. @throws {BrokerError} when it does not accept the broker */
export function openNode(folder: string, broker: Parameters<typeof CloudNode.open>[0]["broker"]): Promise<CloudNode> {
  return CloudNode.open({
    storeFile: join(folder, "store.db"),
    broker,
    group: "the-node",
    logger: SILENT_LOGGER,
    clock: systemClock(),
  });
}
