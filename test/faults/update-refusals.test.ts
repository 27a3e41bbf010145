import {
  decodeManifest,
  FLASH_VERDICTS,
  type FlashCommandFrame,
  type FlashStateFrame,
  type FlashVerdict,
  parseVersion,
  type UpdateManifest,
} from "@lockstep/protocol";
import { beforeAll, expect, test } from "vitest";
import { NorFlash } from "./nor-flash.ts";
import { seededFor } from "./seed.ts";
import { toyCodec } from "./toy-codec.ts";
import {
  beginFrame,
  chunkFrame,
  ed25519Key,
  hmacKey,
  packageOf,
  type SigningKey,
  signed,
  type UpdatePackage,
} from "./update-package.ts";
import { CONFIRM_MS, UpdateRig, type Wire } from "./update-rig.ts";

const RUNNING = parseVersion("1.0.0") ?? 0;
const NEXT = parseVersion("1.1.0") ?? 0;
/** Body bytes that a slot of the rig has room for. */
const ROOM = 8192 - 352;
const KEY = ed25519Key(1);
const SECRET = hmacKey(1);
let running: Uint8Array;
let candidate: Uint8Array;
let trapping: Uint8Array;

beforeAll(async () => {
  running = await toyCodec({ stateHash: 1 });
  candidate = await toyCodec({ stateHash: 2 });
  trapping = await toyCodec({ stateHash: 3, trapsAt: 5 });
});

type Wrong = readonly [about: string, verdict: FlashVerdict, make: (key: SigningKey) => UpdatePackage];

/** Packages that a device refuses at once. */
const REFUSED_AT_BEGIN: readonly Wrong[] = [
  ["a manifest of noise", "bad-manifest", (key) => signed(Uint8Array.of(1, 2, 3), candidate, key)],
  ["a manifest with a byte too many", "bad-manifest", (key) => signed(Uint8Array.of(...plain(key), 0), candidate, key)],
  ["a manifest cut short", "bad-manifest", (key) => signed(plain(key).slice(0, -1), candidate, key)],
  ["a manifest of another format", "bad-manifest", (key) => signed(plain(key).with(1, 2), candidate, key)],
  ["a number in a longer form", "bad-manifest", (key) => signed(longForm(plain(key)), candidate, key)],
  ["a slot that modules have not", "bad-manifest", (key) => signed(otherSlot(plain(key)), candidate, key)],
  ["no samples in its test", "bad-manifest", (key) => signed(noSamples(plain(key)), candidate, key)],
  ["a key that nobody trusts", "unknown-key", (key) => packageOf(candidate, NEXT, otherKey(key, 2))],
  ["the key of another algorithm", "unknown-key", (key) => ({ ...otherAlgorithm(key), key: key.id })],
  ["a signature with a bit turned", "bad-signature", (key) => turned(packageOf(candidate, NEXT, key))],
  ["the signature of another manifest", "bad-signature", (key) => swapped(key)],
  ["a signature by another key under this one's name", "bad-signature", (key) => forged(key)],
  ["a signature of the bare manifest", "bad-signature", (key) => bare(key)],
  ["an older version", "version-goes-back", (key) => packageOf(candidate, RUNNING - 1, key)],
  ["the oldest version", "version-goes-back", (key) => packageOf(candidate, 0, key)],
  ["the same version of another body", "version-goes-back", (key) => packageOf(candidate, RUNNING, key)],
  ["another target", "wrong-target", (key) => packageOf(candidate, NEXT, key, { target: "modulf" })],
  ["a longer target", "wrong-target", (key) => packageOf(candidate, NEXT, key, { target: "module2" })],
  ["an image", "wrong-target", (key) => packageOf(candidate, NEXT, key, { form: "image", slot: 0 })],
  ["an older interface", "wrong-abi", (key) => packageOf(candidate, NEXT, key, { abi: 0 })],
  ["a newer interface", "wrong-abi", (key) => packageOf(candidate, NEXT, key, { abi: 2 })],
  ["a body of one byte more than the slot", "too-long", (key) => packageOf(candidate, NEXT, key, { length: ROOM + 1 })],
  ["a body of 4 GiB", "too-long", (key) => packageOf(candidate, NEXT, key, { length: 0xffff_ffff })],
  ["a byte more of memory", "too-much-memory", (key) => packageOf(candidate, NEXT, key, { memoryBytes: 65_537 })],
];

