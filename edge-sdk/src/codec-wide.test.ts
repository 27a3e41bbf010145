import { expect, test } from "vitest";
import type { ChannelSettings } from "./codec-config.ts";
import { batchCore, deviceCore, PLAIN, SEED, SeededNoise, WITH_EVENTS } from "./codec-signals.suite.ts";
import type { Core } from "./core.ts";

/** Histories of 32 bits, which a device has from a history shift of 3 on. */
const device = deviceCore();
const batch = batchCore();
const LARGEST_NARROW = 2;
const SHIFTS = Array.from({ length: 26 }, (_, h) => h);
/** With and without a stacked expert, and each set of tap counts. */
const CHANNELS = [1, 3, 5, 6, 16];
const INT32_MAX = 2 ** 31 - 1;
const INT32_MIN = -(2 ** 31);

/** The largest e that a history shift leaves, of at most so many. */
function boundFor(shift: number, most: number): number {
  return Math.max(0, Math.min(most, Math.floor((2 ** (33 - shift) - 1) / 2)));
}

function settingsOf(channels: number, historyShift: number, most = 3): ChannelSettings[] {
  const e = boundFor(historyShift, most);
  return Array.from({ length: channels }, () => ({ e, lattice: 1, historyShift }));
}

/** Encode and decode; every sample within its bound, both modules alike, both ends alike after each frame. */
function expectRoundTrip(settings: readonly ChannelSettings[], samples: Int32Array, rowsPerFrame: number): number {
  const config = device.configure(settings);
  const [ours, theirs] = [device.createEncoder(config), batch.createEncoder(batch.configure(settings))];
  const decoder = device.createDecoder(config);
  let bytes = 0;
  for (let at = 0; at < samples.length; ) {
    const given = samples.subarray(at, at + rowsPerFrame * settings.length);
    const { payload, rows } = ours.encode(given);
    expect(theirs.encode(given.subarray(0, rows * settings.length)).payload).toEqual(payload);
    const decoded = decoder.decode(payload, rows, PLAIN).samples;
    for (const [i, value] of decoded.entries()) {
      const e = settings[i % settings.length]?.e ?? 0;
      if (Math.abs(value - (given[i] ?? 0)) > e) expect.fail(`sample ${at + i}: ${given[i]} became ${value}`);
    }
    expect(decoder.saveState()).toEqual(ours.saveState());
    bytes += payload.length;
    at += rows * settings.length;
  }
  return (8 * bytes) / samples.length;
}

test.for(SHIFTS)("jumps over all of int32, steep ramps and rests stay within e at a history shift of %i", (shift) => {
  const noise = new SeededNoise(SEED + shift);
  for (const channels of CHANNELS) {
    const rows = 240;
    const samples = Int32Array.from({ length: rows * channels }, (_, i) => {
      const [t, c] = [Math.floor(i / channels), i % channels];
      if (t < 60) return noise.int32();
      if (t < 120) return (t + c) % 2 ? INT32_MAX : INT32_MIN;
      if (t < 180) return 1000 * c;
      return (INT32_MIN + (t - 180) * 70_000_000 * (1 + (c % 2))) | 0;
    });
    expectRoundTrip(settingsOf(channels, shift), samples, 50);
  }
});

test("a state is wide as soon as one channel asks for it, whichever, and only then", () => {
  for (const core of [device, batch]) {
    for (const channels of CHANNELS) {
      const narrow = settingsOf(channels, LARGEST_NARROW);
      const length = (settings: readonly ChannelSettings[]) => core.configure(settings).coldState.length;
      const wide = length(settingsOf(channels, LARGEST_NARROW + 1));
      expect(length(narrow)).toBe(length(settingsOf(channels, 0)));
      expect(wide - length(narrow)).toBe(
        core.stateBytes(channels, LARGEST_NARROW + 1) - core.stateBytes(channels, LARGEST_NARROW),
      );
      expect(wide).toBeGreaterThan(length(narrow));
      for (let c = 0; c < channels; c++) {
        const one = narrow.map((given, i) => (i === c ? { ...given, historyShift: 25, e: 3 } : given));
        expect(length(one)).toBe(wide);
      }
    }
  }
});

test("a signal that climbs through many ranges of a wide history costs little, because its base moves", () => {
  // 128 bins D << h are 57,344: the ramp climbs through 40 of them
  const settings = [{ e: 3, lattice: 1, historyShift: 6 }];
  const samples = Int32Array.from({ length: 6000 }, (_, t) => 382 * t);
  expect(expectRoundTrip(settings, samples, 1000)).toBeLessThan(0.2);
});

test("a restored state of wide histories goes on as if nothing had happened", () => {
  const noise = new SeededNoise(SEED);
  const settings = [3, 9, 17, 0].map((historyShift) => ({ e: 5, lattice: 1, historyShift }));
  const signal = (from: number) =>
    Int32Array.from({ length: 4 * 60 }, (_, i) =>
      Math.round(90_000 * Math.sin((from + (i >> 2)) / 17) + 9 * noise.normal()),
    );
  const config = device.configure(settings);
  const first = device.createEncoder(config);
  first.encode(signal(0));
  const second = device.createEncoder(config);
  second.restoreState(first.saveState());
  const next = signal(60);
  expect(second.encode(next).payload).toEqual(first.encode(next).payload);
  expect(second.hash()).toBe(first.hash());
});

/** Random bytes, and real payloads with a bit flipped: samples or a refusal, and a state that a refusal leaves alone. */
test.for([
  ["device.wasm", device],
  ["batch.wasm", batch],
] as const)("%s takes any bytes for wide histories without a trap", ([, core]: readonly [string, Core]) => {
  const noise = new SeededNoise(SEED);
  let refused = 0;
  for (let round = 0; round < 300; round++) {
    const settings = settingsOf(1 + (noise.uint32() % 6), 3 + (noise.uint32() % 23));
    const config = core.configure(settings);
    const decoder = core.createDecoder(config);
    const rows = 1 + (noise.uint32() % 40);
    const samples = Int32Array.from({ length: rows * settings.length }, () => noise.int32() >> (noise.uint32() % 32));
    const { payload } = core.createEncoder(config).encode(samples);
    const at = noise.uint32() % payload.length;
    payload[at] = (payload[at] ?? 0) ^ (1 << (noise.uint32() % 8));
    const damaged = round % 2 ? payload : Uint8Array.from({ length: 1 + (noise.uint32() % 60) }, () => noise.uint32());
    const before = decoder.saveState();
    try {
      decoder.decode(damaged, rows, round % 3 ? PLAIN : WITH_EVENTS);
    } catch (error) {
      expect(error).toMatchObject({ name: "CodecError" });
      expect(decoder.saveState()).toEqual(before);
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(30);
});
