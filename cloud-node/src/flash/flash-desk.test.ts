import { encodeFrame } from "@lockstep/protocol";
import { afterEach, expect, test } from "vitest";
import type { NodeEvent } from "../reconstructor/node-event.ts";
import { DEVICE_WASM } from "../test-device.suite.ts";
import { closeRigs, FlashRig, otherModule, packageOf, WAYS } from "./flash-rig.suite.ts";

const TEST_LIMIT_MS = 60_000;
afterEach(closeRigs);

test.for(Object.keys(WAYS))(
  "three modules one after the other are brought to a device that streams over %s: nothing is lost, all is within eps",
  { timeout: TEST_LIMIT_MS },
  async (way) => {
    const rig = await FlashRig.open(way);
    const device = await rig.resident("pump");
    for (const n of [1, 2, 3]) {
      const rollout = await rig.start(packageOf(rig.key, otherModule(n), n), ["pump"]);
      const { state, devices } = await rig.over(rollout.id);
      expect([state, devices[0]?.step, devices[0]?.reason]).toEqual([
        "done",
        "done",
        expect.stringContaining("confirmed"),
      ]);
      expect([device.booted?.version, device.confirmedVersion]).toEqual([n, n]);
      expect(rig.node.device("pump")?.birth.model).toBe(rollout.model);
    }
    expect(await rig.verify("pump")).toBeLessThanOrEqual(1);
    expect(rig.node.modules().filter(({ source }) => source === "operator")).toHaveLength(3);
  },
);

test(
  "a node that ends in the middle goes on where the device stands, with the module registered, and nothing is lost",
  async () => {
    const rig = await FlashRig.open("tcp");
    const device = await rig.resident("pump");
    const { id } = await rig.start(packageOf(rig.key, otherModule(1), 1), ["pump"]);
    for (const step of ["sending", "switching", "trying"] as const) {
      await rig.step("pump", step);
      await rig.stopNode();
      await rig.startNode();
    }
    expect((await rig.over(id)).devices[0]?.step).toBe("done");
    expect([device.booted?.version, device.boots]).toEqual([1, 2]);
    expect(await rig.verify("pump")).toBeLessThanOrEqual(1);
  },
  TEST_LIMIT_MS,
);

test(
  "answers that are lost and a power cut in the middle cost time, and nothing else",
  async () => {
    const rig = await FlashRig.open("tcp");
    const [model, real] = [await rig.device("model"), await rig.resident("real")];
    model.fault = { loses: 40 };
    const { id } = await rig.start(packageOf(rig.key, otherModule(1), 1), ["model", "real"]);
    for (const step of ["sending", "switching"] as const) {
      await rig.step("real", step);
      await real.cutPower();
    }
    expect((await rig.over(id)).devices.map(({ step }) => step)).toEqual(["done", "done"]);
    expect(real.confirmedVersion).toBe(1);
  },
  TEST_LIMIT_MS,
);

test.for([
  [{ refuses: "bad-signature" }, "failed", "bad-signature", "does not fit"],
  [{ refuses: "too-much-memory" }, "failed", "too-much-memory", "memory"],
  [{ finds: "self-test-differs" }, "failed", "self-test-differs", "not used"],
  [{ finds: "module-refused" }, "failed", "module-refused", "interpreter"],
  [{ trips: "trapped" }, "reverted", "trapped", "went back"],
  [{ trips: "watchdog" }, "reverted", "watchdog", "went back"],
] as const)(
  "a device that says %j: the update is %s, says why, and the device streams on",
  { timeout: TEST_LIMIT_MS },
  async ([fault, step, verdict, words]) => {
    const rig = await FlashRig.open();
    const events: NodeEvent[] = [];
    const device = await rig.device("pump");
    rig.node.onEvent((event) => events.push(event));
    device.fault = fault;
    const { id } = await rig.start(packageOf(rig.key, otherModule(1), 1), ["pump"]);
    const [update] = (await rig.over(id)).devices;
    expect([update?.step, update?.verdict]).toEqual([step, verdict]);
    expect(update?.reason).toContain(words);
    expect(events.filter(({ kind }) => kind === "update").at(-1)).toMatchObject({ device: "pump", step });
    // The same package again, mended: the verdict of the last time is not taken for one of this time.
    device.fault = {};
    const again = await rig.start(packageOf(rig.key, otherModule(1), 1), ["pump"]);
    expect((await rig.over(again.id)).devices[0]?.step).toBe("done");
    expect(await rig.verify("pump")).toBeLessThanOrEqual(1);
  },
);