/** Packages that a device refuses once it has the whole. */
const REFUSED_AT_END: readonly Wrong[] = [
  ["a body with a bit turned", "bad-digest", (key) => ({ ...packageOf(candidate, NEXT, key), body: turnedBody() })],
  ["the body of another package", "bad-digest", (key) => ({ ...packageOf(candidate, NEXT, key), body: sameLength() })],
  ["a body that is no module", "module-refused", (key) => packageOf(candidate.slice(0, 1000), NEXT, key)],
  ["a module with an import", "module-refused", (key) => packageOf(withImport(), NEXT, key)],
  ["a self-test of another module", "self-test-differs", (key) => packageOf(candidate, NEXT, key, otherTest("11"))],
  ["a self-test of zeros", "self-test-differs", (key) => packageOf(candidate, NEXT, key, otherTest("00"))],
  ["a trap in sample 5", "trapped", (key) => packageOf(trapping, NEXT, key)],
];

test("one hundred wrong packages are refused by name, and the device goes on and takes a right one", () => {
  let refused = 0;
  for (const key of [KEY, SECRET]) {
    const rig = rigOf(key);
    const half = packageOf(candidate, NEXT + 1, key);
    rig.tell({ kind: "flash", op: "ask", nonce: rig.nonce });
    for (const isHalf of [false, true]) {
      if (isHalf) beginHalf(rig, half);
      for (const [about, verdict, make] of REFUSED_AT_BEGIN) {
        const wrong = make(key);
        const answer =
          rig.tell(beginFrame(wrong, rig.nonce)) ?? rig.tell({ kind: "flash", op: "ask", nonce: rig.nonce });
        expect({ about, verdict: verdictOf(answer) }).toEqual({ about, verdict });
        const left = isHalf
          ? { sid: half.sid, phase: "receiving", next: 128 }
          : { sid: wrong.sid, phase: "idle", next: 0 };
        expect(answer, about).toMatchObject(left);
        refused++;
      }
      for (const [about, verdict, make] of REFUSED_AT_END) {
        const ended = rig.update(make(key));
        expect({ about, ended, verdict: verdictOf(rig.state) }).toEqual({ about, ended: "refused", verdict });
        refused++;
      }
    }
    expect(rig.booted).toMatchObject({ version: RUNNING, isTrying: false });
    expect(rig.boots).toBe(1);
    expect(rig.update(packageOf(candidate, NEXT, key))).toBe("confirmed");
  }
  expect(refused).toBeGreaterThanOrEqual(100);
});

test.for(["trapped", "not-confirmed"] as const)(
  "a module that is %s on trial goes back, and can be replaced again",
  (why) => {
    const rig = rigOf(KEY, why === "trapped" ? { trapsAfter: 5 } : { isConfirmed: false });
    expect(rig.update(packageOf(candidate, NEXT, KEY))).toBe("back");
    expect(rig.booted).toMatchObject({ wasm: running, isTrying: false });
    expect(verdictOf(rig.state)).toBe(why);
    expect(rig.record).toMatchObject({ confirmedVersion: RUNNING, traps: why === "trapped" ? 1 : 0 });
  },
);

test("a trial that only reboots goes back after three boots", () => {
  const rig = trialOf(rigOf(KEY, { isConfirmed: false }));
  const boots = [];
  for (let i = 0; i < 4; i++) {
    rig.reset();
    boots.push(rig.booted.isTrying);
  }
  expect(boots).toEqual([true, true, false, false]);
  expect(FLASH_VERDICTS[rig.record.verdict]).toBe("not-confirmed");
});

test("a confirmation is taken only once a frame was acknowledged", () => {
  const rig = trialOf(rigOf(KEY, { isConfirmed: false }));
  const sid = rig.record.sid;
  expect(rig.tell({ kind: "flash", op: "confirm", nonce: rig.nonce, sid })).toMatchObject({ phase: "trying" });
  expect(rig.tell({ kind: "flash", op: "confirm", nonce: rig.nonce, sid: sid ^ 1 })?.phase).toBe("trying");
  expect(rig.record.triedSlot).toBe(0);
});

