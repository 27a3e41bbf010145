import { CodecEnd, deviceModule } from "../conformance/codec-end.ts";
import {
  FRAME_ROWS,
  hasEvents,
  type SignalBound,
  type SignalRow,
  THREE_SIGNALS,
  type ThreeSignal,
} from "../conformance/three-signals.ts";
import type { BenchTable } from "./bench.ts";
import type { FirmwareFigures } from "./firmware-run.ts";
import { heatshrinkEncode } from "./peers/heatshrink.ts";

/**
 * heatshrink's encoder on a Cortex-M4, -Os, under QEMU 7.2, counted as here, on a random walk of six int32 channels: measured
 * once while this codec was designed, not in this run. Window 8, lookahead 4; a sample is 24 bytes.
 */
export const HEATSHRINK = [
  { name: "heatshrink, with index", codeBytes: 1090, stateBytes: 1554, stackBytes: 748, mean: 7675, max: 114_438 },
  // The counter wraps near 655,000: at least this.
  { name: "heatshrink, without index", codeBytes: 950, stateBytes: 528, stackBytes: 248, mean: 11_720, max: 652_000 },
] as const;

/** Coding without loss: a history bin that holds each signal's range. */
const LOSSLESS: Readonly<Record<string, SignalBound>> = { rotor: [0, 1, 17], walk: [0, 1, 17], bursts: [0, 1, 25] };

/** Ours beside heatshrink's figures. */
export function heatshrinkTable({
  flashBytes,
  ramBytes,
  instructionsMax,
  instructionsMean,
}: FirmwareFigures): BenchTable {
  const rows = HEATSHRINK.map(({ name, codeBytes, stateBytes, stackBytes, mean, max }) => [
    `${name} (measured elsewhere)`,
    codeBytes,
    stateBytes + stackBytes,
    mean,
    max,
    (max / mean).toFixed(1),
  ]);
  return {
    title: "Beside heatshrink, Cortex-M4, encoders alone",
    columns: ["", "code, B", "RAM with stack, B", "instructions a sample, mean", "worst", "worst / mean"],
    rows: [
      [
        "ours (this run)",
        flashBytes,
        ramBytes,
        Math.round(instructionsMean),
        instructionsMax,
        (instructionsMax / instructionsMean).toFixed(1),
      ],
      ...rows,
    ],
  };
}

/** Where heatshrink is smaller, and where ours is, in words that follow the figures. */
export function heatshrinkNote({ flashBytes, ramBytes, instructionsMax, instructionsMean }: FirmwareFigures): string {
  const [indexed, plain] = HEATSHRINK;
  const compared: readonly (readonly [string, number, number])[] = [
    ["code", flashBytes, indexed.codeBytes],
    ["RAM", ramBytes, indexed.stateBytes + indexed.stackBytes],
    ["a mean sample", instructionsMean, indexed.mean],
    ["the worst sample", instructionsMax, indexed.max],
    ["the worst sample without its index", instructionsMax, plain.max],
  ];
  const listOf = (isOurs: boolean) =>
    compared
      .filter(([, ours, theirs]) => ours < theirs === isOurs)
      .map(([what, ours, theirs]) => {
        const ratio = isOurs ? theirs / ours : ours / theirs;
        return `${what} (${ratio.toFixed(1)} x)`;
      })
      .join(", ") || "nothing";
  return `heatshrink, with its index unless said otherwise, is smaller in: ${listOf(false)}. Ours is smaller in: ${listOf(true)}. It is lossless, knows no error bound, and makes data with noise larger than they were.`;
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