test(
  "a module that traps while it is tried, and a self-test that differs, leave a device with what it ran, streaming",
  async () => {
    const rig = await FlashRig.open();
    const device = await rig.resident("pump");
    const test = { channels: 2, samples: 64, seed: 7, digest: "00".repeat(32) };
    const wrong = await rig.start(packageOf(rig.key, otherModule(1), 1, { test }), ["pump"]);
    expect((await rig.over(wrong.id)).devices[0]).toMatchObject({ step: "failed", verdict: "self-test-differs" });
    const { id } = await rig.start(packageOf(rig.key, otherModule(2), 2), ["pump"]);
    await rig.step("pump", "trying");
    await device.trap("trapped");
    expect((await rig.over(id)).devices[0]).toMatchObject({ step: "reverted", verdict: "trapped" });
    expect([device.booted?.version, device.confirmedVersion]).toEqual([0, 0]);
    expect(await rig.verify("pump")).toBeLessThanOrEqual(1);
  },
  TEST_LIMIT_MS,
);

test(
  "a package is checked before anything is kept or sent, and what is wrong is said by name",
  async () => {
    const rig = await FlashRig.open();
    const device = await rig.device("pump");
    const good = packageOf(rig.key, otherModule(1), 1);
    const check = (bytes: Uint8Array, to = ["pump"]) => rig.node.updates.check({ bytes, to });
    const stranger = packageOf((await FlashRig.open()).key, otherModule(1), 1);
    await expect(check(stranger)).rejects.toMatchObject({ code: "unknown-key" });
    // Byte 40 is in the manifest, which is signed; the last one in the body, whose digest is in the manifest.
    for (const at of [0, 4, 5, 8, 15, 40, 200, good.length - 1]) {
      const turned = good.map((byte, i) => (i === at ? byte ^ 4 : byte));
      await expect(check(turned), `byte ${at}`).rejects.toMatchObject({ name: "FlashError" });
    }
    for (const length of [0, 10, 24, 100, good.length - 1]) {
      await expect(check(good.slice(0, length))).rejects.toMatchObject({ name: "FlashError" });
    }
    await expect(check(Buffer.concat([good, good]))).rejects.toMatchObject({ code: "bad-package" });
    const test = { channels: 1, samples: 1, seed: 0, digest: "00".repeat(32) };
    const noCodec = packageOf(rig.key, Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0]), 1, { test });
    await expect(check(noCodec)).rejects.toMatchObject({ code: "module-refused" });
    const refusals = async (bytes: Uint8Array, to: string[]) =>
      (await check(bytes, to)).checks.map(({ refusals }) => refusals.map(({ code }) => code));
    expect(await refusals(packageOf(rig.key, otherModule(1), 1, { target: "board/other" }), ["pump"])).toEqual([
      ["wrong-target"],
    ]);
    expect(await refusals(packageOf(rig.key, otherModule(1), 1, { abi: 2 }), ["pump"])).toEqual([["wrong-abi"]]);
    device.confirmedVersion = 5;
    expect(await refusals(good, ["pump", "nobody"])).toEqual([["version-goes-back"], ["unknown-device"]]);
    expect((await check(good, ["rotor-*"])).unmatched).toEqual(["rotor-*"]);
    expect(new Set(device.heard)).toEqual(new Set(["ask"]));
    expect(rig.node.updates.list()).toEqual([]);
    expect(rig.node.modules().filter(({ source }) => source === "operator")).toEqual([]);
  },
  TEST_LIMIT_MS,
);

test(
  "a device that cannot be updated, or is away, is named before anything is sent",
  async () => {
    const rig = await FlashRig.open();
    const [mute, away] = [await rig.device("mute"), await rig.device("away")];
    mute.fault = { isMute: true };
    await away.close();
    const bytes = packageOf(rig.key, otherModule(1), 1);
    const { checks } = await rig.node.updates.check({ bytes, to: ["mute", "away"] });
    expect(checks.map(({ refusals: [first] }) => first?.code)).toEqual(["not-updatable", "offline"]);
    const { rollout } = await rig.node.updates.start({
      bytes,
      to: ["*"],
      stages: [100],
      maxFailures: 0,
      isSkipping: true,
    });
    expect(rollout).toBeUndefined();
  },
  TEST_LIMIT_MS,
);

