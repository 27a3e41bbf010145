import { expect, test } from "vitest";
import type { ChannelSettings } from "./codec-config.ts";
import { batchCore, deviceCore, moduleBytes, SEED, SeededNoise, SIGNALS, type Signal } from "./codec-signals.suite.ts";
import type { Lookahead } from "./encoder.ts";

/**
 * Rates and sizes, which a round trip cannot see: a truncating division or a wrong context decodes perfectly and costs
 * more bits. The first rate of each row comes from an independent implementation of the same design, a C program outside this
 * repository that prints bits per sample. To repeat them, write a signal and run it, built with -DHN=32 -DOWN1=16
 * -DOWN2=32 -DXT=24 -DNW2MAX=96 for up to 3 channels and with -DXT=4 -DOWN1=8 -DOWN2=16 for 4 to 6:
 *
 *     node -e 'import("./edge-sdk/src/codec-signals.suite.ts").then((m) => m.writeSignal("walk", 20000, 1, "walk.f32"))'
 *     ./codec-oracle walk.f32 20000 2 1e-3
 */
const core = batchCore();
const FRAME_ROWS = 1000;

/** The smallest shift with which a history of 16 bits holds the range. */
function historyShiftOf(range: number, e: number): number {
  return Math.max(0, Math.ceil(Math.log2(range / (2 * e + 1) / 2 ** 7)));
}

/** The oracle's own conversion: the range of each channel onto ±100 x 2^23, and e = rel x range. */
function oracleSamples({ channels, values }: Signal, rel: number) {
  const samples = new Int32Array(values.length);
  const settings: ChannelSettings[] = [];
  for (let c = 0; c < channels; c++) {
    const mine = values.filter((_, i) => i % channels === c);
    const low = mine.reduce((a, b) => Math.min(a, b));
    const high = mine.reduce((a, b) => Math.max(a, b));
    const scale = (2 ** 23 * 100) / ((high - low) / 2 + 1e-12);
    mine.forEach((value, t) => {
      samples[t * channels + c] = Math.round((value - (low + high) / 2) * scale);
    });
    const e = Math.floor(rel * (high - low) * scale);
    settings.push({ e, lattice: 1, historyShift: historyShiftOf((high - low) * scale, e) });
  }
  return { samples, settings };
}

/** Bits per channel-sample in frames of 1,000 rows from cold, flush included. */
function bitsPerSample(
  samples: Int32Array,
  settings: readonly ChannelSettings[],
  lookahead: Lookahead = "none",
): number {
  const encoder = core.createEncoder(core.configure(settings), { lookahead });
  const frame = FRAME_ROWS * settings.length;
  let bytes = 0;
  for (let at = 0; at < samples.length; at += frame) {
    bytes += encoder.encode(samples.subarray(at, at + frame)).payload.length;
  }
  return (8 * bytes) / samples.length;
}

/**
 * Signal, rows, rel; then bits per channel-sample: of the independent implementation, which no rate may exceed by more
 * than 1 %, and of this one without, with and with greedy lookahead, locked to 1 % because a loss of rate passes every round
 * trip. What makes them smaller on purpose changes them here, with `npm run bench -- codec --data DIR` run again.
 */
const RATES = [
  ["walk", 20_000, 1e-2, 0.7878, 0.7682, 0.494, 0.5808],
  ["walk", 20_000, 1e-3, 3.3686, 3.3628, 3.3628, 3.3628],
  ["tones", 10_000, 1e-1, 0.7488, 0.5248, 0.5248, 0.5248],
  ["tones", 10_000, 1e-2, 1.8106, 1.7204, 1.7204, 1.7204],
  ["tones", 10_000, 1e-3, 4.8932, 4.7836, 4.7836, 4.7836],
  ["vibration", 20_000, 1e-1, 0.8121, 0.7239, 0.7239, 0.7239],
  ["vibration", 20_000, 1e-2, 2.7884, 2.7528, 2.7528, 2.7528],
  ["vibration", 20_000, 1e-3, 6.0584, 6.0115, 6.0115, 6.0115],
  ["steps", 40_000, 1e-2, 1.6522, 1.4526, 1.0486, 1.4526],
] as const;

test.for(RATES)("%s of %i rows at rel %f costs no more than another implementation, and what it did", (row) => {
  const [name, rows, rel, independent, without, withLookahead, greedy] = row;
  const { samples, settings } = oracleSamples(SIGNALS[name](new SeededNoise(1), rows), rel);
  const plain = bitsPerSample(samples, settings);
  expect(plain / independent, `${plain.toFixed(4)} bits per sample`).toBeLessThan(1.01);
  expectRates(samples, settings, { none: without, programme: withLookahead, greedy });
});

/**
 * Smooth signals at fine bounds: signal, rows, rel; then bits per channel-sample without, with and with greedy lookahead,
 * locked to 1 % like the rates above: what changes them on purpose changes them here. Histories have 32 bits at these bounds,
 * and a slope and a curve among the experts (docs/design.md, "Wide histories").
 */
