import fc from "fast-check";
import { expect, test } from "vitest";
import type { ChannelSettings } from "./codec-config.ts";
import {
  deviceCore,
  liteCore,
  PLAIN,
  SEED,
  SeededNoise,
  SIGNALS,
  WITH_EVENTS,
  WITH_LINES,
} from "./codec-signals.suite.ts";

/** The lite profile, device-lite.wasm: the promises of the full one, with another predictor and other bytes. */
const lite = liteCore();
const RUNS = 60;
const INT32_MAX = 2 ** 31 - 1;
const INT32_MIN = -(2 ** 31);
const INVALID = 1;

const anySettings: fc.Arbitrary<ChannelSettings> = fc
  .record({
    e: fc.oneof(fc.nat(3), fc.nat(5000), fc.nat(2 ** 30 - 1)),
    lattice: fc.constant(1),
    historyShift: fc.nat(25),
  })
  .filter(({ e, historyShift }) => (2 * e + 1) * 2 ** historyShift <= 2 ** 33);

const anySample = fc.oneof(
  fc.integer({ min: INT32_MIN, max: INT32_MAX }),
  fc.integer({ min: -20, max: 20 }),
  fc.constantFrom(INT32_MIN, INT32_MAX, 0),
);

/** Encode and decode in frames, with statuses in every other one: bounds, statuses, and both ends after each frame. */
function expectRoundTrip(
  settings: readonly ChannelSettings[],
  samples: Int32Array,
  rowsPerFrame: number,
  statuses?: Uint8Array,
): Int32Array {
  const channels = settings.length;
  const config = lite.configure(settings);
  const encoder = lite.createEncoder(config);
  const decoder = lite.createDecoder(config);
  const decoded = new Int32Array(samples.length);
  for (let at = 0, frame = 0; at < samples.length; at += rowsPerFrame * channels, frame++) {
    const part = samples.subarray(at, at + rowsPerFrame * channels);
    const told = frame % 2 === 0 ? statuses?.subarray(at, at + part.length) : undefined;
    const { payload, rows, refusal } = encoder.encode(part, told);
    expect(refusal).toBeUndefined();
    const back = decoder.decode(payload, rows, told === undefined ? PLAIN : WITH_EVENTS);
    if (told !== undefined) expect(back.statuses).toEqual(told);
    expect(decoder.saveState()).toEqual(encoder.saveState());
    expect(decoder.hash()).toBe(encoder.hash());
    for (const [i, sample] of part.entries()) {
      const value = back.samples[i] ?? Number.NaN;
      if (told?.[i] === INVALID) continue;
      if (Math.abs(value - sample) > (settings[i % channels]?.e ?? 0))
        expect.fail(`sample ${at + i}: ${sample} became ${value}, seed ${SEED}`);
    }
    decoded.set(back.samples, at);
  }
  return decoded;
}

test("a decoded sample never differs by more than e and both ends agree after every frame, whatever the input, the statuses and the batching", () => {
  fc.assert(
    fc.property(
      fc.array(anySettings, { minLength: 1, maxLength: 16 }),
      fc.array(fc.tuple(anySample, fc.constantFrom(0, 0, 0, 1, 2)), { maxLength: 400 }),
      fc.integer({ min: 1, max: 50 }),
      fc.boolean(),
      (settings, drawn, rowsPerFrame, hasEvents) => {
        const kept = drawn.slice(0, drawn.length - (drawn.length % settings.length));
        const samples = Int32Array.from(kept, ([sample]) => sample);
        const statuses = Uint8Array.from(kept, ([, status]) => status);
        expectRoundTrip(settings, samples, rowsPerFrame, hasEvents ? statuses : undefined);
      },
    ),
    { seed: SEED, numRuns: RUNS },
  );
});

test.for([0, 1, 2, 1000, 2 ** 30 - 1])("noise over all of int32, its ends and rests stay within e = %i", (e) => {
  const noise = new SeededNoise(SEED + e);
  for (const channels of [1, 3, 6, 16]) {
    const samples = Int32Array.from({ length: 400 * channels }, (_, i) => {
      const t = Math.floor(i / channels);
      if (t < 100) return noise.int32();
      if (t < 200) return (t + i) % 2 === 0 ? INT32_MIN : INT32_MAX;
      return t < 300 ? 1000 * (i % channels) : (INT32_MIN + (t - 300) * 40_000_000) | 0;
    });
    const settings = Array.from({ length: channels }, () => ({ e, lattice: 1, historyShift: 0 }));
    const decoded = expectRoundTrip(settings, samples, 37);
    if (e === 0) expect(decoded).toEqual(samples);
  }
});

test("samples on a lattice stay on it within e, also at the ends of int32", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 2 ** 29 }),
      fc.nat(2 ** 29),
      fc.array(fc.oneof(fc.integer(), fc.integer({ min: -9, max: 9 })), { maxLength: 80 }),
      (spacing, e, ks) => {
        fc.pre(spacing * (2 * Math.floor(e / spacing) + 1) < 2 ** 31);
        const most = Math.floor(INT32_MAX / spacing);
        const samples = Int32Array.from(ks, (k) => spacing * Math.max(-most, Math.min(most, k)));
        const settings = [{ e, lattice: spacing, historyShift: 0 }];
        const isCoded = spacing * (2 * Math.floor(e / spacing) + 1) > 2 * e + 1;
        for (const value of expectRoundTrip(settings, samples, 9))
          if (isCoded) expect(value % spacing).toBe(-0 + 0 * value);
      },
    ),
    { seed: SEED, numRuns: RUNS },
  );
});

