import fc from "fast-check";
import { expect, test } from "vitest";
import type { ChannelSettings } from "./codec-config.ts";
import {
  batchCore,
  deviceCore,
  moduleBytes,
  PLAIN,
  SEED,
  SeededNoise,
  WITH_EVENTS,
  WITH_LINES,
} from "./codec-signals.suite.ts";
import type { CodecConfig, EncodedPayload, Lookahead, PayloadDecoder } from "./core.ts";
import { CodecError } from "./core-status.ts";
import { FRAME_EVENTS, FRAME_LINES } from "./decoder.ts";

const batch = batchCore();
const device = deviceCore();

/** One channel that holds, ramps, jumps, oscillates and is noise in turn, on a lattice, within int32. */
function restlessChannel(noise: SeededNoise, rows: number, { e, lattice }: ChannelSettings): number[] {
  const most = Math.floor((2 ** 31 - 1) / lattice);
  let level = 0;
  let slope = 0;
  let kind = 0;
  return Array.from({ length: rows }, (_, t) => {
    if (noise.uniform() < 0.02) {
      kind = noise.uint32() % 6;
      slope = (e + 1) * 4 * noise.normal();
      if (noise.uniform() < 0.2) level = (noise.int32() / lattice) * 0.99;
    }
    if (kind === 1) level += slope / lattice;
    if (kind === 2) level += (e * noise.normal()) / lattice;
    if (kind === 3) return lattice * Math.trunc(noise.int32() / lattice);
    const value = kind === 4 ? level + (20 * e * Math.sin(t / 5)) / lattice : level;
    return lattice * Math.round(Math.max(-most, Math.min(most, value)));
  });
}

/** Rows of channels that are restless together. */
function restless(noise: SeededNoise, rows: number, settings: readonly ChannelSettings[]): Int32Array {
  const columns = settings.map((channel) => restlessChannel(noise, rows, channel));
  return Int32Array.from({ length: rows * settings.length }, (_, i) => {
    return columns[i % settings.length]?.[Math.floor(i / settings.length)] ?? 0;
  });
}

function expectWithin(samples: Int32Array, decoded: Int32Array, settings: readonly ChannelSettings[], seed: number) {
  expect(decoded.length).toBe(samples.length);
  for (const [i, sample] of samples.entries()) {
    const e = settings[i % settings.length]?.e ?? 0;
    const miss = Math.abs(sample - (decoded[i] ?? Number.NaN));
    if (!(miss <= e)) expect.fail(`seed ${seed}: sample ${i} is off by ${miss}, over ${e}`);
  }
}

/** The largest history shift that a channel may have: D << h <= 2^33, and at most 25. */
function mostShift(e: number, lattice: number): number {
  const bin = Math.max(2 * e + 1, lattice * (2 * Math.floor(e / lattice) + 1));
  return Math.min(25, Math.floor(Math.log2(2 ** 33 / bin)));
}

const bounds = fc.oneof(fc.nat(5), fc.nat(3000), fc.nat(2 ** 30 - 1001));
const anyChannel: fc.Arbitrary<ChannelSettings> = fc
  .tuple(bounds, fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 1000 })))
  .chain(([e, lattice]) => {
    const most = mostShift(e, lattice);
    const historyShift = fc.oneof(fc.constant(most), fc.nat(most));
    return fc.record({ e: fc.constant(e), lattice: fc.constant(lattice), historyShift });
  });

