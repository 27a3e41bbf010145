import { expect, test } from "vitest";
import type { ChannelSettings } from "./codec-config.ts";
import { batchCore, deviceCore, PLAIN, SEED, SeededNoise, WITH_LINES } from "./codec-signals.suite.ts";
import { CodecError } from "./core-status.ts";
import { PlannedCodec } from "./planned-lines.suite.ts";

/**
 * Payloads with lines that decode are those that an encoder which draws the same lines writes, also where one was damaged.
 * Which lines it draws is an encoder's own choice, so nothing is promised about that.
 */
const batch = batchCore();
const device = deviceCore();
const planned = await PlannedCodec.compile();

/** One configuration, as each of the modules that speak about a payload keeps it. */
function configured(settings: readonly ChannelSettings[]) {
  const config = device.configure(settings);
  return { config, plan: batch.configure(settings), decoder: device.createDecoder(config) };
}

/** Decode what may be damaged; if it is accepted, write it again with its own lines. @returns its error's code, or "" */
function expectCanonical(
  kept: ReturnType<typeof configured>,
  state: Uint8Array,
  payload: Uint8Array,
  rows: number,
  what: string,
) {
  const { decoder, plan } = kept;
  decoder.restoreState(state);
  let decoded: Int32Array;
  try {
    decoded = decoder.decode(payload, rows, WITH_LINES).samples;
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    expect(["corrupt", "not-canonical"], what).toContain(error.code);
    expect(decoder.saveState(), what).toEqual(state);
    return error.code;
  }
  const frame = planned.read(plan, state, payload, rows);
  const written = planned.write(plan, state, frame);
  if (!Buffer.from(frame.samples.buffer).equals(Buffer.from(decoded.buffer))) expect.fail(`${what}: other samples`);
  const [wanted, found] = [payload, written.payload].map((bytes) => Buffer.from(bytes).toString("hex"));
  if (found !== wanted) expect.fail(`${what}: ${wanted} decodes, yet its samples and lines are written ${found}`);
  expect(written.hash, what).toBe(decoder.hash());
  return "";
}

/** Levels and ramps with noise about the bound, inside int32. */
function ramps(noise: SeededNoise, rows: number, settings: readonly ChannelSettings[], amplitude: number): Int32Array {
  const levels = settings.map(() => 0);
  const slopes = settings.map(() => 0);
  return Int32Array.from({ length: rows * settings.length }, (_, i) => {
    const c = i % settings.length;
    const { e = 0, lattice = 1 } = settings[c] ?? {};
    if (noise.uniform() < 0.1) slopes[c] = noise.uniform() < 0.3 ? 0 : amplitude * (2 * noise.uniform() - 1);
    levels[c] = Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, (levels[c] ?? 0) + (slopes[c] ?? 0)));
    const wide = (levels[c] ?? 0) + 0.8 * e * (2 * noise.uniform() - 1);
    return lattice * Math.trunc(Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, wide)) / lattice);
  });
}

const one = (e: number, lattice = 1, historyShift = 0) => [{ e, lattice, historyShift }];
const CASES = [
  ["one channel", one(100), 60, 300],
  ["one channel, lossless", one(0), 40, 3],
  ["one channel on a lattice", one(24, 10), 60, 200],
  ["one channel across int32", one(2 ** 30 - 1), 60, 2 ** 31],
  ["one channel of large bins", one(2 ** 24), 60, 2 ** 30],
  ["three channels", [...one(50), ...one(3), ...one(1000, 7)], 40, 500],
  ["seven channels", Array.from({ length: 7 }, (_, c) => ({ e: 10 * c, lattice: 1, historyShift: c })), 20, 100],
  ["blocks of 2,048 rows", one(2000), 2100, 700],
] as const satisfies readonly (readonly [string, readonly ChannelSettings[], number, number])[];

