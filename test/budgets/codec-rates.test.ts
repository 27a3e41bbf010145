import { fileURLToPath } from "node:url";
import { type Lookahead, loadBatchCore } from "@lockstep/edge-sdk/core";
import { createSignal, SIGNAL_NAMES, seededRandom } from "@lockstep/sim";
import { beforeAll, expect, test } from "vitest";
import { boundsOf } from "../bench/codec-cell.ts";
import { runOurs } from "../bench/codec-ours.ts";
import { latticesOf } from "../bench/codec-plan.ts";
import { readBatchModule } from "../bench/modules.ts";
import { listSets, type TelemetrySet } from "../bench/telemetry-sets.ts";

/**
 * Bits per channel-sample of the shipped recording: rel and rows of a frame, then without, with and with greedy lookahead. Locked to 1 %,
 * because a loss of rate passes every round trip. What makes them smaller on purpose changes them here, with
 * `npm run bench -- codec --data sim/data` run again.
 */
const RATES = [
  [0.1, 100, 0.037985, 0.033052, 0.034039],
  [0.1, 1000, 0.037393, 0.032855, 0.035716],
  [0.01, 100, 0.48878, 0.44882, 0.47003],
  [0.01, 1000, 0.48621, 0.4505, 0.47911],
  [0.001, 100, 2.2817, 2.2746, 2.2812],
  [0.001, 1000, 2.2787, 2.2782, 2.2795],
] as const;
const NAME = "imu_handheld";
const TOLERANCE = 0.01;
/** In the order of the rates. */
const LOOKAHEADS: readonly Lookahead[] = ["none", "programme", "greedy"];

let set: TelemetrySet;
let core: ReturnType<typeof loadBatchCore>;
beforeAll(async () => {
  const sets = await listSets(fileURLToPath(new URL("../../sim/data", import.meta.url)));
  const [shipped] = sets.filter(({ name }) => name === NAME);
  if (shipped === undefined) return expect.fail(`${NAME} is not in sim/data`);
  set = shipped;
  core = loadBatchCore(await readBatchModule());
});

/**
 * The same of every generated signal of `sim` with its default parameters, 60 s of three channels (six of the rotor) from
 * seed 1, frames of 100, bounds of rel x the range that the signal declares.
 */
const GENERATED_RATES = [
  ["rotor", 0.01, 1.6982, 1.6982, 1.6982],
  ["rotor-twin", 0.01, 1.8407, 1.8407, 1.8407],
  ["rotor-twin", 0.001, 4.8433, 4.8433, 4.8433],
  ["sine", 0.01, 0.564, 0.564, 0.564],
  ["sine", 0.001, 3.5089, 3.5089, 3.5089],
  ["walk", 0.01, 3.2724, 3.2724, 3.2724],
  ["walk", 0.001, 6.6098, 6.6098, 6.6098],
  ["steps", 0.01, 0.7351, 0.4444, 0.5356],
  ["steps", 0.001, 3.728, 3.728, 3.728],
  ["bursts", 0.01, 1.1458, 1.1058, 1.1298],
  ["bursts", 0.001, 4.3609, 4.3609, 4.3609],
] as const;
const GENERATED_ROWS = 6000;

test.for(RATES)("imu_handheld at rel %f in frames of %i costs what it did under every lookahead", (row) => {
  const [rel, frames, ...rates] = row;
  expectRates(set, rel, frames, rates);
});

test.for(GENERATED_RATES)(
  "the signal %s at rel %f costs what it did under every lookahead",
  ([name, rel, ...rates]) => {
    expectRates(generated(name), rel, 100, rates);
  },
);

test("every generated signal has a locked rate", () => {
  const names = new Set<string>(GENERATED_RATES.map(([name]) => name));
  expect(SIGNAL_NAMES.filter((name) => !names.has(name))).toEqual(["recorded"]);
});

/** One of the signals of `sim`, as a recording. */
function generated(name: string): TelemetrySet {
  const { channels, read } = createSignal(name === "rotor" ? { name } : { name, channels: 3 }, seededRandom(1));
  const reader = read();
  const row = new Float64Array(channels.length);
  const values = new Float32Array(GENERATED_ROWS * channels.length);
  for (let t = 0; t < GENERATED_ROWS; t++) {
    reader.next(row);
    values.set(row, t * channels.length);
  }
  return { name, rows: GENERATED_ROWS, channels: channels.length, values, ranges: channels };
}

function expectRates(of: TelemetrySet, rel: number, frames: number, rates: readonly [number, number, number]): void {
  const lattices = latticesOf(of);
  const now = LOOKAHEADS.map((lookahead) => {
    const setting = { variant: { name: lookahead, lookahead }, frames, lattices };
    const run = runOurs(core, of, boundsOf(of, rel), setting);
    expect(run.maxErrorOverEps).toBeLessThanOrEqual(1);
    return Number(run.bitsPerSample.toPrecision(5));
  });
  for (const [i, rate] of rates.entries()) {
    const off = Math.abs((now[i] ?? Number.NaN) / rate - 1);
    expect(off, `${LOOKAHEADS[i]}: now ${now.join(", ")}`).toBeLessThan(TOLERANCE);
  }
}