test("with lines every sample stays within e and both ends agree, whatever the input, the batching and the mix of frames", () => {
  let lines = 0;
  let left = 0;
  const shifts = new Set<number>();
  fc.assert(
    fc.property(fc.array(anyChannel, { minLength: 1, maxLength: 5 }), fc.nat(2 ** 31 - 1), (settings, seed) => {
      const noise = new SeededNoise(seed);
      for (const { historyShift } of settings) shifts.add(historyShift);
      const config = batch.configure(settings);
      const encoders = (["none", "greedy", "programme"] as const).map((lookahead) =>
        batch.createEncoder(config, { lookahead }),
      );
      const decoders = [batch.createDecoder(config), device.createDecoder(device.configure(settings))];
      let state = config.coldState;
      for (let frame = 0; frame < 12; frame++) {
        const rows = 1 + (noise.uint32() % (frame % 4 === 3 ? 2000 : 60));
        const samples = restless(noise, rows, settings);
        const encoder = encoders[noise.uint32() % 8 === 0 ? 0 : 1 + (noise.uint32() % 2)];
        if (encoder === undefined) return;
        encoder.restoreState(state);
        const isEventful = noise.uint32() % 8 === 0;
        const coded = encoder.encode(samples, isEventful ? new Uint8Array(samples.length) : undefined);
        state = encoder.saveState();
        lines += Number(coded.hasLines);
        const part = samples.subarray(0, coded.rows * settings.length);
        for (const decoder of decoders) {
          const decoded = decode(decoder, coded, noise.uint32() % 2 === 0);
          expectWithin(part, decoded, settings, seed);
          expect(decoder.saveState()).toEqual(state);
        }
        left += Number(coded.isQuiet);
      }
    }),
    { seed: SEED, numRuns: 40 },
  );
  expect(lines).toBeGreaterThan(50);
  expect(left).toBeGreaterThan(3);
  expect(Math.max(...shifts)).toBe(25);
  expect(shifts.size).toBeGreaterThan(15);
});

/** Decode a frame, or replay it where it may be left out and `isLeftOut`. */
function decode(decoder: PayloadDecoder, coded: EncodedPayload, isLeftOut: boolean): Int32Array {
  if (coded.isQuiet) expect(coded.payload.length).toBe(0);
  return isLeftOut && coded.isQuiet
    ? decoder.replayQuiet(coded.rows)
    : decoder.decode(coded.payload, coded.rows, coded).samples;
}

/** Encode samples in frames of `frameRows`, and check what a decoder makes of them. */
function encodeAll(config: CodecConfig, samples: Int32Array, frameRows: number, lookahead: Lookahead) {
  const encoder = batch.createEncoder(config, { lookahead });
  const decoder = batch.createDecoder(config);
  const frames: EncodedPayload[] = [];
  const decoded: Int32Array[] = [];
  for (let at = 0; at < samples.length; ) {
    const coded = encoder.encode(samples.subarray(at, at + frameRows * config.channels));
    frames.push(coded);
    decoded.push(decode(decoder, coded, true));
    at += coded.rows * config.channels;
  }
  expect(decoder.hash()).toBe(encoder.hash());
  return { frames, decoded, bytes: frames.reduce((sum, { payload }) => sum + payload.length, 0) };
}

test.for([0, 1, 2, 1000, 2 ** 29])("noise over all of int32 stays within e = %i under every lookahead", (e) => {
  const noise = new SeededNoise(SEED + e);
  const settings = [1, 2].map(() => ({ e, lattice: 1, historyShift: e > 1000 ? 0 : 5 }));
  const samples = Int32Array.from({ length: 2 * 900 }, () => noise.int32());
  for (const lookahead of ["greedy", "programme"] as const) {
    const { decoded } = encodeAll(batch.configure(settings), samples, 100, lookahead);
    expectWithin(samples, Int32Array.from(decoded.flatMap((part) => [...part])), settings, SEED);
  }
});

test("lines between the ends of int32 stay within e and inside int32", () => {
  for (const e of [0, 3, 1e6, 2 ** 30 - 1]) {
    const settings = [{ e, lattice: 1, historyShift: 0 }];
    const period = 50;
    const samples = Int32Array.from({ length: 1500 }, (_, t) => {
      const phase = (t % period) / period;
      const value = (Math.floor(t / period) % 2 === 0 ? phase : 1 - phase) * 2 ** 32 - 2 ** 31;
      return Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Math.round(value)));
    });
    const { decoded, frames } = encodeAll(batch.configure(settings), samples, 300, "programme");
    expectWithin(samples, Int32Array.from(decoded.flatMap((part) => [...part])), settings, SEED);
    expect(frames.some(({ hasLines }) => hasLines)).toBe(true);
  }
});