test("an abort on trial goes back at once, and its answer leaves before", () => {
  const rig = trialOf(rigOf(KEY, { isConfirmed: false }));
  const answer = rig.tell({ kind: "flash", op: "abort", nonce: rig.nonce, sid: rig.record.sid });
  expect(answer).toMatchObject({ phase: "reverting", verdict: FLASH_VERDICTS.indexOf("aborted") });
  rig.turn();
  rig.turn();
  expect(rig.booted).toMatchObject({ version: RUNNING, isTrying: false });
});

test("a package that is offered while one goes back does not change why that went", () => {
  const rig = trialOf(rigOf(KEY, { isConfirmed: false }));
  rig.tell({ kind: "flash", op: "abort", nonce: rig.nonce, sid: rig.record.sid });
  rig.say(beginFrame(packageOf(running, NEXT + 1, KEY), rig.nonce));
  rig.turn();
  rig.turn();
  expect(rig.booted.isTrying).toBe(false);
  expect(FLASH_VERDICTS[rig.record.verdict]).toBe("aborted");
});

test("while a module is on trial another is not begun", () => {
  const rig = trialOf(rigOf(KEY, { isConfirmed: false }));
  const other = packageOf(running, NEXT + 1, KEY);
  expect(rig.tell(beginFrame(other, rig.nonce))).toMatchObject({
    phase: "trying",
    verdict: FLASH_VERDICTS.indexOf("busy"),
  });
});

test("the trial's time runs out on a clock that wraps", () => {
  const rig = trialOf(rigOf(KEY, { isConfirmed: false }));
  const from = rig.nowMs;
  for (let turn = 0; turn < 3000 && rig.booted.isTrying; turn++) rig.turn();
  expect((rig.nowMs - from) >>> 0).toBeLessThanOrEqual(CONFIRM_MS + 100);
  expect(FLASH_VERDICTS[rig.record.verdict]).toBe("not-confirmed");
});

test.for<[string, (update: UpdatePackage, nonce: number) => FlashCommandFrame, Partial<FlashStateFrame>]>([
  ["an end before all came", step("end"), { verdict: code("wrong-order"), detail: 128 }],
  ["an activation before the end", step("activate"), { verdict: code("wrong-order") }],
  ["a confirmation before the activation", step("confirm"), { verdict: code("wrong-order") }],
  [
    "an end of another package",
    (u, nonce) => ({ ...step("end")(u, nonce), sid: u.sid ^ 1 }),
    { verdict: code("wrong-order") },
  ],
  ["the chunk before", (u, nonce) => chunkFrame(u, 0, 128, nonce), { verdict: 0 }],
  ["a chunk too far ahead", (u, nonce) => chunkFrame(u, 256, 128, nonce), { verdict: 0 }],
  [
    "a chunk of another package",
    (u, nonce) => ({ ...chunk(u, nonce), sid: u.sid ^ 1 }),
    { verdict: code("wrong-order") },
  ],
  [
    "a chunk that ends within a write unit",
    (u, nonce) => chunkFrame(u, 128, 127, nonce),
    { verdict: code("wrong-order") },
  ],
  [
    "a chunk longer than the state says",
    (u, nonce) => chunkFrame(u, 128, 256, nonce),
    { verdict: code("wrong-order") },
  ],
  [
    "a chunk with the checksum of another",
    (u, nonce) => ({ ...chunk(u, nonce), crc: 1 }),
    { verdict: code("bad-chunk"), detail: 128 },
  ],
  ["the begin again", (u, nonce) => beginFrame(u, nonce), { verdict: 0 }],
  ["the same begin with a worthless signature", (u, nonce) => beginFrame(turned(u), nonce), { verdict: 0 }],
])("%s changes nothing but the answer, and the update goes on", ([, make, answer]) => {
  const rig = rigOf(KEY);
  const update = packageOf(candidate, NEXT, KEY);
  beginHalf(rig, update);
  const first = rig.tell(make(update, rig.nonce));
  expect(first).toMatchObject({ sid: update.sid, phase: "receiving", next: 128, ...answer });
  expect(rig.tell(make(update, rig.nonce))).toEqual(first);
  expect(rig.update(update)).toBe("confirmed");
});

