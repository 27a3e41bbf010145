import { decodeFrame, isSequenced } from "@lockstep/protocol";
import { afterEach, expect, test } from "vitest";
import { below, MUTATIONS, type MutationSources } from "./frame-mutations.ts";
import { SEED, seededFor } from "./seed.ts";
import { FRAME_SAMPLES, TestBed, type TestDevice } from "./test-bed.ts";
import { UplinkTap } from "./uplink-tap.ts";

const MUTATIONS_IN_ALL = 10_000;
/** Ahead of each message of the device, on average. */
const PER_MESSAGE = 6;

let bed: TestBed | undefined;
afterEach(async () => {
  await bed?.close();
  bed = undefined;
});

/** A device of which everything passes through a test's hands. */
async function tappedDevice(
  running: TestBed,
  id: string,
  index: number,
): Promise<{ tap: UplinkTap; device: TestDevice }> {
  const tap = new UplinkTap(running.node);
  const device = await running.device(id, tap.transport, { index });
  await running.until(`${id} is welcome`, () => device.session.stats().phase === "live");
  return { tap, device };
}

const sequenced = (messages: readonly Uint8Array[]) => messages.filter((bytes) => isSequenced(decodeFrame(bytes)));

test(`${MUTATIONS_IN_ALL} seeded mutations among genuine frames are refused and counted, and spoil nothing`, async () => {
  const random = seededFor("mutations");
  const running = new TestBed(SEED, random);
  bed = running;
  const node = await running.startNode();
  const other = await tappedDevice(running, "other", 1);
  other.device.take(2_000 * FRAME_SAMPLES);
  await other.device.drain();
  const foreign = sequenced(other.tap.sent);
  const { tap, device } = await tappedDevice(running, "genuine", 0);
  const [birthBytes = new Uint8Array(0)] = tap.sent;
  const birth = decodeFrame(birthBytes);
  if (birth.kind !== "birth") throw new RangeError(birth.kind);
  const frames: Uint8Array[] = [];
  const sources: MutationSources = { frames, birth, takeForeign: () => foreign.shift() };

  const names = Object.keys(MUTATIONS);
  const made = new Map<string, number>(names.map((name) => [name, 0]));
  let count = 0;
  tap.ahead = (bytes) => {
    if (isSequenced(decodeFrame(bytes))) frames.push(bytes);
    if (frames.length > 40) frames.shift();
    for (let i = below(random, 2 * PER_MESSAGE + 1); i > 0 && count < MUTATIONS_IN_ALL; i -= 1) {
      const name = names[below(random, names.length)] ?? "noise";
      const victim = below(random, 8) === 0 ? birthBytes : (frames[below(random, frames.length)] ?? bytes);
      const mutation = MUTATIONS[name];
      // Half of them are made of the very frame that comes next, so that the spoilt one stands in its place.
      const spoilt = mutation?.(below(random, 2) === 0 ? bytes : victim, sources, random);
      if (spoilt === undefined) continue;
      tap.inject(spoilt);
      made.set(name, (made.get(name) ?? 0) + 1);
      count += 1;
    }
  };
  const before = total(node.counters());
  for (let round = 0; count < MUTATIONS_IN_ALL; round += 1) {
    device.take(FRAME_SAMPLES);
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (round % 16 === 0) await device.session.settled(32, 600_000);
  }
  expect(await device.drain()).toBe(true);

  for (const name of names) expect(made.get(name)).toBeGreaterThan(MUTATIONS_IN_ALL / names.length / 2);
  process.stdout.write(`${JSON.stringify(Object.fromEntries(made))}\n${JSON.stringify(node.counters())}\n`);
  // A frame of the device's own that comes again may be just the one that was asked for.
  const refusals = MUTATIONS_IN_ALL - (made.get("replay of an own frame") ?? 0);
  expect(total(node.counters()) - before).toBeGreaterThanOrEqual(refusals);
  const view = node.device("genuine");
  expect(view?.confirmed.samples).toBe(device.next);
  for (const { id, taken } of [
    { id: "genuine", taken: device.next },
    { id: "other", taken: other.device.next },
  ]) {
    const audit = await running.audit(id, id === "genuine" ? 0 : 1);
    expect(audit).toMatchObject({ lostFrames: 0, missingSamples: 0, inventedSamples: 0, gaps: 0 });
    expect(audit.storedSamples).toBe(taken);
    expect(audit.maxErrorOverEps).toBeLessThanOrEqual(1);
    expect(audit.reference.every(({ badSeals }) => badSeals === 0)).toBe(true);
  }
});

test("a keyframe of another device is refused even where its epoch and number are those expected", async () => {
  const running = new TestBed(SEED, seededFor("a foreign keyframe"));
  bed = running;
  await running.startNode();
  const other = await tappedDevice(running, "other", 1);
  other.device.take(FRAME_SAMPLES);
  await other.device.drain();
  const { tap, device } = await tappedDevice(running, "genuine", 0);
  for (const bytes of sequenced(other.tap.sent)) tap.inject(bytes);
  device.take(10 * FRAME_SAMPLES);
  expect(await device.drain()).toBe(true);
  const audit = await running.audit("genuine");
  expect(audit).toMatchObject({ lostFrames: 0, missingSamples: 0, inventedSamples: 0, gaps: 0 });
  expect(audit.maxErrorOverEps).toBeLessThanOrEqual(1);
});

function total(counters: Readonly<Record<string, number>>): number {
  return Object.entries(counters)
    .filter(([name]) => name.startsWith("refused.") || name.startsWith("frames."))
    .reduce((sum, [, count]) => sum + count, 0);
}
