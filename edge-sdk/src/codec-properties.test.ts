import fc from "fast-check";
import { expect, test } from "vitest";
import type { ChannelSettings } from "./codec-config.ts";
import { batchCore, deviceCore, PLAIN, SEED, SeededNoise, WITH_EVENTS, WITH_LINES } from "./codec-signals.suite.ts";
import type { Core } from "./core.ts";
import { CodecError } from "./core-status.ts";

const RUNS = 60;
const KINDS = [PLAIN, WITH_EVENTS, WITH_LINES];
const cores: readonly Core[] = [deviceCore(), batchCore()];
const [device, batch] = cores as readonly [Core, Core];

function lossless(e: number, historyShift = 0): ChannelSettings {
  return { e, lattice: 1, historyShift };
}

/** Largest |sample - reconstruction| over the samples that were not invalid. */
function worstError(samples: Int32Array, decoded: Int32Array, statuses?: Uint8Array): number {
  let worst = 0;
  for (const [i, sample] of samples.entries()) {
    if (statuses?.[i] === 1) continue;
    worst = Math.max(worst, Math.abs(sample - (decoded[i] ?? Number.NaN)));
  }
  return worst;
}

/** Encode and decode all samples in frames of `rowsPerFrame`, comparing states after every frame. */
function roundTrip(core: Core, settings: readonly ChannelSettings[], samples: Int32Array, rowsPerFrame: number) {
  const config = core.configure(settings);
  const encoder = core.createEncoder(config);
  const decoder = core.createDecoder(config);
  const decoded = new Int32Array(samples.length);
  let bytes = 0;
  for (let at = 0; at < samples.length; at += rowsPerFrame * settings.length) {
    const part = samples.subarray(at, at + rowsPerFrame * settings.length);
    const { payload, rows, refusal } = encoder.encode(part);
    expect(refusal).toBeUndefined();
    decoded.set(decoder.decode(payload, rows, PLAIN).samples, at);
    expect(decoder.hash()).toBe(encoder.hash());
    expect(decoder.saveState()).toEqual(encoder.saveState());
    bytes += payload.length;
  }
  return { decoded, bytes };
}

const anySettings: fc.Arbitrary<ChannelSettings> = fc
  .record({
    e: fc.oneof(fc.nat(3), fc.nat(5000), fc.nat(2 ** 30 - 1)),
    lattice: fc.constant(1),
    historyShift: fc.nat(25),
  })
  .filter(({ e, historyShift }) => (2 * e + 1) * 2 ** historyShift <= 2 ** 33);

const anySample = fc.oneof(
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  fc.integer({ min: -20, max: 20 }),
  fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, 0),
);

test("a decoded sample never differs by more than e and both ends agree after every frame, whatever the input and the batching", () => {
  fc.assert(
    fc.property(
      fc.array(anySettings, { minLength: 1, maxLength: 16 }),
      fc.array(anySample, { maxLength: 400 }),
      fc.integer({ min: 1, max: 50 }),
      (settings, drawn, rowsPerFrame) => {
        const samples = Int32Array.from(drawn.slice(0, drawn.length - (drawn.length % settings.length)));
        const [ours, theirs] = cores.map((core) => roundTrip(core, settings, samples, rowsPerFrame));
        expect(theirs).toEqual(ours);
        for (const [c, { e }] of settings.entries()) {
          const mine = (values: Int32Array) => values.filter((_, i) => i % settings.length === c);
          expect(worstError(mine(samples), mine(ours?.decoded ?? samples))).toBeLessThanOrEqual(e);
        }
      },
    ),
    { seed: SEED, numRuns: RUNS },
  );
});

test.for([
  [0, 25],
  [1, 24],
  [2, 23],
])("noise over all of int32 at e = %i stays within e", ([e = 0, historyShift = 0]) => {
  const noise = new SeededNoise(SEED + e);
  const samples = Int32Array.from({ length: 3 * 1500 }, () => noise.int32());
  for (const shift of [0, historyShift]) {
    const settings = [lossless(e, shift), lossless(e, shift), lossless(e, shift)];
    const { decoded } = roundTrip(device, settings, samples, 100);
    expect(worstError(samples, decoded), `seed ${SEED}`).toBeLessThanOrEqual(e);
  }
});

test.for([0, 1, 2, 1000, 2 ** 30 - 1])("samples that jump between the ends of int32 stay within e = %i", (e) => {
  const samples = Int32Array.from({ length: 600 }, (_, t) => (t % 2 === 0 ? -(2 ** 31) : 2 ** 31 - 1));
  const { decoded } = roundTrip(device, [lossless(e), lossless(e)], samples, 37);
  expect(worstError(samples, decoded)).toBeLessThanOrEqual(e);
});