test.for(CASES)(
  "%s: what is accepted of a damaged frame with lines is what an encoder writes for its samples and lines",
  ([name, settings, rows, amplitude]) => {
    const noise = new SeededNoise(SEED);
    const kept = configured(settings);
    const encoder = batch.createEncoder(kept.plan, { lookahead: "programme" });
    let state: Uint8Array = kept.config.coldState;
    let lines = 0;
    const outcomes: Record<string, number> = { "": 0 };
    const tell = (payload: Uint8Array, count: number, what: string) => {
      if (payload.length === 0) return;
      const code = expectCanonical(kept, state, payload, count, `seed ${SEED}, ${name}: ${what}`);
      outcomes[code] = (outcomes[code] ?? 0) + 1;
    };
    for (let frame = 0; frame < (rows > 2000 ? 1 : 6); frame++) {
      const coded = encoder.encode(ramps(noise, rows, settings, amplitude));
      if (coded.hasLines) {
        lines += 1;
        const { payload } = coded;
        tell(payload, rows, "whole");
        expect(outcomes[""], name).toBeGreaterThan(0);
        const stride = rows > 2000 ? 5 : 1;
        for (let bit = 0; bit < 8 * payload.length; bit += stride) {
          const at = bit >> 3;
          tell(payload.with(at, (payload[at] ?? 0) ^ (1 << (bit & 7))), rows, `frame ${frame}, bit ${bit}`);
        }
        for (let cut = payload.length - 1; cut > 0; cut -= stride) tell(payload.slice(0, cut), rows, `cut to ${cut}`);
        for (const byte of [0, 1, 0x80, 0xff]) tell(Uint8Array.of(...payload, byte), rows, `and ${byte}`);
        for (const byte of Array.from({ length: 256 }, (_, i) => i)) {
          if (stride === 1) tell(payload.with(payload.length - 1, byte), rows, `last byte ${byte}`);
        }
        for (const other of [1, rows - 1, rows + 1, 2 * rows]) tell(payload, other, `as ${other} rows`);
      }
      state = encoder.saveState();
    }
    expect(lines).toBeGreaterThan(0);
    // Damage that passes is rare here; the next test has it by the thousand
    expect(outcomes["not-canonical"]).toBeGreaterThan(10);
  },
);

/** States with a line open, and without. */
function startOf(settings: readonly ChannelSettings[], isOpen: boolean): Uint8Array {
  const encoder = batch.createEncoder(batch.configure(settings), { lookahead: "programme" });
  const rows = 40;
  const ramp = Int32Array.from({ length: rows * settings.length }, (_, i) => 1000 * Math.floor(i / settings.length));
  const coded = encoder.encode(isOpen ? ramp : ramp.subarray(0, settings.length));
  expect(coded.hasLines).toBe(isOpen);
  return encoder.saveState();
}

test.for([
  ["one channel", one(10), false, 5],
  ["one channel with an open line", one(10), true, 9],
  ["one channel on a lattice, with an open line", one(12, 5), true, 4],
  ["two channels with open lines", [...one(10), ...one(0)], true, 3],
] as const satisfies readonly (readonly [string, readonly ChannelSettings[], boolean, number])[])(
  "%s: of all payloads with lines of one and two bytes those are accepted that an encoder writes",
  ([name, settings, isOpen, rows]) => {
    const kept = configured(settings);
    const state = startOf(settings, isOpen);
    let accepted = 0;
    for (let word = 0; word < 256 + 65_536; word += word < 256 ? 1 : 3) {
      const payload = word < 256 ? Uint8Array.of(word) : Uint8Array.of((word - 256) >> 8, word & 0xff);
      accepted += Number(expectCanonical(kept, state, payload, rows, `${name}, ${payload}`) === "");
    }
    expect(accepted).toBeGreaterThan(200);
  },
);

test("which lines are drawn is the encoder's choice: one frame's samples have canonical payloads with lines and without", () => {
  const settings = one(100);
  const config = device.configure(settings);
  const samples = Int32Array.from({ length: 40 }, (_, t) => (t === 0 ? 0 : 300 * t));
  const straight = batch.createEncoder(batch.configure(settings), { lookahead: "programme" }).encode(samples);
  expect(straight.hasLines).toBe(true);
  const decoded = device.createDecoder(config).decode(straight.payload, 40, WITH_LINES).samples;
  const plain = device.createEncoder(config).encode(decoded);
  expect(plain.payload).not.toEqual(straight.payload);
  const again = device.createDecoder(config).decode(plain.payload, 40, PLAIN).samples;
  for (const [i, sample] of again.entries())
    expect(Math.abs(sample - (decoded[i] ?? Number.NaN))).toBeLessThanOrEqual(100);
});
