import { Loopback, type OutTopic } from "@lockstep/edge-sdk";
import { expect, test } from "vitest";
import { ManualClock } from "../manual-clock.ts";
import { seededRandom } from "../seeded-random.ts";
import { faultyTransport } from "./faulty-transport.ts";
import { cut, delay, type LinkFault, linkFault, PERFECT } from "./link-fault.ts";

/** A device behind a bad link, and what arrives at either end. */
async function openPair(up: LinkFault, down: LinkFault = PERFECT, capacity = 10_000) {
  const clock = new ManualClock();
  const loopback = new Loopback(capacity);
  const atCloud: { topic: OutTopic; byte: number }[] = [];
  const atDevice: number[] = [];
  const events: string[] = [];
  loopback.listen({
    connected() {},
    disconnected() {},
    message: (bytes, topic) => atCloud.push({ topic, byte: bytes[0] ?? 0 }),
  });
  const transport = faultyTransport(loopback.transport, { up, down, clock });
  await transport.open(
    {
      connected: () => events.push("connected"),
      disconnected: () => events.push("disconnected"),
      message: (bytes) => atDevice.push(bytes[0] ?? 0),
      drained: () => events.push("drained"),
    },
    Uint8Array.of(0),
  );
  await clock.advance(0);
  return { clock, loopback, transport, atCloud, atDevice, events };
}

test("a message arrives when its delay has passed, not before", async () => {
  const { clock, transport, atCloud } = await openPair(delay(50, 0, seededRandom(1)));
  transport.send("birth", Uint8Array.of(1));
  await clock.advance(49);
  expect(atCloud).toEqual([]);
  await clock.advance(1);
  expect(atCloud).toEqual([{ topic: "birth", byte: 1 }]);
});

test("both directions have faults of their own", async () => {
  const { clock, loopback, transport, atCloud, atDevice } = await openPair(PERFECT, cut([{ fromMs: 0, toMs: 100 }]));
  for (let i = 0; i < 10; i += 1) {
    transport.send("frames", Uint8Array.of(i));
    loopback.send(Uint8Array.of(i));
    await clock.advance(20);
  }
  expect(atCloud.length).toBe(10);
  expect(atDevice).toEqual([5, 6, 7, 8, 9]);
});

test("the same seed loses, doubles and reorders the same messages", async () => {
  const run = async () => {
    const faults = { loss: 0.2, duplicate: 0.2, reorder: 0.3, jitterMs: 5 };
    const { clock, transport, atCloud } = await openPair(linkFault(faults, seededRandom(11)));
    for (let i = 0; i < 200; i += 1) {
      transport.send("frames", Uint8Array.of(i));
      await clock.advance(1);
    }
    await clock.advance(1000);
    return atCloud.map(({ byte }) => byte);
  };
  const first = await run();
  expect(first.length).toBeGreaterThan(100);
  expect(await run()).toEqual(first);
});

test("what is under way when the connection breaks is lost with it", async () => {
  const { clock, loopback, transport, atCloud, events } = await openPair(delay(50, 0, seededRandom(1)));
  transport.send("frames", Uint8Array.of(1));
  loopback.drop("cut");
  await clock.advance(0);
  expect(events).toEqual(["connected", "disconnected"]);
  expect(transport.send("frames", Uint8Array.of(2))).toBe(false);
  await clock.advance(1000);
  expect([atCloud.length, clock.pending]).toEqual([0, 0]);
});

test("a link that is full refuses, and says when it takes more; nothing accepted is lost", async () => {
  const { clock, transport, atCloud, events } = await openPair(delay(50, 0, seededRandom(1)), PERFECT, 8);
  let accepted = 0;
  while (transport.send("frames", Uint8Array.of(accepted & 255))) accepted += 1;
  await clock.advance(1000);
  expect(events).toContain("drained");
  expect(atCloud.map(({ byte }) => byte)).toEqual(Array.from({ length: accepted }, (_, i) => i & 255));
});

test("a closed link leaves no timer behind", async () => {
  const { clock, transport } = await openPair(delay(50, 0, seededRandom(1)));
  transport.send("frames", Uint8Array.of(1));
  await transport.close();
  expect(clock.pending).toBe(0);
});
