import type { BenchGoal, BenchTable } from "./bench.ts";
import { BenchError } from "./bench-error.ts";
import { interpreterPlans, modeOf } from "./firmware-plan.ts";
import { boundWorstSample, buildFirmware, type FirmwareFigures, measureFirmware } from "./firmware-run.ts";

/** The codec as a module that is interpreted. */
export interface InterpreterFigures {
  readonly figures: FirmwareFigures;
  /** Code and constants of the interpreter, with memcpy and its like, without module and index. */
  readonly flashBytes: number;
  /** The module and its index, in flash too. */
  readonly moduleBytes: number;
  /** Beside the module's memory and without the stack of C: globals, values, frames, the instance. */
  readonly ramBytes: number;
  readonly cyclesMax: number;
}

/** Rows of each signal; a row takes a million and a half instructions. */
const ROWS = 120;
/** The second is 1.2 KiB; a budget test holds both (`test/budgets/interpreter.test.ts`). */
const FLASH_LIMIT = { below: 8 * 1024, aim: 6 * 1024 };
const RAM_LIMIT = { below: 1229, aim: 1024 };

/** Build and measure the interpreter with the codec, each way to compile it. @throws {BenchError} `no-answer` */
export async function measureInterpreter(): Promise<InterpreterFigures[]> {
  const measured: InterpreterFigures[] = [];
  for (const plan of interpreterPlans()) {
    process.stderr.write(`firmware: ${plan.core}, ${modeOf(plan)}\n`);
    const firmware = await buildFirmware(plan);
    const figures = await measureFirmware(plan, firmware, ROWS);
    const parts = firmware.sizes?.parts;
    if (parts === undefined || parts === null) throw new BenchError("no-answer", { plan: modeOf(plan) });
    const { codeBytes, constantBytes, dataBytes } = parts.runtime;
    const { cycles } = await boundWorstSample(figures, firmware);
    measured.push({
      figures,
      flashBytes: codeBytes + constantBytes + dataBytes,
      moduleBytes: parts.module.constantBytes,
      ramBytes: figures.ram.globals,
      cyclesMax: cycles,
    });
  }
  return measured;
}

/** What the interpreter is held to: of the small build. */
export function interpreterGoals([small]: readonly InterpreterFigures[]): BenchGoal[] {
  const goal = (what: string, measured: number, { aim, ...must }: typeof FLASH_LIMIT): BenchGoal => ({
    what: `Cortex-M4: ${what}`,
    measured,
    unit: "B",
    must,
    aim,
  });
  return [
    goal("flash of the interpreter", small?.flashBytes ?? Number.NaN, FLASH_LIMIT),
    goal(
      "RAM of the interpreter, beside the module's memory and the stack of C",
      small?.ramBytes ?? Number.NaN,
      RAM_LIMIT,
    ),
  ];
}

/** One entry of what `--json` prints. */
export function interpreterJson({ figures, flashBytes, moduleBytes, ramBytes, cyclesMax }: InterpreterFigures) {
  return {
    mode: "interp",
    optimize: figures.plan.optimize,
    flashBytes,
    moduleBytes,
    ramBytes,
    instructionsMax: figures.instructionsMax,
    instructionsMean: Math.round(figures.instructionsMean),
    cyclesMax,
  };
}

/** The full codec interpreted. @param aot  the same as C, of the goals' build */
export function interpreterTable(measured: readonly InterpreterFigures[], aot: FirmwareFigures): BenchTable {
  return {
    title: `The codec interpreted, Cortex-M4, ${ROWS} rows of each signal`,
    columns: [
      "mode",
      "interpreter, flash, B",
      "module and index, flash, B",
      "RAM beside the module's memory, B",
      "stack of C, with the program that measures, B",
      "instructions, worst",
      "mean",
      "of compiled code, mean",
      "cycles, worst, at most",
    ],
    rows: measured.map((one) => [
      modeOf(one.figures.plan),
      one.flashBytes,
      one.moduleBytes,
      one.ramBytes,
      one.figures.ram.stack,
      one.figures.instructionsMax,
      Math.round(one.figures.instructionsMean),
      `${(one.figures.instructionsMean / aot.instructionsMean).toFixed(1)} x`,
      one.cyclesMax,
    ]),
  };
}
