import { parseVersion } from "@lockstep/protocol";
import { beforeAll, expect, test } from "vitest";
import { type CutMode, NorFlash, PowerCut } from "./nor-flash.ts";
import { seededFor } from "./seed.ts";
import { toyCodec } from "./toy-codec.ts";
import { ed25519Key, hmacKey, packageOf, type SigningKey } from "./update-package.ts";
import { UpdateRig, type Wire } from "./update-rig.ts";

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

const MESSAGE_CASES = [ed25519Key(1), hmacKey(1)].flatMap((key) =>
  ["first", "second"].flatMap((which) =>
    (["before", "after"] as const).map((side) => ({ key, algorithm: key.trusted.algorithm, which, side })),
  ),
);

test.for(MESSAGE_CASES)(
  "the power goes at every message of the $which update ($algorithm), in both directions, $side it arrives: the update ends",
  { timeout: 120_000 },
  ({ key, which, side }) => {
    const whole = runCutAt(key, which, side, Number.POSITIVE_INFINITY);
    expect(whole).toMatchObject({ ended: "confirmed", isSound: true, boots: 2 });
    expect(whole.messages).toBeGreaterThanOrEqual(40);
    for (let at = 0; at < whole.messages; at++) {
      const { ended, isSound, boots } = runCutAt(key, which, side, at);
      // What is cut once it is confirmed need not boot again to switch; one that is cut before it is boots once more.
      expect({ at, ended, isSound, isBootedAgain: boots > 2 }).toEqual({
        at,
        ended: "confirmed",
        isSound: true,
        isBootedAgain: true,
      });
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
  const update = updateOf(rig, key, which);
  const before = flash.operations;
  flash.cut = at === undefined ? undefined : { at: before + at, mode };
  const ended = rig.update(update);
  return { ended, isSound: isSound(seen), operations: flash.operations - before, wasCut: flash.cut === undefined };
}

/** One update with the power cut at message `at`, before it arrives or right after. */
function runCutAt(key: SigningKey, which: string, side: "before" | "after", at: number) {
  let messages = 0;
  let isCounting = false;
  const wire: Wire = function* (message) {
    const isCut = isCounting && messages++ === at;
    if (isCut && side === "before") throw new PowerCut();
    yield message;
    if (isCut) throw new PowerCut();
  };
  const { rig, seen } = rigOf(key, seededFor("flash"), wire);
  const update = updateOf(rig, key, which);
  const { boots } = rig;
  isCounting = true;
  const ended = rig.update(update);
  return { ended, isSound: isSound(seen), messages, boots: 1 + rig.boots - boots };
}

/** The package that is brought next: the second of two when it is not the first. */
function updateOf(rig: UpdateRig, key: SigningKey, which: string) {
  if (which === "first") return packageOf(newWasm, NEW, key);
  expect(rig.update(packageOf(newWasm, NEW, key))).toBe("confirmed");
  return packageOf(newerWasm, NEWER, key);
}

/** Whether all that booted is one of the modules there are. */
function isSound(seen: readonly Uint8Array[]): boolean {
  const wasms = [oldWasm, newWasm, newerWasm].map((wasm) => Buffer.from(wasm));
  return seen.every((booted) => wasms.some((wasm) => wasm.equals(booted)));
}

function rigOf(key: SigningKey, random = seededFor("flash"), wire?: Wire) {
  const flash = new NorFlash(random);
  const seen: Uint8Array[] = [];
  const rig = new UpdateRig({
    flash,
    key,
    builtIn: { wasm: oldWasm, version: OLD },
    onBoot: ({ wasm }) => seen.push(wasm),
    ...(wire && { wire }),
  });
  return { rig, flash, seen };
}
