import { type DownlinkFrame, encodeFrame, splitMac } from "@lockstep/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AttackRig, FRAME_SAMPLES, rested, sealedBy, type Victim } from "./attack-rig.ts";

/** Somebody answers a device in the node's place: what it believed would cost it its frames. */
const DEVICE = "unit";
const OTHER = "other";
const FEW = 12 * FRAME_SAMPLES;
const SID = 0x0102_0304;

let rig: AttackRig;
beforeEach(() => {
  rig = new AttackRig();
});
afterEach(() => rig.close());

/** All that a cloud can say to a boot. */
function answers({ nonce, session }: Victim): readonly DownlinkFrame[] {
  const { epoch, nextSeq } = session.stats();
  return [
    { kind: "ack", nonce, epoch, through: nextSeq, missing: [] },
    { kind: "ack", nonce, epoch, through: 0, missing: [{ from: 0, count: 8 }] },
    { kind: "welcome", nonce, epoch, through: nextSeq, alias: "zz", ackAgeMs: 86_400_000, timeUs: 0 },
    { kind: "resync", nonce, epoch, seq: nextSeq, reason: "frames-lost" },
    { kind: "refusal", nonce, reason: "conflict" },
    { kind: "flash", op: "ask", nonce },
    { kind: "flash", op: "end", nonce, sid: SID },
    { kind: "flash", op: "activate", nonce, sid: SID },
    { kind: "flash", op: "confirm", nonce, sid: SID },
    { kind: "flash", op: "abort", nonce, sid: SID },
  ];
}

/** A device that is live, holds frames, and from now on hears the attacker alone. */
async function cutOff(isKeyed = true): Promise<Victim> {
  await rig.startNode();
  const victim = await rig.victim(DEVICE, { isKeyed });
  victim.take(FEW);
  expect(await victim.drain()).toBe(true);
  victim.link.passDown = () => [];
  victim.link.passUp = () => [];
  victim.take(FEW);
  victim.session.flush();
  await rested();
  return victim;
}

/** What a forged answer must leave as it is. */
function stateOf({ session }: Victim) {
  const { phase, epoch, nextSeq, oldestSeq, unconfirmedFrames, acknowledgedFrames, refusal } = session.stats();
  return { phase, epoch, nextSeq, oldestSeq, unconfirmedFrames, acknowledgedFrames, refusal };
}

async function expectUnmoved(victim: Victim, forged: readonly Uint8Array[]): Promise<void> {
  const before = stateOf(victim);
  expect(before.unconfirmedFrames).toBeGreaterThan(0);
  expect(forged.length).toBeGreaterThan(0);
  for (const [i, bytes] of forged.entries()) {
    victim.link.sayDown(bytes);
    await rested();
    expect(stateOf(victim), `answer ${i}`).toEqual(before);
  }
  victim.link.passDown = (bytes) => [bytes];
  victim.link.passUp = (bytes) => [bytes];
  expect(await victim.drain()).toBe(true);
  expect(await rig.audit(DEVICE)).toBe(2 * FEW);
}

test("answers without a MAC change nothing", async () => {
  const victim = await cutOff();
  await expectUnmoved(victim, answers(victim).map(encodeFrame));
});

test("the same answers take frames from a device without a key: the tests here can fail", async () => {
  const victim = await cutOff(false);
  expect(stateOf(victim).unconfirmedFrames).toBeGreaterThan(0);
  const [ack] = answers(victim).map(encodeFrame);
  victim.link.sayDown(ack ?? new Uint8Array());
  await rested();
  expect(stateOf(victim).unconfirmedFrames).toBe(0);
});

test("answers sealed by another key, for another boot, another device or the other direction change nothing", async () => {
  const victim = await cutOff();
  const own = rig.keys.add(DEVICE);
  const { nonce } = victim;
  const down = { direction: "down", nonce, device: DEVICE } as const;
  const forged = answers(victim).flatMap((frame) => {
    const bytes = encodeFrame(frame);
    return [
      sealedBy(rig.keys.add(OTHER), bytes, down),
      sealedBy(new Uint8Array(32), bytes, down),
      sealedBy(own, bytes, { ...down, nonce: nonce ^ 1 }),
      sealedBy(own, bytes, { ...down, device: OTHER }),
      sealedBy(own, bytes, { ...down, direction: "up" }),
    ];
  });
  await expectUnmoved(victim, forged);
});

test("a right answer with any bit turned, or cut, or with its MAC left off, changes nothing", async () => {
  const victim = await cutOff();
  const key = rig.keys.add(DEVICE);
  const link = { direction: "down", nonce: victim.nonce, device: DEVICE } as const;
  const [ack = new Uint8Array()] = answers(victim).map((frame) => sealedBy(key, encodeFrame(frame), link));
  const forged = [
    ...Array.from(ack, (byte, at) => Array.from({ length: 8 }, (_, bit) => ack.with(at, byte ^ (1 << bit)))).flat(),
    ...Array.from({ length: 13 }, (_, cut) => ack.subarray(0, ack.length - 1 - cut)),
    splitMac(ack)?.frame ?? new Uint8Array(),
  ];
  await expectUnmoved(victim, forged);
});

test("what the node said to an earlier boot means nothing to the next one", async () => {
  await rig.startNode();
  const ringFile = `${rig.storeFile}.ring`;
  const first = await rig.victim(DEVICE, { ringFile });
  first.take(FEW);
  expect(await first.drain()).toBe(true);
  const recorded = [...first.link.down];
  expect(recorded.length).toBeGreaterThan(1);
  await first.session.destroy();
  const second = await rig.victim(DEVICE, { ringFile });
  await rig.until("it is welcomed", () => second.session.stats().phase === "live");
  second.link.passDown = () => [];
  second.link.passUp = () => [];
  second.take(FEW);
  second.session.flush();
  await rested();
  await expectUnmoved(second, recorded);
});

test("a right answer is believed: the tests here can fail for a device that hears nothing", async () => {
  const victim = await cutOff();
  const key = rig.keys.add(DEVICE);
  const link = { direction: "down", nonce: victim.nonce, device: DEVICE } as const;
  const [ack = new Uint8Array()] = answers(victim).map((frame) => sealedBy(key, encodeFrame(frame), link));
  victim.link.sayDown(ack);
  await rested();
  expect(stateOf(victim).unconfirmedFrames).toBe(0);
});
