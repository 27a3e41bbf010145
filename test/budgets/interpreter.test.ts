import { expect, test } from "vitest";
import { interpreterPlans } from "../bench/firmware-plan.ts";
import { buildFirmware, measureFirmware } from "../bench/firmware-run.ts";
import { requires } from "../os-package.ts";

const LIMITS = { flashBytes: 8 * 1024, ramBytes: 1229 };
/** The codec's mean is 1.5 million; what a change of the compiler may cost is left. */
const INSTRUCTIONS_MEAN = 1_900_000;
const ROWS = 40;

requires(
  "c-compiler",
  "gcc-arm-none-eabi",
  "qemu-system-arm",
)("the interpreter on the Cortex-M4", () => {
  test("takes less flash and memory than it may, and codes a sample in the instructions that it is known to take", async () => {
    const [plan] = interpreterPlans();
    if (plan === undefined) throw new RangeError("no plan");
    const firmware = await buildFirmware(plan);
    const runtime = firmware.sizes?.parts?.runtime;
    expect(runtime).toBeDefined();
    const { codeBytes = 0, constantBytes = 0, dataBytes = 0 } = runtime ?? {};
    expect(codeBytes).toBeGreaterThan(4096);
    expect(codeBytes + constantBytes + dataBytes).toBeLessThan(LIMITS.flashBytes);
    const { ram, instructionsMean } = await measureFirmware(plan, firmware, ROWS);
    expect(ram.globals).toBeLessThan(LIMITS.ramBytes);
    expect(instructionsMean).toBeLessThan(INSTRUCTIONS_MEAN);
  });
});