test.for([
  [10, 24],
  [10, 4],
  [1000, 1000],
  [2 ** 29, 2 ** 29],
  [2 ** 30, 5],
] as const)(
  "lines of a channel on a lattice of %i stay on it, within e = %i, and so does what follows them",
  ([lattice, e]) => {
    const noise = new SeededNoise(SEED);
    const settings = [{ e, lattice, historyShift: 0 }];
    const most = Math.floor((2 ** 31 - 1) / lattice) - 1;
    const origin = -(lattice >> 1);
    let level = 0;
    let slope = 0;
    const samples = Int32Array.from({ length: 3000 }, () => {
      if (noise.uniform() < 0.05) slope = noise.uniform() < 0.5 ? 0 : 0.7 * noise.normal();
      if (noise.uniform() < 0.002) level = most * 2 * (noise.uniform() - 0.5);
      level = Math.max(-most, Math.min(most, level + slope));
      return origin + lattice * Math.round(level);
    });
    const config = batch.configure(settings);
    const encoders = (["programme", "none", "greedy"] as const).map((lookahead) =>
      batch.createEncoder(config, { lookahead }),
    );
    const decoder = device.createDecoder(device.configure(settings));
    let state = config.coldState;
    let lines = 0;
    for (let at = 0, i = 0; at < samples.length; at += 100, i++) {
      const encoder = encoders[i % 4 === 3 ? 1 : i % 8 === 4 ? 2 : 0];
      if (encoder === undefined) return;
      encoder.restoreState(state);
      const coded = encoder.encode(samples.subarray(at, at + 100));
      state = encoder.saveState();
      lines += Number(coded.hasLines);
      const decoded = decode(decoder, coded, i % 2 === 0);
      expectWithin(samples.subarray(at, at + 100), decoded, settings, SEED);
      expect(decoded.every((value) => (value - origin) % lattice === 0)).toBe(true);
      expect(decoder.saveState()).toEqual(state);
    }
    if (lattice <= 1000) expect(lines).toBeGreaterThan(1);
  },
);

test("a frame of several blocks has lines across them", () => {
  const noise = new SeededNoise(SEED);
  const settings = [
    { e: 50, lattice: 1, historyShift: 0 },
    { e: 50, lattice: 1, historyShift: 0 },
  ];
  const samples = Int32Array.from({ length: 2 * 5000 }, (_, i) =>
    i % 2 === 0 ? 3 * i : Math.round(20 * Math.abs(((i >> 1) % 60) - 30) + 9 * noise.normal()),
  );
  const { decoded, frames, bytes } = encodeAll(batch.configure(settings), samples, 5000, "programme");
  expectWithin(samples, Int32Array.from(decoded.flatMap((part) => [...part])), settings, SEED);
  expect(frames.map(({ hasLines }) => hasLines)).toEqual([true]);
  expect(bytes).toBeLessThan(encodeAll(batch.configure(settings), samples, 5000, "none").bytes);
});

test("a line goes on through frames that are left out", () => {
  const settings = [{ e: 8, lattice: 1, historyShift: 0 }];
  const samples = Int32Array.from({ length: 6000 }, (_, t) => 40 * t);
  const { frames } = encodeAll(batch.configure(settings), samples, 100, "programme");
  // Its slope is a fraction of the grid, so that it leaves the ramp after some frames
  expect(frames.filter(({ isQuiet }) => isQuiet).length).toBeGreaterThan(25);
});

test("a line ends with index 65,535 on both ends, in frames that are sent and in frames that are not", () => {
  const rows = 70_000;
  const noise = new SeededNoise(SEED);
  const line = { e: 8, lattice: 1, historyShift: 0 };
  // The second channel keeps frames from being quiet
  const settings = [line, { e: 0, lattice: 1, historyShift: 0 }];
  const samples = Int32Array.from({ length: 2 * rows }, (_, i) =>
    i % 2 === 0 ? 1000 * (i >> 1) : noise.uint32() % 64,
  );
  const { decoded } = encodeAll(batch.configure(settings), samples, 2000, "programme");
  expectWithin(samples, Int32Array.from(decoded.flatMap((part) => [...part])), settings, SEED);

  const config = batch.configure([line]);
  const encoder = batch.createEncoder(config, { lookahead: "programme" });
  const ramp = Int32Array.from({ length: 200 }, (_, t) => 1000 * t);
  const decoder = batch.createDecoder(config);
  for (let at = 0; at < ramp.length; at += 100) decode(decoder, encoder.encode(ramp.subarray(at, at + 100)), false);
  const apart = batch.createDecoder(config);
  apart.restoreState(decoder.saveState());
  const whole = decoder.replayQuiet(rows);
  const parts = [1, 40_000, 25_000, 4_999].flatMap((count) => [...apart.replayQuiet(count)]);
  expect(parts.length).toBe(rows);
  expect(Int32Array.from(parts)).toEqual(whole);
  expect(apart.hash()).toBe(decoder.hash());
});

