import { parseVersion } from "@lockstep/protocol";
import { beforeAll, expect, test } from "vitest";
import { type CutMode, NorFlash } from "./nor-flash.ts";
import { seededFor } from "./seed.ts";
import { toyCodec } from "./toy-codec.ts";
import { ed25519Key, hmacKey, packageOf, type SigningKey } from "./update-package.ts";
import { UpdateRig } from "./update-rig.ts";

const OLD = parseVersion("1.0.0") ?? 0;
const NEW = parseVersion("1.1.0") ?? 0;
const NEWER = parseVersion("1.2.0") ?? 0;
let oldWasm: Uint8Array;
let newWasm: Uint8Array;
let newerWasm: Uint8Array;

beforeAll(async () => {
  oldWasm = await toyCodec({ stateHash: 1 });
  newWasm = await toyCodec({ stateHash: 2 });
  newerWasm = await toyCodec({ stateHash: 3, padding: 2300 });
});

test("an update goes through, into one slot and then into the other", () => {
  const { rig } = rigOf(ed25519Key(1));
  expect(rig.update(packageOf(newWasm, NEW, ed25519Key(1)))).toBe("confirmed");
  expect(rig.booted).toMatchObject({ slot: 0, version: NEW, isTrying: false });
  expect(rig.update(packageOf(newerWasm, NEWER, ed25519Key(1)))).toBe("confirmed");
  expect(rig.booted).toMatchObject({ slot: 1, version: NEWER });
  expect(rig.record).toMatchObject({ confirmedVersion: NEWER, verdict: 0, keptSlot: 1 });
});

test.for<[string, SigningKey, boolean, CutMode]>(
  [ed25519Key(1), hmacKey(1)].flatMap((key) =>
    [true, false].flatMap((isFirst) =>
      (["before", "torn", "after"] as const).map((mode): [string, SigningKey, boolean, CutMode] => [
        key.trusted.algorithm,
        key,
        isFirst,
        mode,
      ]),
    ),
  ),
)(
  "a power cut at any operation of an update (%s, first slot: %$2, %$3) ends with a module that runs, and with the update",
  { timeout: 120_000 },
  ([, key, isFirst, mode]) => {
    const whole = run(key, isFirst, undefined, mode);
    expect(whole.ended).toBe("confirmed");
    expect(whole.operations).toBeGreaterThan(40);
    let cuts = 0;
    for (let at = 0; at < whole.operations; at++) {
      const { ended, boots, isSound } = run(key, isFirst, at, mode);
      expect({ at, mode, ended, isSound }).toEqual({ at, mode, ended: "confirmed", isSound: true });
      cuts += boots > whole.boots ? 1 : 0;
    }
    expect(cuts).toBe(whole.operations);
  },
);

test("power cuts one after the other, as many as the flash has operations, end with the update too", () => {
  const random = seededFor("many cuts");
  for (let round = 0; round < 20; round++) {
    const { rig, flash } = rigOf(hmacKey(1), random.fork(`round ${round}`));
    const update = packageOf(newWasm, NEW, hmacKey(1));
    const gaps = random.fork(`gaps ${round}`);
    let cuts = 0;
    let ended = "stuck";
    for (; ended === "stuck" && cuts < 60; cuts++) {
      flash.cut = { at: flash.operations + 5 + Math.floor(gaps.uniform() * 40), mode: "torn" };
      ended = rig.update(update, 400);
    }
    flash.cut = undefined;
    if (ended === "stuck") ended = rig.update(update);
    expect({ round, ended }).toEqual({ round, ended: expect.stringMatching(/^(confirmed|back)$/) });
    expect([OLD, NEW]).toContain(rig.booted.version);
  }
});

/** One update with the power cut in its operation `at`; the second of two when it is not the first. */
function run(key: SigningKey, isFirst: boolean, at: number | undefined, mode: CutMode) {
  const { rig, flash, seen } = rigOf(key);
  if (!isFirst) expect(rig.update(packageOf(newWasm, NEW, key))).toBe("confirmed");
  const update = isFirst ? packageOf(newWasm, NEW, key) : packageOf(newerWasm, NEWER, key);
  const before = flash.operations;
  const bootsBefore = rig.boots;
  flash.cut = at === undefined ? undefined : { at: before + at, mode };
  const ended = rig.update(update);
  const wasms = [oldWasm, newWasm, newerWasm].map((wasm) => Buffer.from(wasm));
  const isSound = seen.every((booted) => wasms.some((wasm) => wasm.equals(booted)));
  return { ended, boots: rig.boots - bootsBefore, operations: flash.operations - before, isSound };
}

function rigOf(key: SigningKey, random = seededFor("flash")) {
  const flash = new NorFlash(random);
  const seen: Uint8Array[] = [];
  const rig = new UpdateRig({
    flash,
    key,
    builtIn: { wasm: oldWasm, version: OLD },
    onBoot: ({ wasm }) => seen.push(wasm),
  });
  return { rig, flash, seen };
}
