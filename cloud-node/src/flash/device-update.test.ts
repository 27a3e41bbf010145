import { FLASH_VERDICTS, type FlashStateFrame, type FlashVerdict } from "@lockstep/protocol";
import { expect, test } from "vitest";
import { ManualClock } from "../manual-clock.suite.ts";
import { DEVICE_WASM } from "../test-device.suite.ts";
import type { DeviceBoot, FlashCommand } from "./device-door.ts";
import { CONFIRM_FRAMES, DeviceUpdate } from "./device-update.ts";
import { packageOf } from "./flash-rig.suite.ts";
import { createKey } from "./signing-key.ts";
import { decodePackages, type UpdatePackage } from "./update-package.ts";
import { queuedRecord } from "./update-record.ts";

const MINUTE_MS = 60_000;
const { key } = createKey("ed25519");
const [MODULE] = decodePackages(packageOf(key, DEVICE_WASM, 2)) as [UpdatePackage];
const OLD_MODEL = "ab".repeat(32);
const IMAGES = [0, 1].map((slot): UpdatePackage => {
  return { ...MODULE, sid: slot + 1, manifest: { ...MODULE.manifest, form: "image", slot } };
});

/** One update whose device is what the test says. */
class Bench {
  readonly clock = new ManualClock();
  readonly sent: FlashCommand[] = [];
  readonly record = queuedRecord("pump");
  readonly update: DeviceUpdate;
  boot: DeviceBoot = { isOnline: true, epoch: 1, model: OLD_MODEL, confirmed: 100 };

  constructor(packages: readonly UpdatePackage[] = [MODULE]) {
    this.update = new DeviceUpdate({
      packages,
      door: {
        boot: () => this.boot,
        send: (_, command) => {
          if (this.boot.isOnline) this.sent.push(command);
          return this.boot.isOnline;
        },
        devices: () => ["pump"],
      },
      clock: this.clock,
      record: this.record,
      changed: () => undefined,
    });
    this.update.start();
  }

  /** The device says this; the rest is as for a device that has done nothing yet. */
  says(state: Partial<Omit<FlashStateFrame, "verdict">> & { verdict?: FlashVerdict }): void {
    const { verdict = "none", ...rest } = state;
    this.update.heard({
      ...{ kind: "flash", op: "state", nonce: 1, sid: 0, phase: "idle", next: 0, detail: 0 },
      ...{ running: { slot: 0, form: "module", version: 1, model: OLD_MODEL }, confirmedVersion: 1 },
      ...{ slotBytes: 65_536, chunkBytes: 256, target: "module", abi: 1, keys: [], traps: 0, stackHighWater: 0 },
      verdict: FLASH_VERDICTS.indexOf(verdict),
      ...rest,
    });
  }

  get ops(): string[] {
    return this.sent.map(({ op }) => op);
  }
}

const { sid } = MODULE;

test("a command is said again, more and more rarely, until it is answered, and not for ever", () => {
  const bench = new Bench();
  const at: number[] = [];
  for (let ms = 0; ms < 11 * MINUTE_MS && bench.record.step === "asking"; ms += 100) {
    const before = bench.sent.length;
    bench.clock.advance(100);
    if (bench.sent.length > before) at.push(ms + 100);
  }
  expect(at.slice(0, 6)).toEqual([1_000, 3_000, 7_000, 15_000, 31_000, 61_000]);
  expect(bench.sent.length).toBeLessThan(30);
  expect(bench.record).toMatchObject({ step: "failed", verdict: "no-answer" });
  expect(new Set(bench.ops)).toEqual(new Set(["ask"]));
});

test("nothing is sent to a device that is away; when it is back it is asked where it stands, and after an hour given up", () => {
  const bench = new Bench();
  bench.says({ sid, phase: "receiving", next: 512 });
  expect(bench.ops).toEqual(["ask", "chunk"]);
  bench.boot = { ...bench.boot, isOnline: false };
  bench.update.disconnected();
  bench.clock.advance(59 * MINUTE_MS);
  expect(bench.ops).toEqual(["ask", "chunk"]);
  bench.boot = { ...bench.boot, isOnline: true };
  bench.update.connected();
  bench.says({ sid, phase: "receiving", next: 768 });
  expect(bench.sent.slice(2)).toMatchObject([{ op: "ask" }, { op: "chunk", offset: 768 }]);
  bench.boot = { ...bench.boot, isOnline: false };
  bench.update.disconnected();
  bench.clock.advance(61 * MINUTE_MS);
  expect(bench.record).toMatchObject({ step: "failed", verdict: "offline" });
});