test.for([1, 2, 7])("residuals of exactly k(2e + 1) stay within e = %i, in sparse and dense bins", (e) => {
  const noise = new SeededNoise(SEED);
  const step = 2 * e + 1;
  let level = 0;
  const samples = Int32Array.from({ length: 4000 }, (_, t) => {
    const isBusy = Math.floor(t / 1000) % 2 === 1;
    if (isBusy || noise.uniform() < 0.02) level += step * Math.round(3 * noise.normal());
    return level;
  });
  const { decoded } = roundTrip(device, [lossless(e)], samples, 100);
  expect(worstError(samples, decoded), `seed ${SEED}`).toBeLessThanOrEqual(e);
});

test("e = 0 is lossless", () => {
  const noise = new SeededNoise(SEED);
  let level = 0;
  const samples = Int32Array.from({ length: 3000 }, () => {
    level += Math.round(20 * noise.normal());
    return level;
  });
  expect(roundTrip(device, [lossless(0), lossless(0)], samples, 50).decoded).toEqual(samples);
});

test("invalid and saturated samples keep their status, and an invalid one repeats the last reconstruction", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.tuple(anySample, fc.constantFrom(0, 0, 0, 1, 2)), { maxLength: 200 }),
      (channels, drawn) => {
        const kept = drawn.slice(0, drawn.length - (drawn.length % channels));
        const samples = Int32Array.from(kept, ([sample]) => sample);
        const statuses = Uint8Array.from(kept, ([, status]) => status);
        for (const core of cores) {
          const config = core.configure(Array.from({ length: channels }, () => lossless(3)));
          const encoder = core.createEncoder(config);
          const decoder = core.createDecoder(config);
          const { payload, rows } = encoder.encode(samples, statuses);
          const decoded = decoder.decode(payload, rows, WITH_EVENTS);
          expect(decoded.statuses).toEqual(statuses);
          expect(decoder.saveState()).toEqual(encoder.saveState());
          expect(worstError(samples, decoded.samples, statuses)).toBeLessThanOrEqual(3);
          for (const [i, status] of statuses.entries()) {
            if (status === 1) expect(decoded.samples[i]).toBe(decoded.samples[i - channels] ?? 0);
          }
        }
      },
    ),
    { seed: SEED, numRuns: RUNS },
  );
});

test("a frame without events refuses an event and is left as it was", () => {
  const encoder = device.createEncoder(device.configure([lossless(1)]));
  const { rows } = encoder.encode(Int32Array.of(5, 6, 7));
  expect(rows).toBe(3);
  const before = encoder.saveState();
  expect(() => encoder.encode(Int32Array.of(8), Uint8Array.of(3))).toThrow(CodecError);
  expect(encoder.saveState()).toEqual(before);
});

test("samples on a lattice stay on it within e, and cost less for it", () => {
  const noise = new SeededNoise(SEED);
  let level = 0;
  const samples = Int32Array.from({ length: 4000 }, () => {
    level += 100 * Math.round(2 * noise.normal());
    return level + 17;
  });
  const plain = roundTrip(device, [{ e: 120, lattice: 1, historyShift: 0 }], samples, 200);
  const onLattice = roundTrip(device, [{ e: 120, lattice: 100, historyShift: 0 }], samples, 200);
  expect(worstError(samples, onLattice.decoded)).toBeLessThanOrEqual(100);
  expect(onLattice.decoded.every((value) => (value - 17) % 100 === 0)).toBe(true);
  expect(onLattice.bytes).toBeLessThan(plain.bytes);
  const exact = roundTrip(device, [{ e: 40, lattice: 100, historyShift: 0 }], samples, 200);
  expect(exact.decoded).toEqual(samples);
});

test("a lattice that reaches the ends of int32 stays within e there", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 2 ** 29 }),
      fc.nat(2 ** 29),
      fc.array(fc.integer(), { maxLength: 80 }),
      (spacing, e, ks) => {
        const step = spacing * (2 * Math.floor(e / spacing) + 1);
        fc.pre(step < 2 ** 31);
        const samples = Int32Array.from(ks, (k) => {
          const most = Math.floor((2 ** 31 - 1) / spacing);
          return spacing * Math.max(-most, Math.min(most, k));
        });
        const { decoded } = roundTrip(device, [{ e, lattice: spacing, historyShift: 0 }], samples, 9);
        expect(worstError(samples, decoded)).toBeLessThanOrEqual(e);
      },
    ),
    { seed: SEED, numRuns: RUNS },
  );
});

