import { describe, expect, test } from "vitest";
import { seededRandom } from "../seeded-random.ts";
import { REFERENCE_ROTOR, rotorSignal } from "./rotor.ts";
import { type Signal, SignalError } from "./signal.ts";
import { createSignal, SIGNAL_NAMES } from "./signal-registry.ts";

const SEED = 20260701;

/** The first rows of a signal, shape (rows, channels). */
function take(signal: Signal, rows: number): number[][] {
  const reader = signal.read();
  const out = new Float64Array(signal.channels.length);
  const table: number[][] = [];
  while (table.length < rows && reader.next(out)) table.push([...out]);
  return table;
}

const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
const rms = (values: readonly number[]) => Math.sqrt(mean(values.map((x) => x * x)));

describe.for([...SIGNAL_NAMES])("signal %s", (name) => {
  test("is the same for the same seed, however often it is read", () => {
    const signal = createSignal({ name }, seededRandom(SEED));
    const rows = take(signal, 500);
    expect(rows.length).toBe(500);
    expect(take(signal, 500)).toEqual(rows);
    expect(take(createSignal({ name }, seededRandom(SEED)), 500)).toEqual(rows);
  });

  test("stays inside the range that it states, and uses it", () => {
    const signal = createSignal({ name }, seededRandom(SEED));
    const rows = take(signal, 13_514);
    for (const [c, { min, max }] of signal.channels.entries()) {
      const column = rows.map((row) => row[c] ?? Number.NaN);
      expect(Math.min(...column)).toBeGreaterThanOrEqual(min);
      expect(Math.max(...column)).toBeLessThanOrEqual(max);
      expect(Math.max(...column) - Math.min(...column)).toBeGreaterThan(0.2 * (max - min));
    }
  });
});

/** The same for every seed: a recording, and what the firmware computes from a sample's number. */
const SEEDLESS = ["recorded", "rotor-twin"];

test("another seed gives another signal, where there is anything to draw", () => {
  for (const name of SIGNAL_NAMES) {
    const [a, b] = [1, 2].map((seed) => take(createSignal({ name }, seededRandom(seed)), 100));
    if (SEEDLESS.includes(name)) expect(a).toEqual(b);
    else expect(a).not.toEqual(b);
  }
});

test("the rotor is its formula, with noise of the stated deviation on every channel", () => {
  const rows = take(rotorSignal(REFERENCE_ROTOR, seededRandom(SEED)), 20_000);
  const clean = take(rotorSignal({ ...REFERENCE_ROTOR, sigma: 0 }, seededRandom(SEED)), 20_000);
  for (const t of [0, 1, 12_345]) {
    const p = t;
    const expected = [
      Math.sin(p),
      Math.cos(p),
      0.8 + 0.02 * Math.sin(p),
      0.5 * Math.sin(p + 0.3),
      0.5 * Math.cos(p + 0.3),
      1 + 0.1 * Math.sin(p + 1),
    ];
    for (const [c, value] of expected.entries()) expect(clean[t]?.[c]).toBeCloseTo(value, 12);
  }
  for (let c = 0; c < 6; c += 1) {
    const noise = rows.map((row, t) => (row[c] ?? 0) - (clean[t]?.[c] ?? 0));
    // Five standard errors.
    expect(Math.abs(mean(noise))).toBeLessThan((5 * 0.01) / Math.sqrt(noise.length));
    expect(Math.abs(rms(noise) - 0.01)).toBeLessThan((5 * 0.01) / Math.sqrt(2 * noise.length));
  }
});

test("a rotor of 100 turns per second sampled 100 times per second stands still", () => {
  const rows = take(rotorSignal({ ...REFERENCE_ROTOR, omega: 200 * Math.PI, sigma: 0 }, seededRandom(SEED)), 1000);
  expect(rms(rows.map((row) => row[0] ?? 1))).toBeLessThan(1e-9);
});

test("phase jitter walks the phase by its deviation per sample", () => {
  const jitter = 0.005;
  const rows = take(rotorSignal({ ...REFERENCE_ROTOR, omega: 0, sigma: 0, jitter }, seededRandom(SEED)), 5_000);
  const phases = rows.map((row) => Math.atan2(row[0] ?? 0, row[1] ?? 0));
  const steps = phases
    .slice(1)
    .map((phase, i) => Math.atan2(Math.sin(phase - (phases[i] ?? 0)), Math.cos(phase - (phases[i] ?? 0))));
  expect(Math.abs(rms(steps) - jitter)).toBeLessThan((5 * jitter) / Math.sqrt(2 * steps.length));
});

test("steps are constant between jumps, and jump as often as stated", () => {
  const rows = take(createSignal({ name: "steps", sigma: 0, everyS: 0.5, rateHz: 100 }, seededRandom(SEED)), 50_000);
  const jumps = rows.filter((row, t) => t > 0 && row[0] !== rows[t - 1]?.[0]).length;
  expect(Math.abs(jumps - 1000)).toBeLessThan(5 * Math.sqrt(1000));
});

test("an unknown name and a parameter out of range are refused, and say what is allowed", () => {
  expect(() => createSignal({ name: "toString" }, seededRandom(1))).toThrow(SignalError);
  expect(() => createSignal({ name: "rotr" }, seededRandom(1))).toThrow(/rotor/);
  expect(() => createSignal({ name: "rotor", rateHz: 0 }, seededRandom(1))).toThrow(/rate/);
  expect(() => createSignal({ name: "sine", channels: 17 }, seededRandom(1))).toThrow(/16/);
});

test.for([0, 3, 99, 2000])("the firmware's rotor has no rate of %s a second", (rateHz) => {
  expect(() => createSignal({ name: "rotor-twin", rateHz }, seededRandom(SEED))).toThrow(SignalError);
});