test("a sample off its lattice, an event in a plain frame and a status that is none are refused, with nothing changed", () => {
  const encoder = lite.createEncoder(lite.configure([{ e: 24, lattice: 10, historyShift: 0 }]));
  const { rows, refusal } = encoder.encode(Int32Array.of(3, 13, 23, 24, 33));
  expect([rows, refusal?.code]).toEqual([3, "off-lattice"]);
  const before = encoder.saveState();
  expect(() => encoder.encode(Int32Array.of(24))).toThrow(expect.objectContaining({ code: "off-lattice" }));
  expect(() => encoder.encode(Int32Array.of(13), Uint8Array.of(3))).toThrow(
    expect.objectContaining({ name: "CodecError" }),
  );
  expect(encoder.saveState()).toEqual(before);
});

test("lines, which it does not have, are refused", () => {
  const decoder = lite.createDecoder(lite.configure([{ e: 1, lattice: 1, historyShift: 0 }]));
  expect(() => decoder.decode(Uint8Array.of(1, 2, 3), 5, WITH_LINES)).toThrow(
    expect.objectContaining({ code: "corrupt" }),
  );
});

test("a quiet frame has no bytes, and replaying its rows leads to the encoder's state", () => {
  for (const channels of [1, 6]) {
    const config = lite.configure(Array.from({ length: channels }, () => ({ e: 50, lattice: 1, historyShift: 0 })));
    const encoder = lite.createEncoder(config);
    const decoder = lite.createDecoder(config);
    const samples = new Int32Array(channels * 40).fill(700);
    decoder.decode(encoder.encode(samples).payload, 40, PLAIN);
    const quiet = encoder.encode(samples);
    expect([quiet.isQuiet, quiet.payload.length]).toEqual([true, 0]);
    decoder.replayQuiet(40);
    expect(decoder.saveState()).toEqual(encoder.saveState());
    expect(() => lite.createDecoder(config).replayQuiet(1)).toThrow(expect.objectContaining({ code: "no-base" }));
  }
});

test("a restored state goes on as if nothing had happened", () => {
  const noise = new SeededNoise(SEED);
  const config = lite.configure([0, 3, 900].map((e) => ({ e, lattice: 1, historyShift: 0 })));
  const signal = () =>
    Int32Array.from({ length: 3 * 60 }, (_, i) => Math.round(9000 * Math.sin(i / 17) + 40 * noise.normal()));
  const first = lite.createEncoder(config);
  first.encode(signal());
  const second = lite.createEncoder(config);
  second.restoreState(first.saveState());
  const next = signal();
  expect(second.encode(next).payload).toEqual(first.encode(next).payload);
  expect(second.hash()).toBe(first.hash());
});

test("any bytes lead to samples or to a refusal that leaves the state alone, never to a trap", () => {
  const noise = new SeededNoise(SEED);
  let refused = 0;
  for (let round = 0; round < 400; round++) {
    const settings = Array.from({ length: 1 + (noise.uint32() % 16) }, () => ({
      e: noise.uint32() % 2 ? noise.uint32() >>> (2 + (noise.uint32() % 30)) : 0,
      lattice: noise.uint32() % 4 ? 1 : 1 + (noise.uint32() % 900),
      historyShift: 0,
    }));
    const config = lite.configure(settings);
    const decoder = lite.createDecoder(config);
    const rows = 1 + (noise.uint32() % 40);
    const bytes = Uint8Array.from({ length: 1 + (noise.uint32() % 90) }, () =>
      noise.uint32() % 5 ? noise.uint32() : 255,
    );
    const before = decoder.saveState();
    try {
      decoder.decode(bytes, rows, round % 2 ? PLAIN : WITH_EVENTS);
    } catch (error) {
      expect(error).toMatchObject({ name: "CodecError" });
      expect(decoder.saveState()).toEqual(before);
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(300);
});

test("its state is a third of the full one's at six channels, and the last of the module's own memory", () => {
  expect(lite.stateBytes(6)).toBe(572);
  expect(lite.stateBytes(6, 25)).toBe(lite.stateBytes(6));
  expect(3 * lite.stateBytes(6)).toBeLessThan(deviceCore().stateBytes(6));
});

/** Signal, rows, rel; then bits per channel-sample, locked to 1 % because a loss of rate passes every round trip. */
const RATES = [
  ["walk", 20_000, 1e-2, 0.611],
  ["walk", 20_000, 1e-3, 3.08],
  ["tones", 10_000, 1e-2, 2.2668],
  ["vibration", 20_000, 1e-2, 2.8895],
  ["steps", 40_000, 1e-2, 1.4764],
  ["ramp", 20_000, 1e-4, 0.7636],
  ["sines", 20_000, 1e-5, 1.0512],
] as const;

test.for(RATES)("%s of %i rows at rel %f costs what it did", ([name, rows, rel, rate]) => {
  const { channels, values } = SIGNALS[name](new SeededNoise(1), rows);
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const scale = 2 ** 30 / largest;
  const samples = Int32Array.from(values, (value) => Math.round(value * scale));
  const e = Math.floor(rel * 2 ** 31);
  const encoder = lite.createEncoder(
    lite.configure(Array.from({ length: channels }, () => ({ e, lattice: 1, historyShift: 0 }))),
  );
  let bytes = 0;
  for (let at = 0; at < samples.length; at += 1000 * channels)
    bytes += encoder.encode(samples.subarray(at, at + 1000 * channels)).payload.length;
  const now = (8 * bytes) / samples.length;
  expect(Math.abs(now / rate - 1), `${now.toPrecision(5)} bits per sample`).toBeLessThan(0.01);
});
