import { expect, test } from "vitest";
import { Counters } from "../counters.ts";
import { SILENT_LOGGER } from "../logger.ts";
import type { TwinRegistry } from "../reconstructor/twin-registry.ts";
import type { FrameIntake } from "./frame-intake.ts";
import { type LinkClient, MqttLink } from "./mqtt-link.ts";

/** A device with the short topic l/1, as a registry finds it: by whatever has its number. */
const registry = {
  byAlias: (alias: string) => (Number.parseInt(alias, 36) === 1 ? { id: "pump" } : undefined),
  aliasOf: () => "1",
} as unknown as TwinRegistry;

test("a short topic counts in its own spelling alone, and only where any is granted", () => {
  let say: ((topic: string, payload: Buffer, packet: { retain: boolean }) => void) | undefined;
  const client = {
    connected: true,
    handleMessage() {},
    on(event: string, listener: typeof say) {
      if (event === "message") say = listener;
    },
    subscribe() {},
    publish() {},
    async endAsync() {},
  } as unknown as LinkClient;
  const heard: (string | undefined)[] = [];
  const intake = { receive: (_: Uint8Array, { device }: { device?: string }) => heard.push(device) };
  const counters = new Counters();
  let isGranting = true;
  new MqttLink({
    broker: { client: () => client },
    grantsAliases: () => isGranting,
    ...{ clientId: "node", group: "lockstep", logger: SILENT_LOGGER },
    intake: intake as unknown as FrameIntake,
    registry,
    counters,
  });
  const send = (topic: string) => say?.(topic, Buffer.from([1]), { retain: false });
  send("l/1");
  expect(heard).toEqual(["pump"]);
  for (const spelling of ["l/1_", "l/01", "l/1-x"]) send(spelling);
  isGranting = false;
  send("l/1");
  expect(heard).toEqual(["pump"]);
  expect(counters.get("refused.unknown-topic")).toBe(4);
});
