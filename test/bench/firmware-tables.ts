import type { BenchTable } from "./bench.ts";
import { modeOf } from "./firmware-plan.ts";
import type { FirmwareFigures } from "./firmware-run.ts";

/** A firmware's figures, and what its worst sample costs by the trace. */
export interface MeasuredFirmware {
  readonly figures: FirmwareFigures;
  readonly worst: { readonly instructions: number; readonly cycles: number };
}

/** One entry of what `--json` prints. */
interface FirmwareBoardJson {
  readonly board: string;
  readonly mode: string;
  readonly flashBytes: number;
  /** With the stack, without the ring. */
  readonly ramBytes: number;
  readonly stateBytes: number;
  readonly stackBytes: number;
  readonly instructionsMax: number;
  readonly instructionsMean: number;
  /** At most, for the sample of `instructionsMax`. */
  readonly cyclesMax: number;
}

/** What `--json` prints of one firmware. */
export function boardJson({ figures, worst }: MeasuredFirmware): FirmwareBoardJson {
  const { plan, flashBytes, ramBytes, ram, instructionsMax, instructionsMean } = figures;
  return {
    board: plan.board,
    mode: modeOf(plan),
    flashBytes,
    ramBytes,
    stateBytes: ram.state,
    stackBytes: ram.stack,
    instructionsMax,
    instructionsMean: Math.round(instructionsMean),
    cyclesMax: worst.cycles,
  };
}

/** One row for each firmware. */
export function boardTable(measured: readonly MeasuredFirmware[]): Pick<BenchTable, "columns" | "rows"> {
  return {
    columns: [
      "core",
      "mode",
      "flash, B",
      "RAM, B",
      "state, B",
      "stack, B",
      "instructions, worst",
      "mean",
      "worst / mean",
      "cycles, worst, at most",
      "at 100 MHz, us",
    ],
    rows: measured.map((one) => {
      const { mode, flashBytes, ramBytes, stateBytes, stackBytes, instructionsMax, instructionsMean, cyclesMax } =
        boardJson(one);
      const ratio = (instructionsMax / instructionsMean).toFixed(2);
      const counts = [instructionsMax, instructionsMean, ratio, cyclesMax, Math.ceil(cyclesMax / 100)];
      return [one.figures.plan.core, mode, flashBytes, ramBytes, stateBytes, stackBytes, ...counts];
    }),
  };
}

/** Where the instructions go, by signal. */
export function signalTable(measured: readonly FirmwareFigures[]): BenchTable {
  return {
    title: "Instructions by signal",
    columns: [
      "core",
      "mode",
      "signal",
      "row alone, mean",
      "worst",
      "all due at a sample, mean",
      "worst",
      "at row",
      "bytes",
    ],
    rows: measured.flatMap(({ plan, signals }) =>
      signals.map(({ signal, rows, samples, producedBytes }) => [
        plan.core,
        modeOf(plan),
        signal,
        Math.round(rows.mean),
        rows.max,
        Math.round(samples.mean),
        samples.max,
        samples.maxAt,
        producedBytes,
      ]),
    ),
  };
}

/** What the memory is for. */
export function ramTable(measured: readonly FirmwareFigures[]): BenchTable {
  return {
    title: "RAM by what it is for, B",
    columns: ["core", "mode", "codec state", "below it", "scratch", "messages", "globals", "stack", "sum"],
    rows: measured.map(({ plan, ram, ramBytes }) => [
      plan.core,
      modeOf(plan),
      ram.state,
      ram.belowState,
      ram.scratch,
      ram.messages,
      ram.globals,
      ram.stack,
      ramBytes,
    ]),
  };
}
