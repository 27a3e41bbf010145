import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrokerErrorCode } from "@lockstep/cloud-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RigBroker } from "../faults/kill-rig.ts";
import { requires } from "../os-package.ts";
import { BEHAVIOURS } from "./broker-behaviours.ts";
import { DIFFERENCES } from "./broker-differences.ts";
import { type BrokerUnderTest, openBroker, openNode } from "./broker-under-test.ts";

const LIMIT_MS = 60_000;
/** What a node tries before it relies on a broker, by what it says when that does not hold. */
const ACCEPTANCE: Readonly<Record<Exclude<BrokerErrorCode, "unreachable">, RegExp>> = {
  "no-qos-1": /^several subscriptions of one packet are granted/,
  "not-delivered": /^a message is delivered with the lower QoS/,
  "no-retained": /^a retained message reaches who subscribes later/,
  "packet-too-small": /^messages of 65535 bytes pass/,
};

test.each(Object.values(ACCEPTANCE))("what a node tries of a broker is one behaviour of these: %s", (name) => {
  expect(BEHAVIOURS.filter((behaviour) => name.test(behaviour.name)).length).toBe(1);
});

describe("the embedded broker", () => suite("embedded"));
requires("mosquitto")("mosquitto", () => suite("mosquitto"));
requires("nats-server")("the MQTT gateway of NATS", () => suite("nats-server"));

function suite(name: RigBroker): void {
  let folder: string;
  let broker: BrokerUnderTest;
  let places = 0;
  const place = () => {
    places += 1;
    return { port: broker.port, group: `g${places}` };
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lockstep-broker-"));
    broker = await openBroker(name, folder);
  });
  afterAll(async () => {
    await broker.stop();
    rmSync(folder, { recursive: true });
  });

  for (const behaviour of BEHAVIOURS) {
    test(behaviour.name, () => behaviour.check(place()), LIMIT_MS);
  }

  for (const { name: what, outcomes, look } of DIFFERENCES) {
    test(`${what}: ${outcomes.join(", or ")}`, async () => expect(outcomes).toContain(await look(place())), LIMIT_MS);
  }

  test("a node accepts it", async () => {
    const other = mkdtempSync(join(tmpdir(), "lockstep-accept-"));
    const node = await openNode(other, { kind: "external", url: broker.url });
    expect(node.health()).toEqual({ store: null, broker: null });
    await node.close();
    rmSync(other, { recursive: true });
  });
}