test("chunks are what the device asked for: where, how much, and one at a time", () => {
  const bench = new Bench();
  bench.says({});
  expect(bench.sent.at(-1)).toMatchObject({ op: "begin", algorithm: "ed25519", key: key.trusted.id });
  bench.says({ sid, phase: "receiving", next: 0, chunkBytes: 64 });
  bench.says({ sid, phase: "receiving", next: 0, chunkBytes: 64 });
  bench.says({ sid, phase: "receiving", next: 64, chunkBytes: 64 });
  const end = DEVICE_WASM.length - 10;
  bench.says({ sid, phase: "receiving", next: end, chunkBytes: 64 });
  bench.says({ sid, phase: "receiving", next: DEVICE_WASM.length });
  bench.says({ sid, phase: "receiving", next: DEVICE_WASM.length });
  expect(bench.ops).toEqual(["ask", "begin", "chunk", "chunk", "chunk", "end"]);
  const chunks = bench.sent.flatMap((command) => (command.op === "chunk" ? [command] : []));
  expect(chunks.map(({ offset, data }) => [offset, data.length])).toEqual([
    [0, 64],
    [64, 64],
    [end, 10],
  ]);
  expect(chunks[1]?.data).toEqual(DEVICE_WASM.subarray(64, 128));
});

test("a chunk that read back wrong is sent again at once; a device that only ever asks again is given up, and costs no flood", () => {
  const bench = new Bench();
  bench.says({ sid, phase: "receiving", next: 0 });
  bench.says({ sid, phase: "receiving", next: 0, verdict: "bad-chunk" });
  expect(bench.ops).toEqual(["ask", "chunk", "chunk"]);
  let says = 0;
  for (; bench.record.step === "sending" && says < 100_000; says++)
    bench.says({ sid, phase: "receiving", next: (says % 2) * 256 });
  expect(bench.record).toMatchObject({ step: "failed", verdict: "no-progress" });
  const bytes = bench.sent.reduce((sum, command) => sum + (command.op === "chunk" ? command.data.length : 0), 0);
  expect(bytes).toBeLessThanOrEqual(8 * DEVICE_WASM.length + 65_536 + 256);
});

test("a verdict about an earlier try of the same package is not believed, and one about this try is", () => {
  const bench = new Bench();
  bench.says({ sid, verdict: "bad-signature" });
  expect(bench.ops).toEqual(["ask", "begin"]);
  bench.says({ sid, verdict: "bad-signature" });
  expect(bench.record.step).toBe("sending");
  bench.clock.advance(1_000);
  expect(bench.ops).toEqual(["ask", "begin", "begin"]);
  bench.says({ sid, verdict: "bad-signature" });
  expect(bench.record).toMatchObject({ step: "failed", verdict: "bad-signature" });
  const fresh = new Bench();
  fresh.says({});
  fresh.says({ sid, verdict: "self-test-differs", detail: 3 });
  expect(fresh.record).toMatchObject({ step: "failed", reason: expect.stringContaining("(detail 3)") });
});

test("a device that was given another package, and stays with it, says so in the end", () => {
  const [bench, busy] = [new Bench(), new Bench()];
  for (let i = 0; i < 4; i++) bench.says({ sid: 77, phase: "receiving", verdict: "unknown-key" });
  expect(bench.record).toMatchObject({ step: "failed", verdict: "unknown-key" });
  for (let i = 0; i < 10; i++) busy.says({ sid: 77, phase: "receiving", verdict: "busy" });
  expect(busy.record.step).toBe("sending");
  busy.says({ sid: 77, phase: "trying" });
  expect(busy.record).toMatchObject({ step: "failed", verdict: "busy" });
});

