import { decodeFrame, encodeFrame, type Frame } from "@lockstep/protocol";
import { decode } from "cbor-x";
import type { BenchReport } from "./bench.ts";
import { median } from "./statistics.ts";

const FRAMES_PER_RUN = 200_000;
const RUNS = 5;

/** Frames decoded per second by the strict reader, beside cbor-x, which checks neither form nor range nor seal. */
export async function benchFrames(): Promise<BenchReport> {
  return {
    title: "Frames decoded per second, one core",
    notes: [
      `Input: one frame of each kind, decoded ${FRAMES_PER_RUN} times, median of ${RUNS} runs taken in turn.`,
      "cbor-x gives an array of elements; it refuses no other form of them and verifies no seal.",
    ],
    columns: ["frame", "bytes", "strict, frames/s", "cbor-x, frames/s", "ratio"],
    rows: FRAMES.map(([name, frame]) => {
      const bytes = encodeFrame(frame);
      const [ours, theirs] = medianRates(
        () => decodeFrame(bytes),
        () => decode(bytes),
      );
      return [name, bytes.length, Math.round(ours), Math.round(theirs), Number((ours / theirs).toFixed(2))];
    }),
  };
}

const FRAMES: readonly (readonly [string, Frame])[] = [
  ["residual of 40 bytes", residual(40)],
  ["residual of 400 bytes", residual(400)],
  ["heartbeat", { kind: "heartbeat", position: 4099, quiet: 3000, timeUs: 1.7e15, ringFill: 17, seal: 99 }],
  ["ack of one range", { kind: "ack", nonce: 1e9, epoch: 1, through: 100, missing: [{ from: 100, count: 2 }] }],
];

function residual(payloadBytes: number): Frame {
  const payload = new Uint8Array(payloadBytes);
  return {
    kind: "residual",
    position: 4097,
    quiet: 0,
    samples: 0,
    hasEvents: false,
    hasLines: false,
    payload,
    seal: 99,
  };
}

function medianRates(ours: () => unknown, theirs: () => unknown): [number, number] {
  const rates = Array.from({ length: RUNS }, () => [rate(ours), rate(theirs)] as const);
  return [median(rates.map(([own]) => own)), median(rates.map(([, peer]) => peer))];
}

function rate(act: () => unknown): number {
  const start = performance.now();
  for (let i = 0; i < FRAMES_PER_RUN; i++) {
    act();
  }
  return (1000 * FRAMES_PER_RUN) / (performance.now() - start);
}