test("the confirmed version is taken once more with the same body alone", () => {
  const rig = rigOf(KEY);
  expect(rig.update(packageOf(running, RUNNING, KEY))).toBe("confirmed");
  expect(rig.booted).toMatchObject({ slot: 0, version: RUNNING });
  expect(rig.update(packageOf(running, RUNNING, KEY, { memoryBytes: 65_535 }))).toBe("confirmed");
  expect(rig.booted).toMatchObject({ slot: 1, version: RUNNING });
  expect(rig.update(packageOf(candidate, RUNNING, KEY), 2000)).toBe("refused");
});

test("a chunk beyond the body is refused as too long", () => {
  const rig = rigOf(KEY);
  const whole = packageOf(candidate, NEXT, KEY, { length: 100 });
  begin(rig, whole);
  expect(verdictOf(rig.tell(chunkFrame(whole, 0, 128, rig.nonce)))).toBe("too-long");
});

test("frames of another boot, and damaged ones, take no effect and are not answered", () => {
  const rig = rigOf(KEY);
  const update = packageOf(candidate, NEXT, KEY);
  expect(rig.tell(beginFrame(update, rig.nonce + 1), 40)).toBeUndefined();
  const damaged = rigOf(KEY, { wire: (message) => [message.with(9, (message[9] ?? 0) ^ 4)] });
  expect(damaged.tell(beginFrame(update, damaged.nonce), 40)).toBeUndefined();
});

test("a chunk that does not come to stand as it was sent is asked for again, with its sector", () => {
  const random = seededFor("bad chunk");
  const flash = new NorFlash(random);
  const rig = new UpdateRig({ flash, key: KEY, builtIn: { wasm: running, version: RUNNING } });
  const update = packageOf(candidate, NEXT, KEY);
  beginHalf(rig, update);
  for (let offset = 128; offset < 1024; offset += 128) rig.tell(chunkFrame(update, offset, 128, rig.nonce));
  expect(rig.state).toMatchObject({ next: 1024 });
  flash.flipped.add(flash.operations);
  const flipped = { ...update, body: update.body.with(1024, 0xff) };
  rig.tell(chunkFrame(flipped, 1024, 128, rig.nonce), 400);
  expect(rig.state).toMatchObject({ phase: "receiving", next: 1024 - 352, verdict: code("bad-chunk"), detail: 1024 });
  expect(rig.update(update)).toBe("confirmed");
});

test("lost, doubled, swapped and damaged messages delay an update, and do no more", () => {
  const random = seededFor("wire");
  for (let round = 0; round < 30; round++) {
    const draw = random.fork(`wire ${round}`);
    let held: Uint8Array[] = [];
    const wire: Wire = (message) => {
      const roll = draw.uniform();
      if (roll < 0.1) return [];
      if (roll < 0.2) return [message, message];
      if (roll < 0.3) {
        held.push(message);
        return [];
      }
      if (roll < 0.4) return [message.with(Math.floor(draw.uniform() * message.length), draw.uint32() & 0xff)];
      const late = held;
      held = [];
      return [message, ...late];
    };
    const key = round % 2 === 0 ? KEY : SECRET;
    const rig = rigOf(key, { wire });
    expect({ round, ended: rig.update(packageOf(candidate, NEXT, key)) }).toEqual({ round, ended: "confirmed" });
  }
});

function rigOf(key: SigningKey, options: Partial<ConstructorParameters<typeof UpdateRig>[0]> = {}): UpdateRig {
  const flash = new NorFlash(seededFor("flash"));
  return new UpdateRig({ flash, key, builtIn: { wasm: running, version: RUNNING }, ...options });
}

/** Begin a package, once the device has looked at what it has, until it wants the first chunk. */
function begin(rig: UpdateRig, update: UpdatePackage): void {
  rig.tell({ kind: "flash", op: "ask", nonce: rig.nonce });
  rig.tell(beginFrame(update, rig.nonce));
  for (let turn = 0; turn < 200 && rig.state?.phase !== "receiving"; turn++) rig.turn();
}

