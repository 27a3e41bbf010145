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

const MODES: readonly CutMode[] = ["before", "torn", "after"];
const CASES = [ed25519Key(1), hmacKey(1)].flatMap((key) =>
  ["first", "second"].flatMap((which) => MODES.map((mode) => ({ key, algorithm: key.trusted.algorithm, which, mode }))),
);

test.for(CASES)(
  "the power goes at every operation of the $which update ($algorithm), the operation being $mode: a whole module boots, and the update ends",
  { timeout: 120_000 },
  ({ key, which, mode }) => {
    const whole = run(key, which, undefined, mode);
    expect(whole).toMatchObject({ ended: "confirmed", isSound: true, wasCut: true });
    expect(whole.operations).toBeGreaterThanOrEqual(40);
    for (let at = 0; at < whole.operations; at++) {
      const { ended, isSound, wasCut } = run(key, which, at, mode);
      expect({ at, ended, isSound, wasCut }).toEqual({ at, ended: "confirmed", isSound: true, wasCut: true });
    }
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
function run(key: SigningKey, which: string, at: number | undefined, mode: CutMode) {
  const { rig, flash, seen } = rigOf(key);
  const isFirst = which === "first";
  if (!isFirst) expect(rig.update(packageOf(newWasm, NEW, key))).toBe("confirmed");
  const update = isFirst ? packageOf(newWasm, NEW, key) : packageOf(newerWasm, NEWER, key);
  const before = flash.operations;
  flash.cut = at === undefined ? undefined : { at: before + at, mode };
  const ended = rig.update(update);
  const wasms = [oldWasm, newWasm, newerWasm].map((wasm) => Buffer.from(wasm));
  const isSound = seen.every((booted) => wasms.some((wasm) => wasm.equals(booted)));
  return { ended, isSound, operations: flash.operations - before, wasCut: flash.cut === undefined };
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