test("it is confirmed when eight frames of a new epoch of the new module are durable, and by nothing else", () => {
  const bench = new Bench();
  bench.says({ sid, phase: "ready" });
  expect(bench.ops).toEqual(["ask", "activate"]);
  const { model } = MODULE.manifest;
  const trying = () => bench.says({ sid, phase: "trying", running: { slot: 1, form: "module", version: 2, model } });
  for (const boot of [
    { epoch: 1, model, confirmed: 100 },
    { epoch: 2, model: OLD_MODEL, confirmed: 100 },
    { epoch: 2, model, confirmed: CONFIRM_FRAMES - 1 },
  ]) {
    bench.boot = { ...boot, isOnline: true };
    trying();
    bench.update.confirmed();
    expect(bench.ops, JSON.stringify(boot)).toEqual(["ask", "activate"]);
  }
  bench.boot = { epoch: 2, model, confirmed: CONFIRM_FRAMES, isOnline: true };
  bench.update.confirmed();
  expect(bench.sent.at(-1)).toEqual({ op: "confirm", sid });
  bench.says({ running: { slot: 1, form: "module", version: 2, model }, confirmedVersion: 2 });
  expect(bench.record).toMatchObject({ step: "done", verdict: null });
});

test("a device that was told to switch and runs the old one has gone back, whether it says why or not", () => {
  const [told, silent] = [new Bench(), new Bench()];
  for (const bench of [told, silent]) bench.says({ sid, phase: "ready" });
  told.says({ sid, verdict: "not-confirmed" });
  expect(told.record).toMatchObject({ step: "reverted", verdict: "not-confirmed" });
  silent.says({});
  expect(silent.record.step).toBe("switching");
  for (let i = 0; i < 2; i++) {
    silent.clock.advance(5_000);
    silent.says({});
  }
  expect(silent.record).toMatchObject({ step: "reverted", verdict: "none" });
});

test("of two images the one for the slot that does not run is sent; without it the update fails by name", () => {
  for (const slot of [0, 1]) {
    const bench = new Bench(IMAGES);
    bench.says({ running: { slot, form: "image", version: 1, model: OLD_MODEL } });
    bench.says({ sid: IMAGES[1 - slot]?.sid ?? 0, phase: "receiving", next: 0 });
    expect(bench.sent.at(-1)).toMatchObject({ op: "chunk", sid: IMAGES[1 - slot]?.sid });
  }
  const bench = new Bench(IMAGES.slice(0, 1));
  bench.says({ running: { slot: 0, form: "image", version: 1, model: OLD_MODEL } });
  expect(bench.record).toMatchObject({ step: "failed", verdict: "wrong-slot" });
});

test("what is called off is dropped by the device, or gone back from; what was confirmed meanwhile is done", () => {
  const [early, late] = [new Bench(), new Bench()];
  early.says({ sid, phase: "receiving", next: 0 });
  early.update.cancel();
  early.says({ sid, phase: "receiving", next: 256 });
  expect(early.sent.at(-1)).toEqual({ op: "abort", sid });
  early.says({ sid, verdict: "aborted" });
  expect(early.record.step).toBe("cancelled");
  const { model } = MODULE.manifest;
  late.says({ sid, phase: "ready" });
  late.update.cancel();
  late.says({ running: { slot: 1, form: "module", version: 2, model }, confirmedVersion: 2 });
  expect(late.record.step).toBe("done");
  const gone = new Bench();
  gone.says({ sid, phase: "receiving", next: 0 });
  gone.update.cancel();
  expect(gone.record.step).toBe("sending");
  gone.update.disconnected();
  expect(gone.record.step).toBe("cancelled");
  const unheard = new Bench();
  unheard.update.cancel();
  expect(unheard.record).toMatchObject({ step: "cancelled", reason: "called off; before anything was sent" });
});

test("a device that is busy with flash or a restart is asked, not pressed", () => {
  const bench = new Bench();
  bench.says({});
  for (const phase of ["erasing", "verifying", "switching", "reverting"] as const) {
    const before = bench.sent.length;
    bench.says({ sid, phase });
    expect(bench.sent.length).toBe(before);
    bench.clock.advance(5_000);
    expect(bench.sent.at(-1)).toEqual({ op: "ask" });
  }
});
