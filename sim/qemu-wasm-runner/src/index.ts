/**
 * Builds an integer-only WebAssembly module as firmware, runs it on an emulated microcontroller, calls it there, and
 * counts its instructions: the same module in Node and on ten boards, compared in a few lines.
 *
 * @packageDocumentation
 */
export { type BenchOptions, type BenchReport, type BudgetRow, type Budgets, bench } from "./bench.ts";
export { BOARDS, type Board, type BoardName, type ToolName } from "./board.ts";
export { type BuildOptions, build, type Firmware, type OwnProgram } from "./build.ts";
export { type CallCost, cycleBound, cycleBoundOfRun, type PieceCost, type TraceMarks } from "./cycle-bound.ts";
export { type CycleRow, type CycleTable, cycleTableOf } from "./cycle-table.ts";
export { doctor, type ToolReport } from "./doctor.ts";
export type { ImageSizes } from "./elf-sizes.ts";
export type { FirmwareSizes } from "./firmware-sizes.ts";
export type { RunMode } from "./interpreted-module.ts";
export { type Machine, type Measurement, type OpenOptions, open, type WasmInteger } from "./machine.ts";
export type { PartSizes, ProgramPart } from "./map-sizes.ts";
export type { ModuleCall } from "./module-call.ts";
export {
  type IntegerType,
  type ModuleExport,
  type ModuleShape,
  readModuleShape,
  type Signature,
} from "./module-shape.ts";
export { compileModuleText } from "./module-text.ts";
export {
  type FirmwarePort,
  firmwareBinding,
  type MemoryPort,
  openPort,
  openPortPair,
  type PortOptions,
} from "./port.ts";
export type { ProcessResult } from "./process.ts";
export { type RunOptions, type RunResult, run } from "./run.ts";
export { RunnerError, type RunnerErrorCode } from "./runner-error.ts";
export { elfProgram, type ProgramEnd, type RunningProgram, type Startable } from "./running-program.ts";
export {
  type ByteLink,
  type OpenedPort,
  type PortSettings,
  type StreamBinding,
  StreamPort,
} from "./stream-binding.ts";
export { type StopReason, TRAP_REASONS, type TrapReason } from "./trap-reason.ts";
