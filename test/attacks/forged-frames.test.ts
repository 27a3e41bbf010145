import { decodeFrame, encodeFrame, type Frame, splitMac } from "@lockstep/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AttackRig, FRAME_SAMPLES, rested, sealedBy, type Victim } from "./attack-rig.ts";

/** Somebody speaks to the node in a device's place. */
const DEVICE = "unit";
const OTHER = "other";
const FEW = 12 * FRAME_SAMPLES;

let rig: AttackRig;
beforeEach(() => {
  rig = new AttackRig();
});
afterEach(() => rig.close());

/** A device of which everything so far is confirmed, and frames of it that were said and did not arrive. */
async function heldBack(isKeyed = true): Promise<{ readonly victim: Victim; readonly frames: readonly Uint8Array[] }> {
  await rig.startNode();
  const victim = await rig.victim(DEVICE, { isKeyed });
  victim.take(FEW);
  expect(await victim.drain()).toBe(true);
  const said = victim.link.up.length;
  victim.link.passUp = () => [];
  victim.take(3 * FRAME_SAMPLES);
  victim.session.flush();
  await rested();
  return { victim, frames: victim.link.up.slice(said) };
}

/** Say what must not be believed; then the truth, which must. */
async function expectRefused(victim: Victim, forged: readonly Uint8Array[]): Promise<void> {
  expect(forged.length).toBeGreaterThan(0);
  const before = rig.twin(DEVICE);
  for (const [i, bytes] of forged.entries()) {
    const total = sumOf(rig.refused());
    victim.link.sayUp(bytes);
    if (sumOf(rig.refused()) !== total + 1) expect.fail(`message ${i} was not refused: ${hex(bytes)}`);
  }
  await rested();
  expect(rig.twin(DEVICE)).toEqual(before);
  victim.link.passUp = (bytes) => [bytes];
  expect(await victim.drain()).toBe(true);
  expect(await rig.audit(DEVICE)).toBe(FEW + 3 * FRAME_SAMPLES);
}

const sumOf = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((sum, one) => sum + one, 0);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** One message of each kind that the device says, sealed as it does. */
function everyKind({ nonce }: Victim, frames: readonly Uint8Array[], births: readonly Uint8Array[]): Uint8Array[] {
  const key = rig.keys.add(DEVICE);
  const link = { direction: "up", nonce, device: DEVICE } as const;
  const others: Frame[] = [
    { kind: "status", nonce, epoch: 1, oldest: 0, next: 12, evicted: 0, ringFill: 0, timeUs: 0 },
    { kind: "presence", nonce, online: false },
  ];
  return [
    ...births.slice(0, 1),
    ...frames.slice(0, 2),
    ...others.map((frame) => sealedBy(key, encodeFrame(frame), link)),
  ];
}

test("with any bit of any frame turned, it is refused", async () => {
  const { victim, frames } = await heldBack();
  const messages = everyKind(victim, frames, victim.link.up);
  const forged = messages.flatMap((message) =>
    Array.from(message, (byte, at) =>
      Array.from({ length: 8 }, (_, bit) => message.with(at, byte ^ (1 << bit))),
    ).flat(),
  );
  expect(forged.length).toBeGreaterThan(1_500);
  await expectRefused(victim, forged);
});

test("cut anywhere, it is refused", async () => {
  const { victim, frames } = await heldBack();
  const messages = everyKind(victim, frames, victim.link.up);
  const forged = messages.flatMap((message) =>
    Array.from({ length: message.length }, (_, at) => message.subarray(0, at)),
  );
  await expectRefused(victim, forged);
});

test("without its MAC, a frame that is right in all else is refused: there is no way down to a seal of four", async () => {
  const { victim, frames } = await heldBack();
  const plain = everyKind(victim, frames, victim.link.up).map((message) => splitMac(message)?.frame ?? message);
  for (const bytes of plain) expect(() => decodeFrame(bytes)).not.toThrow();
  await expectRefused(victim, plain);
  expect(rig.refused()["no-mac"]).toBe(plain.length);
});

test("the same frames without a MAC are taken of a device without a key: the tests here can fail", async () => {
  const { victim, frames } = await heldBack(false);
  const before = rig.twin(DEVICE);
  for (const bytes of frames) victim.link.sayUp(bytes);
  await rested();
  expect(rig.twin(DEVICE)?.receivedSamples).toBeGreaterThan(before?.receivedSamples ?? 0);
});

test("the MAC of another device, another boot, the other direction or no key is refused", async () => {
  const { victim, frames } = await heldBack();
  const { nonce } = victim;
  const own = rig.keys.add(DEVICE);
  const up = { direction: "up", nonce, device: DEVICE } as const;
  const plain = everyKind(victim, frames, victim.link.up).map((message) => splitMac(message)?.frame ?? message);
  const forged = plain.flatMap((bytes) => [
    sealedBy(rig.keys.add(OTHER), bytes, up),
    sealedBy(rig.keys.add(OTHER), bytes, { ...up, device: OTHER }),
    sealedBy(own, bytes, { ...up, device: OTHER }),
    sealedBy(own, bytes, { ...up, nonce: nonce ^ 1 }),
    sealedBy(own, bytes, { ...up, direction: "down" }),
    sealedBy(new Uint8Array(32), bytes, up),
  ]);
  await expectRefused(victim, forged);
});

test("a made-up birth in its name is refused, and the device goes on", async () => {
  const { victim } = await heldBack();
  const [message = new Uint8Array()] = victim.link.up;
  const birth = decodeFrame(splitMac(message)?.frame ?? message);
  if (birth.kind !== "birth") expect.fail(birth.kind);
  const forged = [1, 2, 3].flatMap((nonce) => {
    const bytes = encodeFrame({ ...birth, nonce, epoch: nonce === 3 ? 0xffff_fff0 : 0 });
    return [bytes, sealedBy(new Uint8Array(32), bytes, { direction: "up", nonce, device: DEVICE })];
  });
  await expectRefused(victim, forged);
  expect(rig.events.filter(({ kind }) => kind === "unproven")).not.toEqual([]);
});

test("what the node said to a device, said back to it, is refused", async () => {
  const { victim } = await heldBack();
  expect(victim.link.down.length).toBeGreaterThan(1);
  await expectRefused(victim, [...victim.link.down]);
});

test("a device that has a key and was never heard is shown as refused when somebody speaks in its name without it", async () => {
  await rig.startNode();
  rig.keys.add(OTHER);
  const unkeyed = await rig.victim(OTHER, { isKeyed: false });
  await rig.until("its birth was refused", () => (rig.refused()["no-mac"] ?? 0) > 0);
  expect(rig.node.refused()).toMatchObject([{ id: OTHER, reason: "no-mac" }]);
  expect(unkeyed.session.stats().phase).toBe("greeting");
});
