import type { Firmware } from "qemu-wasm-runner";
import { afterEach, beforeAll, expect, test } from "vitest";
import { RawCloud } from "../conformance/raw-cloud.ts";
import { requires } from "../os-package.ts";
import { ack, EMPTY_STATE, FlashHistory, type KeptState, namesOf, ringOf, welcome } from "./flash-history.ts";
import { buildFlashHost, type FlashAnswer, type FlashPlan, FlashRig, NEVER } from "./flash-rig.ts";
import { readRing } from "./ring-frames.ts";
import { seededFor } from "./seed.ts";

/** A small chip: a ring of about twenty frames, so that every rule is met within some hundred operations. */
const SMALL: FlashPlan = {
  sectors: 10,
  sectorBytes: 1024,
  writeUnit: 8,
  ringBytes: 1800,
  outBytes: 256,
  frameSamples: 12,
};
const LARGE_UNITS: FlashPlan = { ...SMALL, writeUnit: 32, sectors: 14 };
/** Of boots that follow a cut; no other boot has it. */
const REBORN = 900_000;
/** Granted to those; above all others. */
const REBORN_EPOCH = 800_000;
/** What a boot after a cut goes on with: an epoch, samples, tidying, and one more boot. Answers 3 and 8 are rings. */
const GOES_ON = [
  ["R", 0, 0, welcome(REBORN, REBORN_EPOCH)],
  ["S", 12],
  ["T", 1000],
  ["D"],
  ["Z"],
  ["B", REBORN + 1],
  ["D"],
  ["Z"],
  ["Q"],
] as const;
/** Thousands of boots. */
const LONG = { timeout: 120_000 };
const TOO_SMALL = -210;
const GEOMETRY = -202;

