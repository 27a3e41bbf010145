import { expect, test } from "vitest";
import { modeOf } from "../bench/firmware-plan.ts";
import { boundWorstSample, buildFirmware, measureFirmware } from "../bench/firmware-run.ts";
import { requires } from "../os-package.ts";
import { BUDGETED_FIRMWARE, type BudgetedFirmware, type FirmwareBudget } from "./firmware-budgets.ts";

/** The counter's own calls, which the trace sees a little of, five times in a sample of the device at most. */
const COUNTER_INSTRUCTIONS = 16;

async function expectWithin({ plan, rows, budget }: BudgetedFirmware): Promise<void> {
  const firmware = await buildFirmware(plan);
  const figures = await measureFirmware(plan, firmware, rows);
  const worst = await boundWorstSample(figures, firmware);
  const { flashBytes, ramBytes, ram, instructionsMax, instructionsMean } = figures;
  const measured: FirmwareBudget = {
    flashBytes,
    ramBytes,
    stateBytes: ram.state,
    stackBytes: ram.stack,
    instructionsMax,
    worstOverMean: instructionsMax / instructionsMean,
    cycles: worst.cycles,
  };
  const over = Object.entries(budget).filter(([name, limit]) => !(measured[name as keyof FirmwareBudget] <= limit));
  expect(over, `${plan.core}, ${modeOf(plan)}: ${JSON.stringify(measured)}`).toEqual([]);
  expect(Object.values(measured).every((value) => value > 0)).toBe(true);
  // The trace is of the sample that was counted.
  const pieces = plan.subject === "codec" ? 1 : 5;
  expect(Math.abs(worst.instructions - instructionsMax)).toBeLessThanOrEqual(pieces * COUNTER_INSTRUCTIONS);
  expect(worst.cycles).toBeGreaterThan(worst.instructions);
}

function budgetSuite(isOurs: (board: string) => boolean): void {
  const rows = BUDGETED_FIRMWARE.filter(({ plan }) => isOurs(plan.board));
  test.for(rows.map((row) => [row.plan.core, modeOf(row.plan), row] as const))(
    "%s, %s: keeps to its budgets of flash, memory, instructions and cycles",
    { timeout: 120_000 },
    async ([, , row]) => expectWithin(row),
  );
}

requires("gcc-arm-none-eabi", "qemu-system-arm")("firmware on a Cortex-M", () => {
  budgetSuite((board) => board !== "riscv32-virt");
});

requires("gcc-riscv64-unknown-elf", "qemu-system-riscv32")("firmware on RV32", () => {
  budgetSuite((board) => board === "riscv32-virt");
});

test("every emulated core has a budget of instructions and cycles, of the codec and of the whole device", () => {
  const kinds = new Set(BUDGETED_FIRMWARE.map(({ plan }) => `${plan.core}, ${plan.subject}`));
  for (const core of ["Cortex-M0", "Cortex-M3", "Cortex-M4", "Cortex-M7", "RV32IMC"]) {
    for (const subject of ["codec", "link"]) expect(kinds).toContain(`${core}, ${subject}`);
  }
});
