import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { ManualClock } from "../manual-clock.suite.ts";
import { BrokerStream } from "./broker-stream.ts";
import { ChannelLink } from "./channel-link.ts";

const JOB = "ab".repeat(32);
const PIECE = Buffer.alloc(61_440, 7);
const PIECES = 40;
const MAC = (covered: Uint8Array) => createHmac("sha256", "key").update(covered).digest();
const KEYS = { send: MAC, receive: MAC };

/** Two links over a broker that delivers a message when it is told to. */
function links(clock: ManualClock) {
  const toThere: Buffer[] = [];
  const toHere: Buffer[] = [];
  const here: BrokerStream = new BrokerStream((message) => toThere.push(message), 0);
  const there: BrokerStream = new BrokerStream((message) => toHere.push(message), 0);
  const [sender, reader] = [new ChannelLink(here, clock), new ChannelLink(there, new ManualClock())];
  for (const link of [sender, reader]) link.begin(JOB, KEYS);
  /** @returns whether anything was delivered */
  const deliver = async (): Promise<boolean> => {
    const next = toThere.shift();
    if (next !== undefined) there.receive(next);
    const answers = toHere.splice(0);
    for (const answer of answers) here.receive(answer);
    await new Promise<void>((resolve) => setImmediate(resolve));
    return next !== undefined || answers.length > 0;
  };
  return { here, sender, reader, deliver };
}

test("what was sent before a link is closed is heard whole over a slow wire", async () => {
  const clock = new ManualClock();
  const { sender, reader, deliver } = links(clock);
  let heard = 0;
  const reading = (async () => {
    for await (const { payload } of reader.frames()) heard += payload.length;
  })();
  const sending = (async () => {
    for (let i = 0; i < PIECES; i++) await sender.send({ from: 1, to: 0, isLast: true, payload: PIECE });
    sender.close();
  })();
  let isOver = false;
  void reading.then(() => {
    isOver = true;
  });
  // Each message takes so long that a limit of time alone would cut them off.
  while (!isOver) {
    await deliver();
    clock.advance(1_500);
  }
  await sending;
  expect(heard).toBe(PIECES * PIECE.length);
});

test("a link that is closed does not wait for a side that takes nothing for 15 seconds", async () => {
  const clock = new ManualClock();
  const { here, sender, deliver } = links(clock);
  const sending = (async () => {
    for (let i = 0; i < 18; i++) await sender.send({ from: 1, to: 0, isLast: true, payload: PIECE });
  })();
  while (here.writableLength === 0) await new Promise<void>((resolve) => setImmediate(resolve));
  sender.close();
  clock.advance(14_000);
  await deliver();
  expect(here.destroyed).toBe(false);
  clock.advance(6_000);
  expect(here.destroyed).toBe(true);
  await sending.catch(() => undefined);
});

test("signs of life wait while there is no room for what is sent", async () => {
  const clock = new ManualClock();
  const { here, sender } = links(clock);
  const warned: Error[] = [];
  const warn = (warning: Error) => warned.push(warning);
  process.on("warning", warn);
  const sending = Array.from({ length: 24 }, () => sender.send({ from: 1, to: 0, isLast: true, payload: PIECE }));
  for (const one of sending) one.catch(() => undefined);
  const waiting = here.writableLength;
  for (let i = 0; i < 7; i++) clock.advance(2_000);
  expect(here.writableLength).toBe(waiting);
  expect(here.listenerCount("drain")).toBeLessThan(3);
  await new Promise<void>((resolve) => setImmediate(resolve));
  process.off("warning", warn);
  expect(warned).toEqual([]);
  sender.destroy();
});
