import { expect, test } from "vitest";
import { type FirmwarePlan, goalPlan, modeOf } from "../bench/firmware-plan.ts";
import { boundWorstSample, buildFirmware, type FirmwareFigures, measureFirmware } from "../bench/firmware-run.ts";
import { requires } from "../os-package.ts";

/**
 * What firmware may take, by the build of the goals: counts on QEMU, the same on every machine. A limit is that of the goals
 * (`npm run bench -- firmware`) where it is reached, and just above what is measured where it is not, so that nothing grows
 * unseen. What makes it less on purpose lowers it here.
 */
interface FirmwareBudget {
  readonly flashBytes: number;
  /** Without the ring; with the stack. */
  readonly ramBytes: number;
  readonly stateBytes: number;
  readonly stackBytes: number;
  /** Of one sample, all that falls due with it. */
  readonly instructionsMax: number;
  readonly worstOverMean: number;
}

const M4_CODEC: FirmwareBudget = {
  flashBytes: 9_950,
  ramBytes: 3_745,
  stateBytes: 2_047,
  stackBytes: 600,
  instructionsMax: 63_000,
  worstOverMean: 1.63,
};
/** With -O2. */
const M4_FAST_CODEC: FirmwareBudget = {
  flashBytes: 11_600,
  ramBytes: 3_740,
  stateBytes: 2_047,
  stackBytes: 590,
  instructionsMax: 56_200,
  worstOverMean: 1.6,
};
const M4_CYCLES = 100_000;
const M4_FAST_CYCLES = 85_000;
const M4_LINK: FirmwareBudget = {
  flashBytes: 17_060,
  ramBytes: 4_890,
  stateBytes: 2_047,
  stackBytes: 650,
  instructionsMax: 95_500,
  worstOverMean: 2.42,
};
/** The others are here against surprises: a tenth more than measured. */
const M0_CODEC: FirmwareBudget = {
  flashBytes: 14_200,
  ramBytes: 4_300,
  stateBytes: 2_047,
  stackBytes: 870,
  instructionsMax: 577_000,
  worstOverMean: 3.3,
};
/** With -O2: -Os calls memcpy for every access of the core to its memory. */
const RV32_CODEC: FirmwareBudget = {
  flashBytes: 18_100,
  ramBytes: 4_150,
  stateBytes: 2_047,
  stackBytes: 830,
  instructionsMax: 203_000,
  worstOverMean: 3.3,
};

/** The worst sample is among the first rows of the bursts too, or nearly. */
const FEW_ROWS = 1000;
/** The counter's own calls, which the trace sees a little of. */
const COUNTER_INSTRUCTIONS = 16;

function expectWithin(figures: FirmwareFigures, budget: FirmwareBudget): void {
  const { flashBytes, ramBytes, ram, instructionsMax, instructionsMean } = figures;
  const measured: FirmwareBudget = {
    flashBytes,
    ramBytes,
    stateBytes: ram.state,
    stackBytes: ram.stack,
    instructionsMax,
    worstOverMean: instructionsMax / instructionsMean,
  };
  const over = Object.entries(budget).filter(([name, limit]) => !(measured[name as keyof FirmwareBudget] <= limit));
  expect(over, `${figures.plan.core}, ${modeOf(figures.plan)}: ${JSON.stringify(measured)}`).toEqual([]);
  expect(Object.values(measured).every((value) => value > 0)).toBe(true);
}

async function measure(plan: FirmwarePlan, rows?: number): Promise<FirmwareFigures> {
  return measureFirmware(plan, await buildFirmware(plan), rows);
}

requires("gcc-arm-none-eabi", "qemu-system-arm")("firmware on a Cortex-M", () => {
  test("the codec keeps to its budgets on an M4, and the trace of its worst sample to the count", async () => {
    const plan = goalPlan("codec");
    const figures = await measure(plan);
    expectWithin(figures, M4_CODEC);
    const worst = await boundWorstSample(figures, await buildFirmware(plan));
    expect(Math.abs(worst.instructions - figures.instructionsMax)).toBeLessThanOrEqual(COUNTER_INSTRUCTIONS);
    expect(worst.cycles).toBeGreaterThan(worst.instructions);
    expect(worst.cycles).toBeLessThan(M4_CYCLES);
  });

  test("the codec built for speed keeps to its budgets on an M4, in flash and in the bound of cycles", async () => {
    const plan = { ...goalPlan("codec"), optimize: "speed" } as const;
    const figures = await measure(plan);
    expectWithin(figures, M4_FAST_CODEC);
    const { cycles } = await boundWorstSample(figures, await buildFirmware(plan));
    expect(cycles).toBeLessThan(M4_FAST_CYCLES);
  });

  test("a whole device on a serial line keeps to its budgets on an M4", async () => {
    expectWithin(await measure(goalPlan("link")), M4_LINK);
  });

  test("the codec keeps to looser budgets on an M0", async () => {
    expectWithin(await measure({ ...goalPlan("codec"), board: "cortex-m0", core: "Cortex-M0" }, FEW_ROWS), M0_CODEC);
  });
});

requires("gcc-riscv64-unknown-elf", "qemu-system-riscv32")("firmware on RV32", () => {
  test("the codec keeps to looser budgets", async () => {
    const plan = { ...goalPlan("codec"), board: "riscv32-virt", core: "RV32IMC", optimize: "speed" } as const;
    expectWithin(await measure(plan, FEW_ROWS), RV32_CODEC);
  });
});
