import type { FirmwarePlan } from "../bench/firmware-plan.ts";

/** Most that a firmware may take. */
export interface FirmwareBudget {
  readonly flashBytes: number;
  /** Without the ring; with the stack. */
  readonly ramBytes: number;
  readonly stateBytes: number;
  readonly stackBytes: number;
  /** Of one sample, all that falls due with it. */
  readonly instructionsMax: number;
  readonly worstOverMean: number;
  /** Of that sample, by the table of the core. */
  readonly cycles: number;
}

/** A firmware and its budget. */
export interface BudgetedFirmware {
  readonly plan: FirmwarePlan;
  /** Rows of each signal, where not all: the M0 takes fifteen times as long. */
  readonly rows?: number;
  readonly budget: FirmwareBudget;
}

/** The worst sample is among the first rows of the bursts too, or nearly. */
const FEW_ROWS = 1000;
const CORES = {
  M0: ["cortex-m0", "Cortex-M0"],
  M3: ["mps2-an385", "Cortex-M3"],
  M4: ["mps2-an386", "Cortex-M4"],
  M7: ["mps2-an500", "Cortex-M7"],
  RV32: ["riscv32-virt", "RV32IMC"],
} as const;

/**
 * What firmware may take, on QEMU, the same on every machine. The one table of it: whoever makes it less lowers it here, by
 * what the failing test prints; a limit is that of the goals (`npm run bench -- firmware`) where it is reached, else 2 % or
 * less above what was measured, so that nothing grows unseen.
 *
 *     core, subject, gcc -Os (size) or -O2 (speed)   flash    RAM    state  stack  instructions, worst / mean, cycles
 */
export const BUDGETED_FIRMWARE: readonly BudgetedFirmware[] = [
  budgeted("M4", "codec", "size", [9_650, 3_535, 2_047, 574, 63_500, 1.61, 98_600]),
  budgeted("M4", "codec", "speed", [11_450, 3_550, 2_047, 591, 56_300, 1.6, 85_100]),
  budgeted("M4", "link", "size", [17_220, 3_600, 2_047, 607, 96_100, 2.39, 156_400]),
  budgeted("M4", "link", "speed", [21_030, 3_625, 2_047, 631, 80_300, 2.25, 120_500]),
  budgeted("M3", "codec", "speed", [11_540, 3_550, 2_047, 591, 56_700, 1.6, 92_000]),
  budgeted("M3", "link", "speed", [21_190, 3_625, 2_047, 631, 80_600, 2.24, 126_900]),
  budgeted("M7", "codec", "speed", [11_490, 3_560, 2_047, 599, 56_300, 1.6, 102_300]),
  budgeted("M7", "link", "speed", [21_140, 3_635, 2_047, 639, 79_600, 2.23, 153_000]),
  budgeted("RV32", "codec", "speed", [18_230, 3_710, 2_047, 748, 116_600, 1.81, 206_300]),
  budgeted("RV32", "link", "speed", [31_430, 3_790, 2_047, 797, 151_300, 2.32, 269_900]),
  budgeted("M0", "codec", "size", [13_680, 3_740, 2_047, 777, 348_900, 1.64, 922_300], FEW_ROWS),
  budgeted("M0", "codec", "speed", [16_660, 3_760, 2_047, 801, 325_700, 1.65, 792_500], FEW_ROWS),
  budgeted("M0", "link", "speed", [28_560, 3_925, 2_047, 931, 372_400, 1.88, 905_200], FEW_ROWS),
];

function budgeted(
  name: keyof typeof CORES,
  subject: FirmwarePlan["subject"],
  optimize: FirmwarePlan["optimize"],
  limits: readonly [number, number, number, number, number, number, number],
  rows?: number,
): BudgetedFirmware {
  const [board, core] = CORES[name];
  const [flashBytes, ramBytes, stateBytes, stackBytes, instructionsMax, worstOverMean, cycles] = limits;
  return {
    plan: { board, core, subject, optimize, checks: "none" },
    ...(rows === undefined ? {} : { rows }),
    budget: { flashBytes, ramBytes, stateBytes, stackBytes, instructionsMax, worstOverMean, cycles },
  };
}
