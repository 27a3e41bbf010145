import type { BenchGoal, BenchTable } from "./bench.ts";
import { BenchError } from "./bench-error.ts";
import { interpreterPlans, litePlans, modeOf } from "./firmware-plan.ts";
import { boundWorstSample, buildFirmware, type FirmwareFigures, measureFirmware, SIGNAL_ROWS } from "./firmware-run.ts";
import type { MeasuredFirmware } from "./firmware-tables.ts";

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
const LITE_CYCLES_LIMIT = { below: 100_000, aim: 60_000 };
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

/** Build and measure the lite codec, interpreted and as C. @throws {BenchError} `no-answer` */
export async function measureLite(): Promise<MeasuredFirmware[]> {
  const measured: MeasuredFirmware[] = [];
  for (const plan of litePlans()) {
    process.stderr.write(`firmware: ${plan.core}, ${modeOf(plan)}\n`);
    const firmware = await buildFirmware(plan);
    const figures = await measureFirmware(plan, firmware, SIGNAL_ROWS);
    measured.push({ figures, worst: await boundWorstSample(figures, firmware) });
  }
  return measured;
}

/** What the lite codec is held to where it is interpreted. */
export function liteGoals([interpreted]: readonly MeasuredFirmware[]): BenchGoal[] {
  const { aim, ...must } = LITE_CYCLES_LIMIT;
  return [
    {
      what: "Cortex-M4: the lite codec interpreted, a sample of six channels, cycles at most (100,000 are 1 ms at 100 MHz)",
      measured: interpreted?.worst.cycles ?? Number.NaN,
      unit: "",
      must,
      aim,
    },
  ];
}

/** One entry of what `--json` prints. */
export function liteJson({ figures, worst }: MeasuredFirmware) {
  return {
    mode: figures.plan.isInterpreted ? "interp" : "aot",
    profile: "lite",
    flashBytes: figures.plan.isInterpreted ? null : figures.flashBytes,
    ram: figures.ram,
    instructionsMax: figures.instructionsMax,
    instructionsMean: Math.round(figures.instructionsMean),
    cyclesMax: worst.cycles,
    signals: figures.signals.map(({ signal, samples }) => ({
      signal,
      max: samples.max,
      mean: Math.round(samples.mean),
    })),
  };
}

/** The lite codec by signal. */
export function liteTable(measured: readonly MeasuredFirmware[]): BenchTable {
  return {
    title: `The lite codec, Cortex-M4, ${SIGNAL_ROWS} rows of each signal`,
    columns: [
      "mode",
      "codec, flash, B",
      "state, B",
      "RAM without the ring, B",
      "signal",
      "instructions, worst",
      "mean",
      "cycles, worst of all, at most",
    ],
    rows: measured.flatMap(({ figures, worst }) =>
      figures.signals.map(({ signal, samples }) => [
        modeOf(figures.plan),
        figures.plan.isInterpreted ? "n/a" : figures.flashBytes,
        figures.ram.state,
        figures.ramBytes,
        signal,
        samples.max,
        Math.round(samples.mean),
        samples.max === figures.instructionsMax ? worst.cycles : "",
      ]),
    ),
  };
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