test("a sample off its lattice ends the frame before it, with nothing changed by it", () => {
  const config = device.configure([{ e: 24, lattice: 10, historyShift: 0 }]);
  const encoder = device.createEncoder(config);
  const decoder = device.createDecoder(config);
  const { payload, rows, refusal } = encoder.encode(Int32Array.of(3, 13, 23, 24, 33));
  expect(rows).toBe(3);
  expect(refusal?.code).toBe("off-lattice");
  decoder.decode(payload, rows, PLAIN);
  expect(decoder.saveState()).toEqual(encoder.saveState());
  expect(() => encoder.encode(Int32Array.of(24))).toThrow(expect.objectContaining({ code: "off-lattice" }));
  expect(decoder.saveState()).toEqual(encoder.saveState());
});

test("replaying quiet rows equals coding their zeros", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 16 }), fc.integer({ min: 1, max: 300 }), (channels, quietRows) => {
      const noise = new SeededNoise(SEED + channels);
      const config = device.configure(Array.from({ length: channels }, () => lossless(1000)));
      const encoder = device.createEncoder(config);
      const decoder = device.createDecoder(config);
      const busy = Int32Array.from({ length: 50 * channels }, () => Math.round(300 * noise.normal()));
      decoder.decode(encoder.encode(busy).payload, 50, PLAIN);
      // Follow the decoder's own forecast, so that every residual is zero
      const forecast = device.createDecoder(config);
      forecast.restoreState(decoder.saveState());
      const foreseen = forecast.replayQuiet(quietRows);
      const coded = encoder.encode(foreseen);
      expect(coded.isQuiet).toBe(true);
      expect(decoder.replayQuiet(quietRows)).toEqual(foreseen);
      expect(decoder.saveState()).toEqual(encoder.saveState());
    }),
    { seed: SEED, numRuns: 20 },
  );
});

test("a base is within e of its sample, and equal to it on a lattice, over all of int32", () => {
  fc.assert(
    fc.property(
      fc.array(anySample, { minLength: 1, maxLength: 16 }),
      fc.oneof(fc.nat(3), fc.nat(5000), fc.nat(2 ** 30 - 1)),
      fc.integer({ min: 1, max: 2 ** 29 }),
      (bases, e, lattice) => {
        const samples = Int32Array.from(bases);
        const plain = roundTrip(batch, Array(bases.length).fill(lossless(e)), samples, 1);
        expect(worstError(samples, plain.decoded)).toBeLessThanOrEqual(e);
        fc.pre(lattice > 1 && lattice * (2 * Math.floor(e / lattice) + 1) > 2 * e + 1);
        fc.pre(lattice * (2 * Math.floor(e / lattice) + 1) < 2 ** 31);
        const settings = Array.from({ length: bases.length }, () => ({ e, lattice, historyShift: 0 }));
        expect(roundTrip(batch, settings, samples, 1).decoded).toEqual(samples);
      },
    ),
    { seed: SEED, numRuns: 300 },
  );
});

test("a base costs little more than the bits of its bin's number", () => {
  const config = device.configure(Array.from({ length: 6 }, () => lossless(500)));
  const nearest = device.createEncoder(config).encode(Int32Array.of(0, 1, -1, 500, -500, 0));
  const hundreds = device.createEncoder(config).encode(Int32Array.of(99_000, -99_000, 80_000, 70_000, -70_000, 90_000));
  expect(nearest.payload.length).toBeLessThanOrEqual(3);
  expect(hundreds.payload.length).toBeLessThanOrEqual(10);
});

test("the bin of a base that no sample lies in is refused", () => {
  for (const sample of [2 ** 31 - 1, -(2 ** 31), 2 ** 30]) {
    const { payload } = device.createEncoder(device.configure([lossless(0)])).encode(Int32Array.of(sample));
    const decoder = device.createDecoder(device.configure([lossless(1)]));
    expect(() => decoder.decode(payload, 1, { hasEvents: false, hasLines: false })).toThrow(
      expect.objectContaining({ code: "corrupt" }),
    );
  }
});

test("a signal that leaves the range its history was planned for costs little more than one that does not", () => {
  const noise = new SeededNoise(SEED);
  const bitsOf = (amplitude: number, drift: number) => {
    const samples = Int32Array.from({ length: 10_000 }, (_, t) =>
      Math.round(amplitude * Math.sin(0.01 * t) + drift * t + 1000 * noise.uniform()),
    );
    const { decoded, bytes } = roundTrip(batch, [lossless(10, 7)], samples, 1000); // 2^7 bins of 21 x 2^7
    expect(worstError(samples, decoded), `seed ${SEED}`).toBeLessThanOrEqual(10);
    return (8 * bytes) / samples.length;
  };
  const inside = bitsOf(150_000, 0);
  expect(bitsOf(3_000_000, 0)).toBeLessThan(1.2 * inside);
  expect(bitsOf(150_000, 1000)).toBeLessThan(1.05 * inside);
});