const SMOOTH_RATES = [
  ["ramp", 20_000, 1e-4, 0.0404, 0.0112, 0.0112],
  ["ramp", 20_000, 1e-5, 0.0292, 0.0148, 0.0148],
  ["ramp", 20_000, 1e-6, 0.2012, 0.0088, 0.0088],
  ["sines", 20_000, 1e-4, 0.3404, 0.3404, 0.3404],
  ["sines", 20_000, 1e-5, 0.4256, 0.4256, 0.4256],
  ["sines", 20_000, 1e-6, 0.932, 0.932, 0.932],
] as const;

test.for(SMOOTH_RATES)("%s of %i rows at rel %f, smooth at a fine bound, costs what it did", (row) => {
  const [name, rows, rel, none, programme, greedy] = row;
  const { samples, settings } = oracleSamples(SIGNALS[name](new SeededNoise(1), rows), rel);
  expectRates(samples, settings, { none, programme, greedy });
});

/** Each lookahead costs these bits per channel-sample, within 1 %. */
function expectRates(
  samples: Int32Array,
  settings: readonly ChannelSettings[],
  rates: Readonly<Record<Lookahead, number>>,
): void {
  for (const [lookahead, rate] of Object.entries(rates) as [Lookahead, number][]) {
    const now = bitsPerSample(samples, settings, lookahead);
    expect(Math.abs(now / rate - 1), `${lookahead}: ${now.toPrecision(5)} bits per sample`).toBeLessThan(0.01);
  }
}

/** How many times smaller than float32 the rotor is in frames of 1 s, quiet frames left out: first minute and second. */
function rotorRatios(seed: number): readonly [number, number] {
  const rows = 6000;
  const { values } = SIGNALS.rotor(new SeededNoise(seed), 2 * rows);
  const samples = Int32Array.from(values, (value) => Math.round(value * 2 ** 23));
  const settings = { e: Math.floor(0.05 * 2 ** 23 - 0.5), lattice: 1, historyShift: 0 };
  const encoder = core.createEncoder(core.configure(Array.from({ length: 6 }, () => settings)));
  let first = 0;
  let second = 0;
  for (let at = 0; at < samples.length; at += 600) {
    const { payload, isQuiet } = encoder.encode(samples.subarray(at, at + 600));
    const bytes = isQuiet ? 0 : payload.length;
    if (at < 6 * rows) first += bytes;
    else second += bytes;
  }
  return [(24 * rows) / first, (24 * rows) / second];
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

test("the rotor at eps 0.05 in 1 s frames is 450 times smaller than float32 in its first minute and 800 times in its second, in the median of twelve seeds", () => {
  const ratios = Array.from({ length: 12 }, (_, i) => rotorRatios(i + 1));
  const [first, second] = [ratios.map(([a]) => a), ratios.map(([, b]) => b)];
  expect(median(first), first.map(Math.round).join(" ")).toBeGreaterThan(450);
  expect(median(second), second.map(Math.round).join(" ")).toBeGreaterThan(800);
});

test.for([1, 3, 6])("%i constant channels cost less than 0.003 bits per sample", (channels) => {
  const samples = new Int32Array(channels * 30_000).fill(123_456);
  const settings = Array.from({ length: channels }, () => ({ e: 10, lattice: 1, historyShift: 0 }));
  const encoder = core.createEncoder(core.configure(settings));
  encoder.encode(samples.subarray(0, channels)); // the base
  const { payload } = encoder.encode(samples);
  expect((8 * payload.length) / samples.length).toBeLessThan(0.003);
});

test.for([
  ["all of int32 at e = 0", 32, 0],
  ["all of int32 at e = 2", 32, 2],
  ["all of int32 at e = 1000", 32, 1000],
  ["20 bits at e = 0", 20, 0],
  ["16 bits at e = 0", 16, 0],
  ["10 bits at e = 1", 10, 1],
] as const)("noise over %s costs at most log2(range / D) + 0.4 bits", ([, bits, e]) => {
  const noise = new SeededNoise(SEED);
  const samples = Int32Array.from({ length: 2 * 15_000 }, () => noise.int32() >> (32 - bits));
  const settings = { e, lattice: 1, historyShift: historyShiftOf(2 ** bits, e) };
  const rate = bitsPerSample(samples, [settings, settings]);
  expect(rate, `seed ${SEED}`).toBeLessThanOrEqual(bits - Math.log2(2 * e + 1) + 0.4);
});

test("a device's codec, line mode included, takes as many bytes as docs/design.md says", () => {
  const sizes = Array.from({ length: 16 }, (_, i) => core.stateBytes(i + 1));
  expect(sizes).toEqual([
    1112, 1540, 1900, 1572, 1800, 1756, 1800, 2004, 2188, 2380, 2536, 2740, 2900, 3116, 3280, 3508,
  ]);
  expect(sizes.map((_, i) => core.stateBytes(i + 1, 2))).toEqual(sizes);
  expect(sizes.map((_, i) => core.stateBytes(i + 1, 3))).toEqual([
    1224, 1764, 2140, 1764, 2040, 1948, 2024, 2260, 2476, 2700, 2888, 3124, 3316, 3564, 3760, 4020,
  ]);
});

test("the state block is the last of the module's own memory, so that fewer channels take less", () => {
  const bytes = new Uint8Array(moduleBytes("device"));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const call = exports as Readonly<Record<string, () => number>>;
  const heapBase = exports.__heap_base as WebAssembly.Global;
  expect((call.stateAddress?.() ?? 0) + deviceCore().stateBytes(16, 25)).toBe(heapBase.value);
});
