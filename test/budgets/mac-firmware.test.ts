import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  MAC_PLANS,
  type MacFigures,
  type MacPlan,
  macFrame,
  measureMac,
  TYPICAL_BYTES,
} from "../bench/firmware-mac.ts";
import { requires } from "../os-package.ts";

type Budget = Pick<MacFigures, "flashBytes" | "ramBytes" | "boot" | "seal" | "open">;

/**
 * What MACs on a link may take, 2 % or less above what was measured, the same on every machine.
 *
 *     core, gcc -Os (size) or -O2 (speed)   flash, RAM; instructions of a boot's keys, of a frame sealed, of an ack opened
 */
const BUDGETS: readonly (readonly [MacPlan["core"], MacPlan["optimize"], Budget])[] = [
  ["Cortex-M4", "size", { flashBytes: 1_650, ramBytes: 640, boot: 48_600, seal: 48_500, open: 24_500 }],
  ["Cortex-M4", "speed", { flashBytes: 1_880, ramBytes: 685, boot: 58_200, seal: 58_100, open: 29_300 }],
];
const WASM = readFileSync(new URL("../../edge-sdk/build/mac.wasm", import.meta.url));
/** Of the module as it is shipped; 2 % above what it is. */
const WASM_BYTES = 3_130;
const MEMORY_BYTES = 400;

requires("gcc-arm-none-eabi", "qemu-system-arm")("MACs on a Cortex-M4", () => {
  test.for(BUDGETS)("%s, -O for %s: keep to their budgets, and are Node's", { timeout: 120_000 }, async (budget) => {
    const [core, optimize, limits] = budget;
    const plan = MAC_PLANS.find((one) => one.core === core && one.optimize === optimize);
    const measured = await measureMac(plan ?? expect.fail(`no plan of ${core}, ${optimize}`));
    const over = Object.entries(limits).filter(([name, limit]) => {
      const value = measured[name as keyof Budget];
      return !(value > 0 && value <= limit);
    });
    expect(over, JSON.stringify(measured)).toEqual([]);
    const message = Buffer.from("lockstep link 1\0\0\x12\x34\x56\x78rotor-twin", "latin1");
    const bootKey = createHmac("sha256", Buffer.alloc(32, 7)).update(message).digest();
    expect(measured.mac).toBe(createHmac("sha256", bootKey).update(macFrame(TYPICAL_BYTES)).digest().readUInt32BE());
  });
});

test("the module keeps to its budgets of bytes and of memory", () => {
  const { MAC_MEMORY_BYTES } = new WebAssembly.Instance(new WebAssembly.Module(WASM)).exports;
  expect((MAC_MEMORY_BYTES as WebAssembly.Global).value).toBeLessThanOrEqual(MEMORY_BYTES);
  expect(WASM.length).toBeLessThanOrEqual(WASM_BYTES);
});