test("a frame with a base, an event or a residual is not quiet", () => {
  const encoder = device.createEncoder(device.configure([lossless(1)]));
  expect(encoder.encode(Int32Array.of(0)).isQuiet).toBe(false);
  expect(encoder.encode(Int32Array.of(0, 1)).isQuiet).toBe(true);
  expect(encoder.encode(Int32Array.of(0), Uint8Array.of(0)).isQuiet).toBe(false);
  expect(encoder.encode(Int32Array.of(9)).isQuiet).toBe(false);
});

test("quiet rows before the base are refused", () => {
  const decoder = device.createDecoder(device.configure([lossless(1)]));
  expect(() => decoder.replayQuiet(1)).toThrow(expect.objectContaining({ code: "no-base" }));
});

test("garbage payloads end in samples or a typed refusal, never in a trap, and a refusal leaves the state alone", () => {
  const noise = new SeededNoise(SEED);
  let accepted = 0;
  let refused = 0;
  for (let i = 0; i < 3000; i++) {
    const channels = 1 + (noise.uint32() % 16);
    const settings = Array.from({ length: channels }, () => ({
      e: noise.uint32() % 2 === 0 ? 0 : noise.uint32() >>> 3,
      lattice: 1,
      historyShift: 0,
    }));
    const core = cores[i % 2] ?? device;
    const decoder = core.createDecoder(core.configure(settings.map((s) => ({ ...s, e: s.e % 2 ** 30 }))));
    const payload = Uint8Array.from({ length: noise.uint32() % 200 }, () => (i % 3 === 0 ? 255 : noise.uint32()));
    const before = decoder.saveState();
    try {
      decoder.decode(payload, noise.uint32() % 40, KINDS[noise.uint32() % 3] ?? PLAIN);
      accepted += 1;
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      expect(["corrupt", "not-canonical", "no-base"], `seed ${SEED}, payload ${i}`).toContain(error.code);
      expect(decoder.saveState()).toEqual(before);
      refused += 1;
    }
  }
  expect(accepted + refused).toBe(3000);
  expect(refused).toBeGreaterThan(1000);
});

test("a state of random bytes decodes anything without a trap", () => {
  const noise = new SeededNoise(SEED);
  const config = device.configure([lossless(0), lossless(5, 25), lossless(2 ** 30 - 1)]);
  const decoder = device.createDecoder(config);
  const size = decoder.saveState().length;
  for (let i = 0; i < 500; i++) {
    decoder.restoreState(Uint8Array.from({ length: size }, () => noise.uint32()));
    const payload = Uint8Array.from({ length: 60 }, () => noise.uint32());
    try {
      decoder.decode(payload, 20, KINDS[i % 3] ?? PLAIN);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
    }
  }
});

test("a payload with a byte too many is refused", () => {
  const noise = new SeededNoise(SEED);
  const config = device.configure([lossless(2)]);
  const samples = Int32Array.from({ length: 200 }, () => Math.round(50 * noise.normal()));
  const { payload } = device.createEncoder(config).encode(samples);
  for (const other of [Uint8Array.of(...payload, 0), Uint8Array.of(...payload, 1)]) {
    expect(() => device.createDecoder(config).decode(other, 200, PLAIN)).toThrow(
      expect.objectContaining({ code: "not-canonical" }),
    );
  }
});

test("a frame ends early where the next row might not fit, and the next frame goes on with it", () => {
  const noise = new SeededNoise(SEED);
  const samples = Int32Array.from({ length: 16 * 1200 }, () => noise.int32());
  const config = device.configure(Array.from({ length: 16 }, () => lossless(0, 25)));
  const encoder = device.createEncoder(config);
  const decoder = device.createDecoder(config);
  let done = 0;
  let frames = 0;
  while (done < 1200) {
    const { payload, rows } = encoder.encode(samples.subarray(16 * done));
    expect(decoder.decode(payload, rows, PLAIN).samples).toEqual(samples.slice(16 * done, 16 * (done + rows)));
    done += rows;
    frames += 1;
  }
  expect(frames).toBeGreaterThan(1);
});

test("no row of any input takes more than MAX_CHANNEL_BYTES per channel", () => {
  const noise = new SeededNoise(SEED);
  const config = batch.configure([lossless(0)]);
  const encoder = batch.createEncoder(config);
  let most = 0;
  let rested = 0;
  for (let i = 0; i < 400; i++) {
    // Rest for long, so that every model is sure of itself, and then jump
    rested = encoder.encode(new Int32Array(1 + (noise.uint32() % 60))).payload.length;
    most = Math.max(most, encoder.encode(Int32Array.of(noise.int32())).payload.length);
  }
  expect(rested).toBeLessThan(60);
  expect(most).toBeGreaterThan(4);
  expect(most).toBeLessThanOrEqual(32 + 4);
});
