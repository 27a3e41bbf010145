import { CodecEnd, deviceModule } from "../conformance/codec-end.ts";
import {
  FRAME_ROWS,
  hasEvents,
  type SignalBound,
  type SignalRow,
  THREE_SIGNALS,
  type ThreeSignal,
} from "../conformance/three-signals.ts";
import type { BenchGoal, BenchTable } from "./bench.ts";
import { BenchError } from "./bench-error.ts";
import { type HeatshrinkPlan, measureHeatshrink } from "./firmware-heatshrink-run.ts";
import type { FirmwareFigures } from "./firmware-run.ts";
import { heatshrinkEncode } from "./peers/heatshrink.ts";

/** heatshrink's encoder, window 8 and lookahead 4, as it was built and measured. */
export interface MeasuredHeatshrink {
  readonly plan: HeatshrinkPlan;
  readonly figures: FirmwareFigures;
}

/** The ways to build it. The first is the faster one at -Os, which ours is held against: the build of the goals is -Os too. */
const PLANS: readonly HeatshrinkPlan[] = [
  { hasIndex: true, optimize: "size" },
  { hasIndex: true, optimize: "speed" },
  { hasIndex: false, optimize: "size" },
];

/**
 * Measure every way to build it, on the same samples as ours.
 *
 * @throws {BenchError} as `measureHeatshrink`
 */
export async function measureHeatshrinks(): Promise<MeasuredHeatshrink[]> {
  const measured: MeasuredHeatshrink[] = [];
  for (const plan of PLANS) measured.push({ plan, figures: await measureHeatshrink(plan) });
  return measured;
}

/** Coding without loss: a history bin that holds each signal's range. */
const LOSSLESS: Readonly<Record<string, SignalBound>> = { rotor: [0, 1, 17], walk: [0, 1, 17], bursts: [0, 1, 25] };

/** Ours beside heatshrink. @param mode  how ours was built */
export function heatshrinkTable(
  ours: FirmwareFigures,
  mode: string,
  theirs: readonly MeasuredHeatshrink[],
): BenchTable {
  const row = (name: string, { flashBytes, ramBytes, instructionsMean, instructionsMax }: FirmwareFigures) => [
    name,
    flashBytes,
    ramBytes,
    Math.round(instructionsMean),
    instructionsMax,
    (instructionsMax / instructionsMean).toFixed(1),
  ];
  return {
    title: "Beside heatshrink, Cortex-M4, encoders alone",
    columns: ["", "code, B", "RAM with stack, B", "instructions a sample, mean", "worst", "worst / mean"],
    rows: [
      row(`ours, ${mode}`, ours),
      ...theirs.map(({ plan: { hasIndex, optimize }, figures }) =>
        row(`heatshrink, ${hasIndex ? "with" : "without"} index, ${optimize === "size" ? "-Os" : "-O2"}`, figures),
      ),
    ],
  };
}

/** Aimed at, and failing nothing: less than heatshrink takes with its index. */
export function heatshrinkGoals(ours: FirmwareFigures, theirs: readonly MeasuredHeatshrink[]): BenchGoal[] {
  const { indexed } = heldAgainst(theirs);
  const goal = (what: string, unit: string, field: "flashBytes" | "ramBytes" | "instructionsMax"): BenchGoal => ({
    what: `beside heatshrink with index: ${what}`,
    measured: ours[field],
    unit,
    aimedAt: { below: indexed[field] },
  });
  return [
    goal("code", "B", "flashBytes"),
    goal("RAM with stack", "B", "ramBytes"),
    goal("worst sample", "instructions", "instructionsMax"),
  ];
}

/** Where heatshrink is smaller, and where ours is, in words that follow the figures. */
export function heatshrinkNote(ours: FirmwareFigures, theirs: readonly MeasuredHeatshrink[]): string {
  const { indexed, plain } = heldAgainst(theirs);
  const compared: readonly (readonly [string, number, number])[] = [
    ["code", ours.flashBytes, indexed.flashBytes],
    ["RAM", ours.ramBytes, indexed.ramBytes],
    ["a mean sample", ours.instructionsMean, indexed.instructionsMean],
    ["the worst sample", ours.instructionsMax, indexed.instructionsMax],
    ["a mean sample without its index", ours.instructionsMean, plain.instructionsMean],
    ["the worst sample without its index", ours.instructionsMax, plain.instructionsMax],
  ];
  const listOf = (isOurs: boolean) =>
    compared
      .filter(([, our, their]) => our < their === isOurs)
      .map(([what, our, their]) => `${what} (${(isOurs ? their / our : our / their).toFixed(1)} x)`)
      .join(", ") || "nothing";
  return `heatshrink, with its index unless said otherwise, takes less in: ${listOf(false)}. Ours takes less in: ${listOf(true)}. It is lossless and knows no error bound; its bytes on each signal are in the table, more than it was given where noise leaves no matches.`;
}

function heldAgainst(theirs: readonly MeasuredHeatshrink[]): { indexed: FirmwareFigures; plain: FirmwareFigures } {
  const find = (wanted: boolean) =>
    theirs.find(({ plan: { hasIndex, optimize } }) => hasIndex === wanted && optimize === "size")?.figures;
  const [indexed, plain] = [find(true), find(false)];
  if (indexed === undefined || plain === undefined) throw new BenchError("unknown-name", { plan: "heatshrink, -Os" });
  return { indexed, plain };
}

/** Bytes that both make of the signals of this run. */
export function producedTable(rows: number): BenchTable {
  return {
    title: "Bytes made of the same samples, by Node",
    columns: ["signal", "as int32", "heatshrink, lossless", "ours, lossless", "ours, within the signal's bounds"],
    rows: THREE_SIGNALS.map((signal) => {
      const source = signal.rows();
      const given = Array.from({ length: rows }, () => source.next().value);
      const bytes = new Uint8Array(Int32Array.from(given.flatMap(({ samples }) => samples)).buffer);
      const lossless = signal.bounds.map(() => LOSSLESS[signal.name] ?? ([0, 1, 25] as const));
      return [
        signal.name,
        bytes.length,
        heatshrinkEncode(bytes).length,
        payloadBytes(given, lossless),
        payloadBytes(given, signal.bounds),
      ];
    }),
  };
}

function payloadBytes(rows: readonly SignalRow[], bounds: ThreeSignal["bounds"]): number {
  const encoder = new CodecEnd(deviceModule(), bounds);
  let total = 0;
  for (let at = 0; at < rows.length; at += FRAME_ROWS) {
    const frame = rows.slice(at, at + FRAME_ROWS);
    const samples = frame.flatMap((row) => row.samples);
    const statuses = frame.flatMap((row) => row.statuses);
    total += encoder.encode(samples, statuses, hasEvents(at / FRAME_ROWS)).length;
  }
  return total;
}
