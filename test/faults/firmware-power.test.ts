import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { POWER_FAILS_EACH, POWER_FAILS_ONCE } from "../end-to-end/updatable-made.ts";
import { requires } from "../os-package.ts";
import { updateThroughCuts, updateThroughKill } from "./firmware-power.ts";
import { FACTORY_VERSION, type PowerCase, powerCases } from "./power-packages.ts";

const LONG = { timeout: 240_000 };
const UPDATED = { runningVersion: FACTORY_VERSION + 1, runningSlot: 1 };

requires(
  "make",
  "gcc-arm-none-eabi",
  "qemu-system-arm",
)("power that fails while an emulated Cortex-M4 is updated", () => {
  const scratch = mkdtempSync(join(tmpdir(), "lockstep-power-"));
  let cases: Record<"module" | "image", PowerCase>;
  beforeAll(async () => {
    cases = await powerCases(scratch);
  }, 240_000);
  afterAll(() => rmSync(scratch, { recursive: true }));

  // Of all places where a call programs or erases; `npm run bench -- update-power` takes every one.
  test.concurrent.for([
    ["module", 12],
    ["image", 8],
  ] as const)(
    "every boot runs a sound %s, and its update goes on, with a cut at each %i-th place",
    LONG,
    async ([form, every]) => {
      const power = { mode: POWER_FAILS_EACH, cutAt: every, chance: 4711 };
      const { rig, update } = cases[form];
      const run = await updateThroughCuts(rig, join(scratch, `each-${form}.bin`), update, power);
      expect(run).toMatchObject({ ...UPDATED, control: { violations: 0 } });
      expect(run.control.cuts).toBeGreaterThan(15);
      expect(run.control.places).toBeGreaterThan((every - 1) * run.control.cuts);
      expect(run.boots, "each cut is followed by a boot").toBeGreaterThan(run.control.cuts);
    },
  );

  test.concurrent.for([3, 90, 250, 451, 455])("one cut, at operation %i of a module's update", LONG, async (cutAt) => {
    const { rig, update } = cases.module;
    const power = { mode: POWER_FAILS_ONCE, cutAt, chance: 1 + cutAt };
    const run = await updateThroughCuts(rig, join(scratch, `once-${cutAt}.bin`), update, power);
    expect(run).toMatchObject({ ...UPDATED, again: 0, control: { cuts: 1, violations: 0 } });
  });

  test.concurrent.for([2, 37, 120])("one cut, at message %i of a module's update", LONG, async (cutAfter) => {
    const { rig, update } = cases.module;
    const run = await updateThroughKill(rig, join(scratch, `message-${cutAfter}.bin`), update, cutAfter);
    expect(run).toMatchObject({ ...UPDATED, again: 0, kills: 1, control: { violations: 0 } });
  });
});
