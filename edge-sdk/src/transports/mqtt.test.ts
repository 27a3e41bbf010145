import { once } from "node:events";
import { createServer } from "node:net";
import { Aedes } from "aedes";
import { connectAsync } from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import { systemRandom } from "../random-source.ts";
import { transportSuite } from "../transport.suite.ts";
import { TransportError } from "../transport.ts";
import { brokerFarEnd } from "./mqtt.suite.ts";
import { mqttTransport } from "./mqtt.ts";

let broker: Aedes;
const server = createServer({ noDelay: true });
let url = "";
let devices = 0;

beforeAll(async () => {
  broker = await Aedes.createBroker();
  server.on("connection", (socket) => broker.handle(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  url = `mqtt://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
});

afterAll(async () => {
  await new Promise<void>((resolve) => broker.close(() => resolve()));
  await new Promise((resolve) => server.close(resolve));
});

transportSuite("mqtt over aedes", () => {
  devices += 1;
  return brokerFarEnd(url, `dev-${devices}`);
});

const quiet = { disconnected() {}, message() {}, drained() {} };
const open = async (device: string, will: Uint8Array) => {
  const transport = mqttTransport({ url, group: "test", device, clock: systemClock(), random: systemRandom() });
  await new Promise<void>((connected) => void transport.open({ ...quiet, connected }, will));
  return transport;
};
const observe = async (topic: string) => {
  const observer = await connectAsync(url, { protocolVersion: 4 });
  const messages: { topic: string; payload: Buffer; retain: boolean; qos: number }[] = [];
  const waiters: (() => void)[] = [];
  observer.on("message", (name, payload, { retain, qos }) => {
    messages.push({ topic: name, payload, retain, qos });
    for (const wake of waiters.splice(0)) wake();
  });
  await observer.subscribeAsync(topic, { qos: 1 });
  return {
    async next() {
      for (;;) {
        const message = messages.shift();
        if (message !== undefined) return message;
        await new Promise<void>((resolve) => waiters.push(resolve));
      }
    },
    close: () => observer.endAsync(),
  };
};

test("a birth and a presence are retained for whoever comes later, frames are not", async () => {
  const transport = await open("retained", Uint8Array.of(9));
  transport.send("birth", Uint8Array.of(1));
  transport.send("frames", Uint8Array.of(2));
  transport.send("presence", Uint8Array.of(3));
  await transport.close();
  const observer = await observe("ls/v1/test/retained/#");
  const seen = [await observer.next(), await observer.next()].map(({ topic, payload, retain, qos }) => [
    topic.at(-1),
    payload[0],
    retain,
    qos,
  ]);
  expect(seen.sort()).toEqual([
    ["b", 1, true, 1],
    ["s", 3, true, 1],
  ]);
  await observer.close();
});

test("frames go to the short topic once it was granted", async () => {
  const observer = await observe("#");
  const transport = await open("aliased", Uint8Array.of(9));
  transport.useAlias("a7");
  transport.send("frames", Uint8Array.of(5));
  for (;;) {
    const { topic, payload, qos } = await observer.next();
    if (!topic.startsWith("l/")) continue;
    expect([topic, payload[0], qos]).toEqual(["l/a7", 5, 0]);
    break;
  }
  await transport.close();
  await observer.close();
});

test("a device that vanishes leaves its will, a device that says good-bye does not", async () => {
  const observer = await observe("ls/v1/test/will/s");
  const polite = await open("will", Uint8Array.of(8));
  polite.send("presence", Uint8Array.of(7));
  await polite.close();
  const lost = await open("will", Uint8Array.of(9));
  await lost.destroy();
  const seen = [await observer.next(), await observer.next()].map(({ payload }) => payload[0]);
  expect(seen).toEqual([7, 9]);
  await observer.close();
});

test("an address that is not one of a broker is refused with its form", () => {
  const create = (bad: string) => () =>
    mqttTransport({ url: bad, group: "g", device: "d", clock: systemClock(), random: systemRandom() });
  for (const bad of ["localhost:1883", "http://localhost", "mqtt://", ""]) expect(create(bad)).toThrow(TransportError);
});

test.each([
  [undefined, 90],
  [600, 600],
])("the broker is told how long to wait for a sign of life: %s is %i s", async (keepAliveSeconds, told) => {
  const observed = once(server, "connection").then(([socket]) => once(socket, "data"));
  const common = { url, group: "test", device: `patient-${told}`, clock: systemClock(), random: systemRandom() };
  const transport = mqttTransport({ ...common, keepAliveSeconds });
  await new Promise<void>((connected) => void transport.open({ ...quiet, connected }, Uint8Array.of(1)));
  const [packet]: Buffer[] = await observed;
  // CONNECT: the protocol's name, its level, flags, keep-alive (MQTT 3.1.1, 3.1.2).
  expect(packet?.readUInt16BE(packet.indexOf("MQTT") + 6)).toBe(told);
  await transport.close();
});
