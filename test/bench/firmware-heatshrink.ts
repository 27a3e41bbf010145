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
import type { FirmwareFigures } from "./firmware-run.ts";
import { heatshrinkEncode } from "./peers/heatshrink.ts";

/** heatshrink's encoder on a Cortex-M4, window 8 and lookahead 4, under QEMU 7.2; not measured in this run. */
interface HeatshrinkFigures {
  readonly way: string;
  /** What was coded, a sample of six int32 being 24 bytes. */
  readonly input: string;
  readonly codeBytes: number;
  readonly stateBytes: number;
  readonly stackBytes: number;
  readonly mean: number;
  readonly max: number;
}

const THESE = "these signals";
const WALK = "a random walk";

/** The faster one, which ours is held against: the build that the goals are about is -Os too. */
const INDEXED: HeatshrinkFigures = {
  way: "with index, -Os",
  input: THESE,
  codeBytes: 992,
  stateBytes: 1554,
  stackBytes: 808,
  mean: 6974,
  max: 134_758,
};
/** The smaller one. */
const PLAIN: HeatshrinkFigures = {
  way: "without index, -Os",
  input: THESE,
  codeBytes: 904,
  stateBytes: 528,
  stackBytes: 320,
  mean: 59_218,
  max: 798_387,
};

/**
 * On these signals: the C library as npm's package heatshrink 1.0.0 has it, once, in place of the codec in
 * `firmware-measure.c`. On a random walk: once, while this codec was designed; there the counter wrapped near 655,000, so
 * that the second is at least what it says.
 */
const ELSEWHERE: readonly HeatshrinkFigures[] = [
  INDEXED,
  { ...INDEXED, way: "with index, -O2", codeBytes: 1308, mean: 5145, max: 95_126 },
  PLAIN,
  { ...INDEXED, input: WALK, codeBytes: 1090, stackBytes: 748, mean: 7675, max: 114_438 },
  {
    ...PLAIN,
    way: "without index, -Os, at least",
    input: WALK,
    codeBytes: 950,
    stackBytes: 248,
    mean: 11_720,
    max: 652_000,
  },
];

/** Coding without loss: a history bin that holds each signal's range. */
const LOSSLESS: Readonly<Record<string, SignalBound>> = { rotor: [0, 1, 17], walk: [0, 1, 17], bursts: [0, 1, 25] };

/** Ours beside heatshrink's figures. @param mode  how ours was built */
export function heatshrinkTable(ours: FirmwareFigures, mode: string): BenchTable {
  const row = (name: string, input: string, code: number, ram: number, mean: number, max: number) => [
    name,
    input,
    code,
    ram,
    Math.round(mean),
    max,
    (max / mean).toFixed(1),
  ];
  return {
    title: "Beside heatshrink, Cortex-M4, encoders alone",
    columns: ["", "input", "code, B", "RAM with stack, B", "instructions a sample, mean", "worst", "worst / mean"],
    rows: [
      row(`ours, ${mode}`, THESE, ours.flashBytes, ours.ramBytes, ours.instructionsMean, ours.instructionsMax),
      ...ELSEWHERE.map(({ way, input, codeBytes, stateBytes, stackBytes, mean, max }) =>
        row(`heatshrink, ${way} (measured elsewhere)`, input, codeBytes, stateBytes + stackBytes, mean, max),
      ),
    ],
  };
}

/** Aimed at, and failing nothing: less than heatshrink takes with its index. */
export function heatshrinkGoals({ flashBytes, ramBytes, instructionsMax }: FirmwareFigures): BenchGoal[] {
  const goal = (what: string, measured: number, unit: string, below: number): BenchGoal => ({
    what: `beside heatshrink with index (measured elsewhere): ${what}`,
    measured,
    unit,
    aimedAt: { below },
  });
  return [
    goal("code", flashBytes, "B", INDEXED.codeBytes),
    goal("RAM with stack", ramBytes, "B", INDEXED.stateBytes + INDEXED.stackBytes),
    goal("worst sample", instructionsMax, "instructions", INDEXED.max),
  ];
}

/** Where heatshrink is smaller, and where ours is, in words that follow the figures. */
export function heatshrinkNote({ flashBytes, ramBytes, instructionsMax, instructionsMean }: FirmwareFigures): string {
  const compared: readonly (readonly [string, number, number])[] = [
    ["code", flashBytes, INDEXED.codeBytes],
    ["RAM", ramBytes, INDEXED.stateBytes + INDEXED.stackBytes],
    ["a mean sample", instructionsMean, INDEXED.mean],
    ["the worst sample", instructionsMax, INDEXED.max],
    ["a mean sample without its index", instructionsMean, PLAIN.mean],
    ["the worst sample without its index", instructionsMax, PLAIN.max],
  ];
  const listOf = (isOurs: boolean) =>
    compared
      .filter(([, ours, theirs]) => ours < theirs === isOurs)
      .map(([what, ours, theirs]) => {
        const ratio = isOurs ? theirs / ours : ours / theirs;
        return `${what} (${ratio.toFixed(1)} x)`;
      })
      .join(", ") || "nothing";
  return `heatshrink, with its index unless said otherwise, takes less in: ${listOf(false)}. Ours takes less in: ${listOf(true)}. It is lossless and knows no error bound; its bytes on each signal are in the table, more than it was given where noise leaves no matches.`;
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
