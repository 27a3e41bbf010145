import { splitMac } from "@lockstep/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AttackRig, FRAME_SAMPLES, rested } from "./attack-rig.ts";
import { AttackedLink } from "./attacked-link.ts";

/** Whoever has heard a whole session says it again. */
const DEVICE = "unit";
const FEW = 12 * FRAME_SAMPLES;

let rig: AttackRig;
beforeEach(() => {
  rig = new AttackRig();
});
afterEach(() => rig.close());

test("a session replayed while its device lives changes nothing of the twin, and loses nothing", async () => {
  await rig.startNode();
  const victim = await rig.victim(DEVICE);
  victim.take(FEW);
  expect(await victim.drain()).toBe(true);
  const before = rig.twin(DEVICE);
  const recorded = [...victim.link.up];
  expect(recorded.length).toBeGreaterThan(FEW / FRAME_SAMPLES);
  const say = rig.stranger();
  for (const bytes of recorded) say(bytes);
  for (const bytes of recorded) victim.link.sayUp(bytes);
  await rested();
  expect(rig.twin(DEVICE)).toEqual(before);
  victim.take(FEW);
  expect(await victim.drain()).toBe(true);
  expect(rig.twin(DEVICE)?.epoch).toBe(before?.epoch);
  expect(await rig.audit(DEVICE)).toBe(2 * FEW);
});

test("the session of a boot that is over is refused whole, whoever says it, before and after a restart of the node", async () => {
  await rig.startNode();
  const first = await rig.victim(DEVICE);
  first.take(FEW);
  expect(await first.drain()).toBe(true);
  const recorded = [...first.link.up];
  await first.session.destroy();
  const second = await rig.victim(DEVICE);
  second.take(FEW);
  expect(await second.drain()).toBe(true);
  for (const restarts of [0, 1]) {
    const before = rig.twin(DEVICE);
    const counted = rig.refused();
    const say = rig.stranger();
    for (const bytes of recorded) say(bytes);
    await rested();
    expect(rig.twin(DEVICE), `${restarts}`).toEqual(before);
    // The stranger's connection never gets past the birth: what follows is of nobody.
    expect((rig.refused()["replayed-birth"] ?? 0) - (counted["replayed-birth"] ?? 0)).toBeGreaterThan(0);
    for (const bytes of recorded) second.link.sayUp(bytes);
    await rested();
    expect(rig.twin(DEVICE), `${restarts}, on the device's own line`).toEqual(before);
    expect((rig.refused()["bad-mac"] ?? 0) - (counted["bad-mac"] ?? 0)).toBeGreaterThanOrEqual(FEW / FRAME_SAMPLES);
    if (restarts === 0) {
      await rig.stopNode();
      await rig.startNode();
      rig.node.attach(second.link.far);
      await rig.until("the device is back", () => second.session.stats().phase === "live");
    }
  }
  second.take(FEW);
  expect(await second.drain()).toBe(true);
  expect(await rig.audit(DEVICE)).toBe(3 * FEW);
});

test("without keys the same replay takes the twin away from its device: the test above can fail", async () => {
  await rig.startNode();
  const first = await rig.victim(DEVICE, { isKeyed: false });
  first.take(FEW);
  expect(await first.drain()).toBe(true);
  const [birth] = first.link.up;
  await first.session.destroy();
  const second = await rig.victim(DEVICE, { isKeyed: false });
  second.take(FEW);
  expect(await second.drain()).toBe(true);
  const answers: Uint8Array[] = [];
  rig.stranger((bytes) => answers.push(bytes))(birth ?? new Uint8Array());
  await rig.until("the replayed birth is welcomed", () => answers.length > 0);
  expect(rig.refused()).toEqual({});
});

test("a birth that was kept back until its boot was over locks the device out for half a minute, not for good", async () => {
  await rig.startNode();
  const link = new AttackedLink();
  link.passUp = () => [];
  const first = await rig.victim(DEVICE, { link });
  await rig.until("the birth was said", () => first.link.up.length > 0);
  const [keptBack] = first.link.up;
  await first.session.destroy();
  const second = await rig.victim(DEVICE);
  second.take(FEW);
  expect(await second.drain()).toBe(true);
  rig.stranger()(keptBack ?? new Uint8Array());
  await rested();
  second.take(FEW);
  expect(await second.drain()).toBe(true);
  expect(rig.refused()["bad-mac"] ?? 0).toBeGreaterThan(0);
  expect(await rig.audit(DEVICE)).toBe(2 * FEW);
});

test("frames of an earlier boot that wait in the ring are taken from the boot that sends them", async () => {
  await rig.startNode();
  const ringFile = `${rig.storeFile}.ring`;
  const first = await rig.victim(DEVICE, { ringFile });
  await rig.until("it is welcomed", () => first.session.stats().phase === "live");
  first.link.passUp = () => [];
  first.take(FEW);
  first.session.flush();
  const sent = first.link.up.length;
  expect(sent).toBeGreaterThan(0);
  await first.session.destroy();
  const second = await rig.victim(DEVICE, { ringFile });
  second.take(FEW);
  expect(await second.drain()).toBe(true);
  expect(rig.refused()).toEqual({});
  expect(await rig.audit(DEVICE)).toBe(2 * FEW);
});

test("what is stored has no MAC: sealed frames that are said again are duplicates of it", async () => {
  await rig.startNode();
  const victim = await rig.victim(DEVICE);
  victim.take(FEW);
  expect(await victim.drain()).toBe(true);
  expect(victim.link.up.every((bytes) => splitMac(bytes) !== undefined)).toBe(true);
  expect(rig.node.device(DEVICE)?.conflicts).toBe(0);
  for (const bytes of victim.link.up) victim.link.sayUp(bytes);
  await rig.until("they were compared", () => (rig.node.device(DEVICE)?.duplicates ?? 0) > 0);
  expect(rig.node.device(DEVICE)?.conflicts).toBe(0);
});