test("lines, plain frames, events and silence follow each other, and a plain frame closes what was open", () => {
  const settings = [{ e: 8, lattice: 1, historyShift: 0 }];
  const config = batch.configure(settings);
  const encoder = batch.createEncoder(config, { lookahead: "programme" });
  const plain = batch.createEncoder(config);
  const decoder = device.createDecoder(device.configure(settings));
  const ramp = Int32Array.from({ length: 300 }, (_, t) => 100 * t);
  for (let at = 0; at < 200; at += 100) decode(decoder, encoder.encode(ramp.subarray(at, at + 100)), false);
  plain.restoreState(encoder.saveState());
  const closing = plain.encode(decoder.replayQuiet(1));
  expect(closing.isQuiet).toBe(false);
  expect(closing.payload.length).toBeGreaterThan(0);
  const again = device.createDecoder(device.configure(settings));
  again.restoreState(encoder.saveState());
  again.decode(closing.payload, 1, closing);
  expect(again.saveState()).toEqual(plain.saveState());
  expect(again.saveState()).not.toEqual(decoder.saveState());
});

test("the flags of a frame and the efforts of a lookahead are the core's", () => {
  const bytes = new Uint8Array(moduleBytes("batch"));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const values = ["FRAME_EVENTS", "FRAME_LINES", "EFFORT_GREEDY", "EFFORT_PROGRAMME"].map(
    (name) => (exports[name] as WebAssembly.Global).value,
  );
  // A link names its efforts by their place in a list: none, greedy, programme
  expect(values).toEqual([FRAME_EVENTS, FRAME_LINES, 1, 2]);
});

test("flags that no frame has are refused", () => {
  const decoder = device.createDecoder(device.configure([{ e: 1, lattice: 1, historyShift: 0 }]));
  const both = { hasEvents: true, hasLines: true };
  for (const [payload, kind] of [
    [Uint8Array.of(1, 2, 3), both],
    [Uint8Array.of(), WITH_LINES],
    [Uint8Array.of(), WITH_EVENTS],
  ] as const) {
    expect(() => decoder.decode(payload, 1, kind)).toThrow(expect.objectContaining({ code: "corrupt" }));
  }
});

test("a quiet frame that was written out is refused, and so is one before the base", () => {
  const config = device.configure([{ e: 1, lattice: 1, historyShift: 0 }]);
  const decoder = device.createDecoder(config);
  expect(() => decoder.decode(Uint8Array.of(), 1, PLAIN)).toThrow(expect.objectContaining({ code: "no-base" }));
  const encoder = device.createEncoder(config);
  decoder.decode(encoder.encode(Int32Array.of(5)).payload, 1, PLAIN);
  const written = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
  for (const payload of written) {
    const before = decoder.saveState();
    try {
      const [value] = decoder.decode(payload, 1, PLAIN).samples;
      expect(value).not.toBe(5);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      expect(["not-canonical", "corrupt"]).toContain(error.code);
    }
    decoder.restoreState(before);
  }
  expect(encoder.encode(Int32Array.of(5)).payload.length).toBe(0);
});

