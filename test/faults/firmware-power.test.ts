import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DEVICE_WASM } from "../conformance/raw-device.ts";
import { POWER_FAILS_EACH, POWER_FAILS_ONCE, UpdatableExample } from "../end-to-end/updatable-made.ts";
import { imagePackage, modulePackage, relabelled, type UpdatePackage } from "../end-to-end/update-package.ts";
import { requires } from "../os-package.ts";
import { factoryBoard, type PowerRig, updateThroughCuts } from "./firmware-power.ts";

const FACTORY = 2 ** 24;
const DEFINES = ["-DFRAME_SAMPLES=5", "-DRATE_HZ=20"];
const BOARD = "mps2-an386";
const LONG = { timeout: 180_000 };
/** Of all places where a call programs or erases; `npm run bench -- update-power` takes every one. */
const EVERY_MODULE_PLACE = 12;
const EVERY_IMAGE_PLACE = 8;

requires(
  "make",
  "gcc-arm-none-eabi",
  "qemu-system-arm",
)("power that fails while an emulated Cortex-M4 is updated", () => {
  const scratch = mkdtempSync(join(tmpdir(), "lockstep-power-"));
  const wasm = readFileSync(DEVICE_WASM);
  const two = modulePackage(relabelled(wasm, "two"), FACTORY + 1);
  let modules: PowerRig;
  let images: PowerRig;
  let imageTwo: UpdatePackage;
  beforeAll(async () => {
    const example = new UpdatableExample(mkdtempSync(join(scratch, "made-")));
    const module = { board: BOARD, form: "module", defines: DEFINES } as const;
    modules = await factoryBoard(example.resident(module), wasm, FACTORY, join(scratch, "module.bin"));
    const image = { ...module, form: "image" } as const;
    images = await factoryBoard(example.resident(image), example.image(image, 0), FACTORY, join(scratch, "image.bin"));
    const about = { slot: 1, version: FACTORY + 1, target: `${BOARD}/rotor-updatable` };
    imageTwo = imagePackage(example.image(image, 1), wasm, about);
  }, 240_000);
  afterAll(() => rmSync(scratch, { recursive: true }));

  test(
    "each twelfth place of a module's update once: every boot runs a sound module, and the update goes on",
    LONG,
    async () => {
      const power = { mode: POWER_FAILS_EACH, cutAt: EVERY_MODULE_PLACE, chance: 4711 };
      const run = await updateThroughCuts(modules, join(scratch, "cascade.bin"), two, power);
      expect(run).toMatchObject({ runningVersion: FACTORY + 1, runningSlot: 1, control: { violations: 0 } });
      expect(run.control.cuts).toBeGreaterThan(20);
      expect(run.boots, "each cut is followed by a boot").toBeGreaterThan(run.control.cuts);
    },
  );

  test(
    "each eighth place of an image's update once: every boot runs a sound image, and the update goes on",
    LONG,
    async () => {
      const power = { mode: POWER_FAILS_EACH, cutAt: EVERY_IMAGE_PLACE, chance: 4712 };
      const run = await updateThroughCuts(images, join(scratch, "cascade.bin"), imageTwo, power);
      expect(run).toMatchObject({ runningVersion: FACTORY + 1, runningSlot: 1, control: { violations: 0 } });
      expect(run.control.cuts).toBeGreaterThan(15);
      expect(run.boots, "each cut is followed by a boot").toBeGreaterThan(run.control.cuts);
    },
  );

  test.for([3, 90, 250, 451, 455])("once, at operation %i of a module's update", LONG, async (cutAt) => {
    const power = { mode: POWER_FAILS_ONCE, cutAt, chance: 1 + cutAt };
    const run = await updateThroughCuts(modules, join(scratch, "once.bin"), two, power);
    expect(run).toMatchObject({ runningVersion: FACTORY + 1, runningSlot: 1, again: 0 });
    expect(run.control).toMatchObject({ cuts: 1, violations: 0 });
  });
});