requires("c-compiler")("the ring on flash", () => {
  let host: Firmware;
  let rig: FlashRig;
  beforeAll(async () => {
    host = await buildFlashHost();
  }, 60_000);
  afterEach(() => rig?.close());

  async function start(plan: FlashPlan): Promise<void> {
    rig = new FlashRig(host);
    await rig.begin(plan);
  }

  test.for([
    [SMALL, false],
    [SMALL, true],
    [LARGE_UNITS, false],
    [LARGE_UNITS, true],
    [{ ...SMALL, writeUnit: 1, garbage: 77 }, false],
  ] as const)(
    "holds the old state or the new one, at whichever operation power fails: %j, restless %j",
    LONG,
    async ([plan, isRestless]) => {
      const random = seededFor(`flash cuts, unit ${plan.writeUnit}, restless ${isRestless}`);
      const history = new FlashHistory(random, isRestless);
      await start(plan);
      let before = EMPTY_STATE;
      let cuts = 0;
      let isNew = 0;
      for (let n = 0; n < (isRestless ? 700 : 2000); n++) {
        const request = history.next();
        const started = (await rig.request("K")).operations;
        const done = await rig.request(...request);
        expect(done.status, `step ${n}: ${request[0]}`).toBeGreaterThanOrEqual(0);
        const operations = done.operations - started;
        const after = await history.observe(rig);
        // A unit of one byte has eight times as many operations, most of them alike.
        for (let k = 0; k < operations; k += plan.writeUnit === 1 ? 7 : 1) {
          const place = `step ${n} (${request[0]}), operation ${k} of ${operations}`;
          const seed = 1 + (random.uint32() >>> 1);
          const answers = await rig.ask(["L"], ["C", k, seed], request, ["B", REBORN], ["D"], ["Z"], ...GOES_ON);
          expect(answers[2]?.isOff, place).toBe(true);
          isNew += expectOneOf(stateOf(answers, 4), before, after, place);
          expectGoesOn(answers.slice(6), place);
          cuts += 1;
        }
        await rig.ask(["L"], request, ["C", NEVER]);
        before = after;
      }
      expect(cuts).toBeGreaterThan(500);
      expect(isNew).toBeGreaterThan(4);
      const { erases, currentSector, violations } = await rig.standing();
      expect(violations).toBe(0);
      expect(currentSector, "every sector was used, and used again").toBeGreaterThan(
        (isRestless ? 1.5 : 2) * plan.sectors,
      );
      // A boot while copies are being made gives their sector up.
      expect(Math.max(...erases) - Math.min(...erases)).toBeLessThanOrEqual(isRestless ? 3 : 1);
    },
  );

  test.for([
    [SMALL, 1],
    [LARGE_UNITS, 2],
    [{ ...SMALL, sectors: 16, writeUnit: 4, garbage: 5 }, 3],
  ] as const)(
    "every sample of a frame that was made arrives once, in order, through hundreds of cuts: %j (%i)",
    LONG,
    async ([plan, run]) => {
      const random = seededFor(`flash life ${run}`);
      await start(plan);
      const cloud = new RawCloud();
      const lostAt = new Set<number>();
      let nonce = 0;
      const exchange = async () => {
        for (let round = 0; round < 4; round++) {
          const { bytes, isOff } = await rig.request("P");
          if (isOff) return;
          const answers = messagesOf(bytes).flatMap((message) => cloud.take(message));
          if (cloud.birth !== undefined && random.uniform() < 0.5) answers.push(cloud.ackAll());
          for (const answer of answers) await rig.request("R", 0, 0, answer);
        }
      };
      for (let boots = 0; boots < 200; boots++) {
        // Some of the cuts come while a boot is still at work.
        const isLast = boots === 199;
        const first = Math.floor((random.uniform() < 0.3 ? 40 : 600) * random.uniform());
        await rig.request("C", isLast ? NEVER : first, 1 + (random.uint32() >>> 1));
        nonce += 1;
        let isOff = (await rig.request("B", nonce)).isOff;
        for (let step = 0; !isOff && step < 60; step++) {
          isOff = (await rig.request("S", 1 + Math.floor(6 * random.uniform()))).isOff;
          if (random.uniform() < 0.3) await exchange();
          if (random.uniform() < 0.2) await rig.request("T", 3);
        }
        if (isLast) await rig.request("F");
        lostAt.add((await rig.standing()).samples);
      }
      for (let n = 0; n < 5; n++) await exchange();
      const standing = await rig.standing();
      expect(standing).toMatchObject({ violations: 0, damaged: 0 });
      const times = cloud.rows.map(({ samples }) => samples[0] ?? -1);
      expect(cloud.badSeals).toBe(0);
      expect(times.length).toBeGreaterThan(standing.samples / 2);
      expect(times.at(-1)).toBe(standing.samples - 1);
      for (const [i, t] of times.entries()) {
        const expected = (times[i - 1] ?? -1) + 1;
        expect(t, `row ${i}: a sample again, or out of order`).toBeGreaterThanOrEqual(expected);
        if (t > expected) {
          // What a cut takes is the frame in hand, and the one that was being written.
          expect(lostAt, `samples ${expected}..${t - 1} are missing, and no power cut came then`).toContain(t);
          const cuts = [...lostAt].filter((when) => when > expected && when <= t).length;
          expect(t - expected).toBeLessThanOrEqual(2 * cuts * plan.frameSamples);
        }
      }
    },
  );

  test.for([1, 2])(
    "a rotten bit costs the frame that it hit and what needs that one, and never tells a lie (%i)",
    LONG,
    async (run) => {
      const random = seededFor(`flash rot ${run}`);
      const history = new FlashHistory(random, run === 2);
      await start(SMALL);
      const ever = new Set<string>();
      let state = EMPTY_STATE;
      for (let n = 0; n < 900 || state.frames.length < 8; n++) {
        await rig.request(...history.next());
        state = await history.observe(rig);
        for (const name of state.frames) ever.add(name);
      }
      // A grant that nothing follows: only its marks tell of it.
      await rig.ask(["B", REBORN - 1], ["R", 0, 0, welcome(REBORN - 1, REBORN_EPOCH - 1)]);
      state = await history.observe(rig);
      for (const name of state.frames) ever.add(name);
      await rig.request("K");
      let hits = 0;
      for (let at = random.uint32() % 7; at < SMALL.sectors * SMALL.sectorBytes; at += 7) {
        const bit = 1 << (random.uint32() % 8);
        const answers = await rig.ask(["L"], ["X", at, bit], ["B", REBORN], ["D"], ["Z"], ...GOES_ON);
        const place = `bit ${bit} at ${at}`;
        const found = stateOf(answers, 3);
        expect(found.granted, place).toBe(state.granted);
        expectOnlyHit(found.frames, state.frames, ever, place);
        if (found.frames.length < state.frames.length) hits += 1;
        expectGoesOn(answers.slice(5), place);
      }
      expect(hits, "some of the bits were those of frames").toBeGreaterThan(3);
    },
  );

  test("a frame costs its record and little more, and sectors are used to their ends", async () => {
    const plan = { ...SMALL, sectors: 16, sectorBytes: 4096, ringBytes: 8192, outBytes: 1024, frameSamples: 100 };
    await start(plan);
    await rig.ask(["B", 1], ["R", 0, 0, welcome(1, 1)], ["T", 100]);
    const { operations } = await rig.request("Z");
    let frames = 0;
    let recordBytes = 0;
    for (let round = 0; round < 100; round++) {
      const made = (await rig.request("S", 16 * plan.frameSamples)).status;
      const { frames: kept } = await ringOf(rig);
      expect(kept).toHaveLength(made);
      frames += made;
      // What a content leaves out: a check, and of a keyframe epoch, seq and index.
      for (const name of namesOf({ frames: kept })) recordBytes += contentBytes(name) + (isKeyframe(name) ? 16 : 4);
      await rig.ask(["R", 0, 0, ack(1, 1, frames)], ["T", 100]);
    }
    const standing = await rig.standing();
    const erases = standing.erases.reduce((sum, count) => sum + count, 0);
    const programmed = ((await rig.request("Z")).operations - operations - erases) * plan.writeUnit;
    const beside = (programmed - recordBytes) / frames;
    process.stdout.write(
      `flash: ${(recordBytes / frames).toFixed(0)} bytes a record, ${beside.toFixed(1)} beside it; ` +
        `${((100 * programmed) / (erases * plan.sectorBytes)).toFixed(0)} % of what was erased\n`,
    );
    expect(erases).toBeGreaterThan(32);
    expect(beside).toBeLessThan(40);
    expect(programmed).toBeGreaterThan(0.85 * (erases - 3) * plan.sectorBytes);
  });

  test("frames of another configuration are given up, epochs are not", async () => {
    await start(SMALL);
    await rig.ask(["B", 1], ["R", 0, 0, welcome(1, 7)], ["S", 60]);
    expect(await rig.request("Z")).toMatchObject({ status: 5 });
    expect((await rig.ask(["B", 2], ["Z"]))[1]).toMatchObject({ status: 5 });
    const changed = await rig.ask(["G", 10], ["B", 3], ["S", 20], ["D"], ["Z"], ["B", 4], ["D"], ["Z"]);
    expect(changed[1]).toMatchObject({ status: 0 });
    expect(stateOf(changed, 3).frames).toHaveLength(2);
    expect(stateOf(changed, 3).granted).toBe(7);
    expect(stateOf(changed, 6)).toEqual(stateOf(changed, 3));
  });

  test("a chip that is too small, or is not one that the log can use, is refused and left as it was", async () => {
    await start({ ...SMALL, sectors: 8 });
    expect(await rig.request("B", 1)).toMatchObject({ status: TOO_SMALL, operations: 0 });
    await rig.begin({ ...SMALL, sectorBytes: 256, sectors: 64 });
    expect(await rig.request("B", 1)).toMatchObject({ status: TOO_SMALL, operations: 0 });
    await rig.begin({ ...SMALL, writeUnit: 64, sectors: 24 });
    expect(await rig.request("B", 1)).toMatchObject({ status: GEOMETRY, operations: 0 });
  });
});

