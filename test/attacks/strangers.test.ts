import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { tcpTransport } from "@lockstep/edge-sdk";
import { encodeStreamFrame, splitMac } from "@lockstep/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AttackRig, FRAME_SAMPLES, rested } from "./attack-rig.ts";

/** Over TCP nobody logs in: once a device has a key, those without are not heard, and nobody has another's name. */
const DEVICE = "unit";
const FEW = 12 * FRAME_SAMPLES;

let rig: AttackRig;
const sockets: Socket[] = [];
beforeEach(() => {
  rig = new AttackRig();
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await rig.close();
});

async function stranger(): Promise<Socket> {
  const socket = connect(rig.node.tcpPort ?? expect.fail("no port"), "127.0.0.1");
  socket.on("error", () => {});
  sockets.push(socket);
  await once(socket, "connect");
  return socket;
}

function transport() {
  return tcpTransport({ url: `tcp://127.0.0.1:${rig.node.tcpPort}`, clock: rig.clock, random: { uint32: () => 7 } });
}

test("a device that was given no key is not heard once another has one", async () => {
  await rig.startNode({ tcpPort: 0 });
  rig.keys.add(DEVICE);
  const other = await rig.victim("nobody", { isKeyed: false, transport: transport() });
  other.take(FEW);
  other.session.flush();
  await rig.until("its birth is refused", () => (rig.refused()["not-admitted"] ?? 0) > 0);
  expect(other.session.stats().phase).toBe("greeting");
  expect(rig.node.devices()).toEqual([]);
});

test("while no device has a key, it is: the test above can fail", async () => {
  await rig.startNode({ tcpPort: 0 });
  const other = await rig.victim("nobody", { isKeyed: false, transport: transport() });
  other.take(FEW);
  expect(await other.drain()).toBe(true);
  expect(rig.refused()).toEqual({});
});

test("a device with its key is heard over TCP, and a recording of it on another connection takes nothing from it", async () => {
  await rig.startNode({ tcpPort: 0 });
  const tapped = await rig.victim(DEVICE);
  tapped.take(FEW);
  expect(await tapped.drain()).toBe(true);
  const recorded = tapped.link.up.filter((bytes) => splitMac(bytes) !== undefined);
  await tapped.session.destroy();
  const victim = await rig.victim(DEVICE, { transport: transport() });
  victim.take(FEW);
  expect(await victim.drain()).toBe(true);
  const before = rig.twin(DEVICE);
  const socket = await stranger();
  for (const bytes of recorded) socket.write(encodeStreamFrame(bytes));
  await rig.until("its birth is refused", () => (rig.refused()["replayed-birth"] ?? 0) > 0);
  await rested();
  expect(rig.twin(DEVICE)).toEqual(before);
  victim.take(FEW);
  expect(await victim.drain()).toBe(true);
  expect(await rig.audit(DEVICE)).toBe(3 * FEW);
});
