import { expect, test } from "vitest";
import { SILENT_LOGGER } from "./logger.ts";
import { ManualClock } from "./manual-clock.suite.ts";
import { NodeDoors, type NodeDoorsParts } from "./node-doors.ts";
import type { CloudNodeOptions } from "./node-options.ts";

/** Doors that were not opened yet, at a broker elsewhere. */
function doors(broker: CloudNodeOptions["broker"]): NodeDoors {
  const options = { storeFile: "node.db", broker, logger: SILENT_LOGGER, clock: new ManualClock() };
  return new NodeDoors({ options } as unknown as NodeDoorsParts);
}

test("nobody else goes to a broker as the user that the node is there: it may know its clients by them", () => {
  const url = "mqtts://lockstep-node@broker.example:8883";
  expect(doors({ kind: "external", url, login: { user: "lockstep-node", password: "x" } }).brokerReach).toBeNull();
  const reach = doors({ kind: "external", url: "mqtt://broker.example:1883" }).brokerReach;
  expect(reach).toMatchObject({ url: expect.stringContaining("broker.example:1883") });
});