test(
  "a roll-out goes stage by stage, and stops when too many devices fail: the rest keeps what it runs",
  async () => {
    const rig = await FlashRig.open();
    const names = ["1", "2", "3", "4", "5", "6", "10"].map((n) => `rotor-${n}`);
    for (const name of names) await rig.device(name);
    for (const at of [1, 2]) if (rig.devices[at] !== undefined) rig.devices[at].fault = { trips: "trapped" };
    const { id } = await rig.start(packageOf(rig.key, otherModule(1), 1), ["rotor-*"], {
      stages: [10, 50, 100],
      maxFailures: 1,
    });
    const { state, devices } = await rig.over(id);
    expect(state).toBe("stopped");
    expect(devices.map(({ device }) => device)).toEqual(names);
    expect(devices.map(({ step }) => step)).toEqual([
      ...["done", "reverted", "reverted"],
      expect.stringMatching(/^(done|cancelled)$/),
      ...["skipped", "skipped", "skipped"],
    ]);
    for (const device of rig.devices.slice(4)) expect(device.heard).not.toContain("begin");
    expect(await rig.verify("rotor-2")).toBeLessThanOrEqual(1);
  },
  TEST_LIMIT_MS,
);

test(
  "an update that is called off leaves the device with what it ran, and it can be begun again",
  async () => {
    const rig = await FlashRig.open();
    const device = await rig.device("pump");
    const bytes = packageOf(rig.key, otherModule(1), 1);
    for (const step of ["sending", "trying"] as const) {
      const { id } = await rig.start(bytes, ["pump"]);
      await rig.step("pump", step);
      rig.node.updates.cancel(id);
      const { state, devices } = await rig.over(id);
      expect([state, devices[0]?.step]).toEqual(["cancelled", "cancelled"]);
      expect(() => rig.node.updates.cancel(id)).toThrow(/is over/);
      expect([device.version, device.wasm]).toEqual([0, DEVICE_WASM]);
    }
    const { id } = await rig.start(bytes, ["pump"]);
    await expect(rig.start(bytes, ["pump"])).rejects.toThrow("not begun");
    expect((await rig.over(id)).state).toBe("done");
  },
  TEST_LIMIT_MS,
);

test(
  "states that nobody asked for, of another boot, or out of nowhere are counted and change nothing",
  async () => {
    const rig = await FlashRig.open();
    const device = await rig.device("pump");
    for (let i = 0; i < 100; i++) {
      device.say({ sid: i, phase: "ready", verdict: i });
      // No more at once than a loopback has room for.
      if (i % 20 === 0) await rig.streamed("pump", 20);
    }
    for (let i = 0; i < 10; i++) device.say({ nonce: i });
    // What the cloud says, said to the cloud; and a state with a byte turned.
    for (const op of ["end", "activate", "confirm", "abort"] as const) {
      device.send(encodeFrame({ kind: "flash", op, nonce: 1, sid: 1 }));
    }
    device.send(encodeFrame(device.state()).map((byte, at) => (at === 9 ? byte ^ 1 : byte)));
    expect(await rig.verify("pump")).toBeLessThanOrEqual(1);
    expect(rig.node.counters()).toMatchObject({
      ...{ "flash.unasked": 100, "refused.stale-state": 10, "refused.wrong-direction": 4 },
      "refused.bad-seal": 1,
    });
    expect(device.heard).toEqual([]);
    expect(rig.node.updates.of("pump")).toBeUndefined();
  },
  TEST_LIMIT_MS,
);

test(
  "a device that asks for the same bytes again and again is given up, and the node sends no flood",
  async () => {
    const rig = await FlashRig.open();
    const device = await rig.device("pump");
    const { id } = await rig.start(packageOf(rig.key, otherModule(1), 1), ["pump"]);
    await rig.step("pump", "sending");
    const hostile = setInterval(() => {
      for (let i = 0; i < 50; i++) device.say({ phase: "receiving", next: (i % 2) * 256 });
    }, 1);
    try {
      const [update] = (await rig.over(id)).devices;
      expect(["no-progress", "bad-digest", null]).toContain(update?.verdict);
    } finally {
      clearInterval(hostile);
    }
    expect(device.heard.length).toBeLessThan(3_000);
  },
  TEST_LIMIT_MS,
);

test(
  "of two updates of a device that are begun at the same time one goes through, and the other is refused as busy",
  async () => {
    const rig = await FlashRig.open();
    await rig.device("pump");
    const both = [1, 2].map((n) => rig.start(packageOf(rig.key, otherModule(n), n), ["pump"]));
    const settled = await Promise.allSettled(both);
    const [begun] = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const refused = settled.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
    expect(refused).toEqual([expect.objectContaining({ name: "FlashError", code: "busy" })]);
    expect((await rig.over(begun?.id ?? "")).devices[0]?.step).toBe("done");
    expect(rig.node.updates.list()).toHaveLength(1);
  },
  TEST_LIMIT_MS,
);