test("damaged frames with lines end in samples or a typed refusal, never in a trap, and a refusal leaves the state alone", () => {
  const noise = new SeededNoise(SEED);
  let refused = 0;
  let accepted = 0;
  for (let i = 0; i < 60; i++) {
    const settings = Array.from({ length: 1 + (i % 4) }, () => ({
      e: i % 3 === 0 ? 2 ** 30 - 1 : noise.uint32() % 1000,
      lattice: 1,
      historyShift: 0,
    }));
    const encoder = batch.createEncoder(batch.configure(settings), { lookahead: "programme" });
    const core = i % 2 === 0 ? device : batch;
    const decoder = core.createDecoder(core.configure(settings));
    for (let frame = 0; frame < 4; frame++) {
      const rows = 30 + (noise.uint32() % 200);
      const coded = encoder.encode(restless(noise, rows, settings));
      const before = decoder.saveState();
      for (let damage = 0; damage < 40; damage++) {
        const payload = coded.payload.slice(0, noise.uint32() % 4 === 0 ? noise.uint32() % 60 : undefined);
        for (let flips = noise.uint32() % 4; flips >= 0; flips--) {
          payload[noise.uint32() % (payload.length + 1)] = noise.uint32();
        }
        const other = damage % 3 === 0 ? 1 + (noise.uint32() % 3000) : rows;
        try {
          decoder.decode(payload, other, damage % 4 === 3 ? PLAIN : WITH_LINES);
          accepted += 1;
          decoder.restoreState(before);
        } catch (error) {
          if (!(error instanceof CodecError)) throw error;
          expect(["corrupt", "not-canonical", "no-base"], `seed ${SEED}`).toContain(error.code);
          expect(decoder.saveState()).toEqual(before);
          refused += 1;
        }
      }
      decode(decoder, coded, false);
      expect(decoder.hash()).toBe(encoder.hash());
    }
  }
  expect(refused + accepted).toBe(60 * 4 * 40);
  expect(refused).toBeGreaterThan(1000);
});

test("random payloads lead the lines of batch.wasm and of device.wasm to the same samples and states, or to the same refusal", () => {
  const noise = new SeededNoise(SEED);
  const settings = [{ e: 3, lattice: 1, historyShift: 0 }];
  const config = batch.configure(settings);
  const onDevice = device.configure(settings);
  const start = batch.createEncoder(config);
  start.encode(Int32Array.of(0));
  let accepted = 0;
  for (let i = 0; i < 20_000; i++) {
    const payload = Uint8Array.from({ length: 1 + (noise.uint32() % 4) }, () => noise.uint32());
    const decoders = [batch.createDecoder(config), device.createDecoder(onDevice)] as const;
    const outcomes = decoders.map((decoder) => {
      decoder.restoreState(start.saveState());
      try {
        return decoder.decode(payload, 1 + (i % 3), WITH_LINES).samples;
      } catch (error) {
        if (!(error instanceof CodecError)) throw error;
        return error.code;
      }
    });
    expect(outcomes[1]).toEqual(outcomes[0]);
    expect(decoders[1].hash()).toBe(decoders[0].hash());
    if (outcomes[0] instanceof Int32Array) accepted += 1;
  }
  expect(accepted).toBeGreaterThan(100);
});

test("ramps and levels with noise inside the bound cost at most half of what prediction alone does", () => {
  const noise = new SeededNoise(SEED);
  let level = 0;
  let slope = 0;
  const samples = Int32Array.from({ length: 20_000 }, () => {
    if (noise.uniform() < 0.02) slope = noise.uniform() < 0.5 ? 0 : 60 * noise.normal();
    level += slope;
    return Math.round(level + 30 * noise.normal());
  });
  const config = batch.configure([{ e: 100, lattice: 1, historyShift: 0 }]);
  const [plain, greedy, programme] = (["none", "greedy", "programme"] as const).map(
    (lookahead) => encodeAll(config, samples, 1000, lookahead).bytes,
  ) as [number, number, number];
  expect(greedy / plain, `${greedy} of ${plain} bytes`).toBeLessThan(0.7);
  expect(programme / plain, `${programme} of ${plain} bytes`).toBeLessThan(0.5);
  expect(programme).toBeLessThan(greedy);
});

test("a lookahead that there is none of is refused with those that there are", () => {
  const unknown = "bogus" as Lookahead;
  const message = 'codec: there is no lookahead "bogus": choose none, greedy or programme';
  const refusal = expect.objectContaining({ name: "CodecError", code: "unknown-lookahead", message });
  for (const core of [batch, device]) {
    const config = core.configure([{ e: 1, lattice: 1, historyShift: 0 }]);
    expect(() => core.createEncoder(config, { lookahead: unknown })).toThrow(refusal);
    expect(() => core.lookaheadBytes(10, 1, unknown)).toThrow(refusal);
  }
});

test("a lookahead is refused where the module has none", () => {
  const config = device.configure([{ e: 1, lattice: 1, historyShift: 0 }]);
  expect(() => device.createEncoder(config, { lookahead: "greedy" })).toThrow(
    expect.objectContaining({ code: "no-lookahead" }),
  );
});
