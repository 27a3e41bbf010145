import { createSignal, type Signal, seededRandom } from "@lockstep/sim";
import { expect, test } from "vitest";
import type { TwinView } from "../../reconstructor/twin-view.ts";
import { LiveTruth } from "./live-truth.ts";
import { TruthBudget, TruthRing } from "./truth-ring.ts";

const START_US = 1_700_000_000_000_000;
const EPS = 0.5;
const PLENTY = 2 ** 22;

const sine = () => createSignal({ name: "sine", channels: 2, rateHz: 100, sigma: 0.1 }, seededRandom(4));

function rowsOf(signal: Signal, count: number): Float64Array[] {
  const reader = signal.read();
  return Array.from({ length: count }, () => {
    const row = new Float64Array(signal.channels.length);
    reader.next(row);
    return row;
  });
}

/** A twin of which nothing is asked but its newest samples: the signal's own, with an error of its own. */
function twinAt(rows: readonly Float64Array[], error: number, startUs = START_US): TwinView {
  const recent = (c: number, n: number) =>
    rows.slice(Math.max(0, rows.length - n)).map((row, i) => {
      const timeUs = startUs + (Math.max(0, rows.length - n) + i) * 10_000;
      return { value: (row[c] ?? 0) + error, status: 0, timeUs };
    });
  return { recent } as TwinView;
}

test("what is confirmed is compared once with the signal, and what the signal was is known by its time", () => {
  const rows = rowsOf(sine(), 300);
  const truth = new LiveTruth({ signal: sine(), eps: [EPS, EPS], startUs: START_US }, new TruthBudget(PLENTY));
  expect(truth.known).toBeUndefined();
  truth.observe(twinAt(rows.slice(0, 200), 0.4), 200);
  truth.observe(twinAt(rows, 0.6), 200);
  expect([truth.compared, truth.beyondEps]).toEqual([600, 200]);
  expect(truth.maxErrorOverEps).toBeCloseTo(1.2);
  expect(truth.known).toEqual({ fromUs: START_US, toUs: START_US + 3_000_000 });
  for (const [n, row] of rows.entries()) expect(truth.rowAt(START_US + n * 10_000 + 2)).toEqual(row);
  // Neither before it, nor after it, nor between two samples.
  for (const timeUs of [START_US - 10_000, START_US + 3_000_000, START_US + 15_000, 0])
    expect(truth.rowAt(timeUs)).toBeUndefined();
});

test("samples of another run of the device, before this one, are not compared", () => {
  const truth = new LiveTruth({ signal: sine(), eps: [EPS, EPS], startUs: START_US }, new TruthBudget(PLENTY));
  truth.observe(twinAt(rowsOf(sine(), 100), 9, START_US - 60_000_000), 100);
  expect([truth.compared, truth.known]).toEqual([0, undefined]);
});

test("who comes late to a long run catches up commit by commit, and compares from then on", () => {
  const rows = rowsOf(sine(), 50_000);
  const truth = new LiveTruth({ signal: sine(), eps: [EPS, EPS], startUs: START_US }, new TruthBudget(PLENTY));
  const twin = twinAt(rows, 0.1);
  const compared = [1, 2, 3].map(() => {
    truth.observe(twin, 10);
    return truth.compared;
  });
  expect(compared).toEqual([0, 0, 20]);
});

test("of a long run the newest rows are kept, as many as there is room for, and never a wrong one", () => {
  const budget = new TruthBudget(4_000);
  const [ring, other] = [new TruthRing(2, budget), new TruthRing(2, budget)];
  for (let n = 0; n < 10_000; n++) {
    ring.push(Float64Array.of(n, -n));
    expect(ring.row(n)).toEqual(Float64Array.of(n, -n));
    expect(ring.row(ring.first)).toEqual(Float64Array.of(ring.first, -ring.first));
    expect(ring.row(ring.first - 1)).toBeUndefined();
  }
  expect([ring.first, ring.end]).toEqual([10_000 - 1_024, 10_000]);
  for (let n = 0; n < 1_000; n++) other.push(Float64Array.of(n, n));
  expect(other.end - other.first).toBe(512);
  ring.release();
  expect([ring.row(9_999), ring.first]).toEqual([undefined, 10_000]);
  for (let n = 1_000; n < 3_000; n++) other.push(Float64Array.of(n, n));
  expect(other.end - other.first).toBe(1_024);
});
