import { expect, test } from "vitest";
import { interpreterPlans, litePlans } from "../bench/firmware-plan.ts";
import { boundWorstSample, buildFirmware, measureFirmware } from "../bench/firmware-run.ts";
import { requires } from "../os-package.ts";

const LIMITS = { flashBytes: 8 * 1024, ramBytes: 1229 };
/** The codec's mean is 1.5 million; what a change of the compiler may cost is left. */
const INSTRUCTIONS_MEAN = 1_900_000;
const ROWS = 40;
const LITE_CYCLES = 100_000;
/** All channels jump at once in row 700 of the bursts, where statuses are coded. */
const LITE_ROWS = 800;

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

  test("codes a sample of six channels with the lite profile in less than 100,000 cycles, which are 1 ms at 100 MHz", async () => {
    const [plan] = litePlans();
    const firmware = await buildFirmware(plan);
    const figures = await measureFirmware(plan, firmware, LITE_ROWS);
    expect(figures.signals.map(({ samples }) => samples.count)).toEqual([LITE_ROWS, LITE_ROWS, LITE_ROWS]);
    expect(figures.ram.globals).toBeLessThan(LIMITS.ramBytes);
    const { cycles } = await boundWorstSample(figures, firmware);
    expect(cycles).toBeLessThan(LITE_CYCLES);
  });
});
