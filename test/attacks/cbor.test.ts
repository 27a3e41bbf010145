import { once } from "node:events";
import { connect } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { encodeFrame, encodeStreamFrame, MAX_FRAME_BYTES } from "@lockstep/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AttackRig, FRAME_SAMPLES, rested } from "./attack-rig.ts";

/** Messages made to cost their reader memory, time or stack; sizes and depths that no frame has. */
const DEVICE = "unit";
const FEW = 4 * FRAME_SAMPLES;
/** Far beyond what a reader that calls itself for each level would survive. */
const DEEP = 60_000;
/** What a message may cost the node, at most: far below what those below claim to hold. */
const MEMORY_BYTES = 64 * 2 ** 20;

let rig: AttackRig;
beforeEach(() => {
  rig = new AttackRig();
});
afterEach(() => rig.close());

const bytes = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
const repeated = (head: string, count: number) => bytes(head.replaceAll(" ", "").repeat(count));

/** Heads of frames whose next element is made to be what it must not be. */
const HOSTILE: readonly (readonly [what: string, message: Uint8Array])[] = [
  ["arrays in arrays", repeated("81", DEEP)],
  ["arrays of indefinite length in each other", repeated("9f", DEEP)],
  ["maps in maps", repeated("a1 00", DEEP / 2)],
  ["tags on tags", repeated("c1", DEEP)],
  ["arrays in a frame's place for a number", bytes(`86 10 ${"81".repeat(DEEP)}`)],
  ["a frame in a frame", bytes(`86 10 00 00 00 ${"8610000000".repeat(DEEP / 8)}`)],
  ["an array of 2^64 - 1 elements", bytes("9b ffffffffffffffff")],
  ["an array of 2^32 - 1 elements", bytes("9a ffffffff")],
  ["a payload of 2^64 - 1 bytes", bytes("86 10 00 00 00 5b ffffffffffffffff")],
  ["a payload of 2^31 bytes", bytes("86 10 00 00 00 5a 80000000")],
  ["a payload of indefinite length", bytes("86 10 00 00 00 5f 4100 ff 44 00000000")],
  [
    "a birth with 2^32 - 1 channels",
    bytes(`8c 17 64 756e6974 01 00 5820 ${"00".repeat(32)} 01 01 01 00 60 9a ffffffff`),
  ],
  ["a name of 2^32 - 1 bytes", bytes("8c 17 7a ffffffff")],
  ["a status whose missing numbers are arrays", bytes(`89 15 ${"80".repeat(8)}`)],
  ["an ack of ten thousand holes", bytes(`86 14 00 01 00 99 2710 ${"0001".repeat(5000)} 44 00000000`)],
  ["a flash frame of the longest kind that there is not", bytes(`98 ff 18 1b 00 01 ${"00".repeat(253)}`)],
  ["more bytes than a frame may have", new Uint8Array(MAX_FRAME_BYTES + 1)],
  ["a megabyte", new Uint8Array(2 ** 20).fill(0x81)],
  ["nothing", new Uint8Array()],
];

test.for([true, false])("hostile messages are refused one by one, and cost little: with keys %s", async (isKeyed) => {
  await rig.startNode();
  const victim = await rig.victim(DEVICE, { isKeyed });
  victim.take(FEW);
  expect(await victim.drain()).toBe(true);
  const before = rig.twin(DEVICE);
  for (const [what, message] of HOSTILE) {
    const total = sumOf(rig.refused());
    const heap = process.memoryUsage().rss;
    victim.link.sayUp(message);
    rig.stranger()(message);
    expect(sumOf(rig.refused()), what).toBe(total + 2);
    expect(process.memoryUsage().rss - heap, what).toBeLessThan(MEMORY_BYTES);
  }
  await rested();
  expect(rig.twin(DEVICE)).toEqual(before);
  victim.take(FEW);
  expect(await victim.drain()).toBe(true);
  expect(await rig.audit(DEVICE)).toBe(2 * FEW);
});

test("over TCP they end at most their own connection, and a length without a frame behind it holds nothing up", async () => {
  await rig.startNode({ tcpPort: 0 });
  const victim = await rig.victim(DEVICE);
  victim.take(FEW);
  expect(await victim.drain()).toBe(true);
  const before = rig.twin(DEVICE);
  const port = rig.node.tcpPort ?? expect.fail("no port");
  const fitting = HOSTILE.map(([, message]) => message).filter(({ length }) => length > 0 && length <= MAX_FRAME_BYTES);
  const total = sumOf(rig.refused());
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  for (const message of fitting) socket.write(encodeStreamFrame(message));
  await rig.until("all are refused", () => sumOf(rig.refused()) >= total + fitting.length);
  // A frame of 65,535 bytes that never comes.
  socket.write(Uint8Array.of(0xff, 0xff));
  victim.take(FEW);
  expect(await victim.drain()).toBe(true);
  expect(rig.twin(DEVICE)?.epoch).toBe(before?.epoch);
  socket.destroy();
  expect(await rig.audit(DEVICE)).toBe(2 * FEW);
});

test("fragments that claim more than they bring keep nothing but themselves", async () => {
  await rig.startNode();
  const victim = await rig.victim(DEVICE);
  victim.take(FEW);
  expect(await victim.drain()).toBe(true);
  const before = rig.twin(DEVICE);
  const held = heldBytes();
  const chunk = new Uint8Array(60_000);
  for (let id = 0; id < 2_000; id++) {
    victim.link.sayUp(encodeFrame({ kind: "fragment", id, index: id % 2, count: 255, chunk }));
  }
  // 120 MB were sent. What was collected is given back by another thread, in its own time.
  await expect.poll(() => heldBytes() - held, { timeout: 10_000 }).toBeLessThan(MEMORY_BYTES / 4);
  expect(rig.twin(DEVICE)).toEqual(before);
  victim.take(FEW);
  expect(await victim.drain()).toBe(true);
  expect(await rig.audit(DEVICE)).toBe(2 * FEW);
});

/** Memory that is in use, without what only waits to be collected. */
function heldBytes(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc()");
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, one) => sum + one, 0);
}