/** The messages in an answer to P. */
function messagesOf(bytes: Buffer): Uint8Array[] {
  const messages = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    messages.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return messages;
}

/** What a boot has found, from the answers to D and Z. Its own epoch is not granted yet: it wishes for the next. */
function stateOf(answers: readonly FlashAnswer[], at: number): KeptState {
  const ring = readRing(answers[at]?.bytes ?? new Uint8Array(), answers[at + 1]?.status ?? 0);
  return { frames: namesOf(ring), granted: Math.max(0, ring.wished - 1) };
}

/** @returns 1 when it was the new state and not the old one */
function expectOneOf(found: KeptState, before: KeptState, after: KeptState, place: string): number {
  if (JSON.stringify(found) === JSON.stringify(before)) return 0;
  expect(found, place).toEqual(after);
  return 1;
}

/** The device went on like any other, kept to the rules of flash, and found at its next boot what it had then. */
function expectGoesOn(answers: readonly FlashAnswer[], place: string): void {
  expect(answers.map(({ status, isOff }) => status >= 0 && !isOff, place)).not.toContain(false);
  expect(stateOf(answers, 6), place).toEqual({ frames: stateOf(answers, 3).frames, granted: REBORN_EPOCH });
  expect(answers[8]?.bytes.readUInt32LE(), `${place}: rules of flash broken`).toBe(0);
}

/** One stretch may be missing, which ends where a segment does; what is there beside comes from before the oldest frame. */
function expectOnlyHit(
  found: readonly string[],
  kept: readonly string[],
  ever: ReadonlySet<string>,
  place: string,
): void {
  const isThere = kept.map((name) => found.includes(name));
  const first = isThere.indexOf(false);
  const end =
    first < 0 ? -1 : (isThere.indexOf(true, first) + isThere.length + 1) % (isThere.length + 1) || isThere.length;
  if (first >= 0) {
    expect(isThere.slice(end), `${place}: more than one stretch is missing`).not.toContain(false);
    for (const name of kept.slice(first + 1, end))
      expect(isKeyframe(name), `${place}: ${name} needs nothing`).toBe(false);
  }
  const known = found.filter((name) => kept.includes(name));
  expect(found.slice(-known.length), place).toEqual(known);
  for (const name of found) expect(ever, `${place}: never was there`).toContain(name);
}

function contentBytes(name: string): number {
  return (name.split(":")[1]?.length ?? 0) / 2;
}

/** The kind is the third byte of a frame's content. */
function isKeyframe(name: string): boolean {
  return name.split(":")[1]?.slice(4, 6) === "01";
}