/** Begin a package, and send its first chunk. */
function beginHalf(rig: UpdateRig, update: UpdatePackage): void {
  begin(rig, update);
  expect(rig.tell(chunkFrame(update, 0, 128, rig.nonce))).toMatchObject({ phase: "receiving", next: 128 });
}

/** A rig whose device has switched to a package that nobody confirms. */
function trialOf(rig: UpdateRig): UpdateRig {
  rig.update(packageOf(candidate, NEXT, KEY), 300);
  expect(rig.booted).toMatchObject({ isTrying: true, version: NEXT });
  return rig;
}

function step(op: "end" | "activate" | "confirm") {
  return (update: UpdatePackage, nonce: number): FlashCommandFrame & { op: typeof op } => ({
    kind: "flash",
    op,
    nonce,
    sid: update.sid,
  });
}

function chunk(update: UpdatePackage, nonce: number): FlashCommandFrame & { op: "chunk" } {
  return chunkFrame(update, 128, 128, nonce) as FlashCommandFrame & { op: "chunk" };
}

function code(verdict: FlashVerdict): number {
  return FLASH_VERDICTS.indexOf(verdict);
}

function verdictOf(state: FlashStateFrame | undefined): FlashVerdict | undefined {
  return state === undefined ? undefined : FLASH_VERDICTS[state.verdict];
}

function plain(key: SigningKey): Uint8Array {
  return packageOf(candidate, NEXT, key).manifest;
}

/** The slot, 255 in two bytes, becomes 5. */
function otherSlot(manifest: Uint8Array): Uint8Array {
  const at = Buffer.from(manifest).indexOf(Buffer.of(0x18, 0xff));
  return Uint8Array.from([...manifest.slice(0, at), 5, ...manifest.slice(at + 2)]);
}

/** The interface's number, one byte behind the target, in two. */
function longForm(manifest: Uint8Array): Uint8Array {
  const at = Buffer.from(manifest).indexOf("module") + "module".length;
  return Uint8Array.from([...manifest.slice(0, at), 0x18, ...manifest.slice(at)]);
}

/** 40 samples in two bytes become none in one. */
function noSamples(manifest: Uint8Array): Uint8Array {
  const at = Buffer.from(manifest).lastIndexOf(Buffer.of(0x84, 3, 0x18, 40)) + 2;
  return Uint8Array.from([...manifest.slice(0, at), 0, ...manifest.slice(at + 2)]);
}

function otherKey(key: SigningKey, n: number): SigningKey {
  return key.trusted.algorithm === "ed25519" ? ed25519Key(n) : hmacKey(n);
}

function otherAlgorithm(key: SigningKey): UpdatePackage {
  return packageOf(candidate, NEXT, key.trusted.algorithm === "ed25519" ? hmacKey(1) : ed25519Key(1));
}

function turned(update: UpdatePackage): UpdatePackage {
  return { ...update, signature: update.signature.with(7, (update.signature[7] ?? 0) ^ 1) };
}

function swapped(key: SigningKey): UpdatePackage {
  return { ...packageOf(candidate, NEXT, key), signature: packageOf(candidate, NEXT + 1, key).signature };
}

function forged(key: SigningKey): UpdatePackage {
  return { ...packageOf(candidate, NEXT, otherKey(key, 3)), key: key.id };
}

function bare(key: SigningKey): UpdatePackage {
  const update = packageOf(candidate, NEXT, key);
  return { ...update, signature: key.sign(update.manifest) };
}

function turnedBody(): Uint8Array {
  return candidate.with(candidate.length - 9, (candidate[candidate.length - 9] ?? 0) ^ 1);
}

function sameLength(): Uint8Array {
  return running.slice(0, candidate.length);
}

/** The start of a module whose first section is of imports. */
function withImport(): Uint8Array {
  return Uint8Array.from([...candidate.slice(0, 8), 2, 7, 1, 1, 0x61, 1, 0x62, 0, 0]);
}

function otherTest(byte: string): Partial<UpdateManifest> {
  const { test: own } = decodeManifest(packageOf(candidate, NEXT, KEY).manifest);
  return { test: { ...own, digest: byte.repeat(32) } };
}
