import { connectAsync, type MqttClient } from "mqtt";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { EmbeddedBroker } from "./embedded-broker.ts";
import type { InProcessClient } from "./in-process-client.ts";
import { openBroker } from "./open-broker.suite.ts";

const TOPIC = (device: string) => `ls/v1/lockstep/${device}/c`;
/** More than fit on the stack, were each heard within the one before. */
const MANY = 20_000;
/** More than sockets keep for a reader that does not read. */
const MUCH = Buffer.alloc(60_000);

let broker: EmbeddedBroker;
let node: InProcessClient;
const clients: MqttClient[] = [];

beforeEach(async () => {
  broker = await openBroker();
  node = broker.client();
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.end(true);
  await node.endAsync();
  await broker.close();
});

async function listener(device: string): Promise<MqttClient> {
  const client = await connectAsync(`mqtt://127.0.0.1:${broker.port}`, { clientId: device, reconnectPeriod: 0 });
  clients.push(client);
  await client.subscribeAsync(TOPIC(device));
  return client;
}

test("twenty thousand messages to devices that are gone, behind some on their way, are taken", async () => {
  const reader = await listener("here");
  const last = new Promise<void>((resolve) => {
    reader.on("message", (_topic, payload) => {
      if (payload.toString() === "last") resolve();
    });
  });
  for (let i = 0; i < 300; i++) node.publish(TOPIC("here"), Buffer.from("early"));
  for (let i = 0; i < MANY; i++) node.publish(TOPIC(`gone-${i}`), Buffer.from("ack"));
  node.publish(TOPIC("here"), Buffer.from("last"));
  await last;
});

test("a reader that does not read holds up nobody who does not write to it", async () => {
  const frozen = await listener("frozen");
  const other = await listener("other");
  frozen.stream.pause();
  // Nothing of these is heard while it is frozen: sockets keep a few megabytes for it.
  for (let i = 0; i < 400; i++) node.publish(TOPIC("frozen"), MUCH);
  const heard = new Promise<string>((resolve) => {
    other.on("message", (_topic, payload) => resolve(String(payload)));
  });
  node.publish(TOPIC("other"), Buffer.from("on time"));
  expect(await heard).toBe("on time");
  // Not only because the frozen one was given up.
  const all = new Promise<string>((resolve) => {
    frozen.on("close", () => resolve("cut"));
    frozen.on("message", (_topic, bytes) => {
      if (bytes.length < MUCH.length) resolve("heard all");
    });
  });
  node.publish(TOPIC("frozen"), Buffer.from("last"));
  frozen.stream.resume();
  expect(await all).toBe("heard all");
});
