import { expect, test } from "vitest";
import { EPS, PERIOD_NS, SeededRandom, signal } from "../test-device.suite.ts";
import type { DeviceTruth } from "./api-node.ts";
import { ApiRig, closeRigsAfterEach } from "./api-rig.suite.ts";
import type { LaneTruth } from "./lane-truth.ts";
import type { RowsAnswer } from "./schemas/history-schema.ts";
import type { TruthBucketsAnswer, TruthRowsAnswer } from "./schemas/truth-schema.ts";

closeRigsAfterEach();

const PERIOD_US = PERIOD_NS / 1000;
const COUNT = 2_000;
/** Newest rows whose truth is at hand. */
const KNOWN = 1_500;

const originals = () => {
  const random = new SeededRandom(8);
  return Array.from({ length: COUNT }, (_, n) => signal(random, n));
};

/** The originals of the newest rows, by time; from when on is known once the device was heard. */
class OwnTruth implements DeviceTruth {
  readonly maxErrorOverEps = 0.5;
  readonly compared = 10;
  readonly beyondEps = 0;
  readonly channels = ["y", "x"];
  known: { readonly fromUs: number; readonly toUs: number } | undefined;
  rows = new Map<number, Float64Array>();

  know(timesUs: readonly number[]): void {
    const times = timesUs.slice(-KNOWN);
    const rows = originals().slice(-KNOWN);
    // In another order than the device's channels.
    this.rows = new Map(times.map((time, i) => [time, Float64Array.from(rows[i]?.toReversed() ?? [])]));
    this.known = { fromUs: times[0] ?? 0, toUs: (times.at(-1) ?? 0) + PERIOD_US };
  }

  rowAt(timeUs: number): Float64Array | undefined {
    return this.rows.get(timeUs);
  }
}

async function opened(): Promise<{ readonly rig: ApiRig; readonly truth: OwnTruth; readonly rows: RowsAnswer }> {
  const truth = new OwnTruth();
  const rig = await ApiRig.open({ truthOf: (id) => (id === "pump" ? truth : undefined) });
  await rig.device("pump", originals());
  const rows = await rig.json<RowsAnswer>("/devices/pump/history?rate=full&from=0");
  expect(rows.timesUs).toHaveLength(COUNT);
  truth.know(rows.timesUs);
  return { rig, truth, rows };
}

test("at full rate the error is what is stored less what was measured, as a part of eps, where that is known", async () => {
  const { rig, rows } = await opened();
  const answer = await rig.json<TruthRowsAnswer>("/devices/pump/truth?rate=full&from=0&channels=y,x");
  expect(answer.timesUs).toEqual(rows.timesUs.slice(-KNOWN));
  expect(answer).toMatchObject({ compared: 2 * KNOWN, beyondEps: 0, channels: [{ name: "y" }, { name: "x" }] });
  for (const [c, { name, errors, truth }] of answer.channels.entries()) {
    const own = originals()
      .slice(-KNOWN)
      .map((row) => row[1 - c] ?? Number.NaN);
    expect(truth).toEqual(own);
    const stored = rows.channels.find((channel) => channel.name === name)?.values.slice(-KNOWN) ?? [];
    expect(errors).toEqual(stored.map((value, row) => ((value ?? Number.NaN) - (own[row] ?? 0)) / EPS));
  }
  const all = answer.channels.flatMap(({ errors }) => errors.map((error) => Math.abs(error ?? 0)));
  expect(answer.maxErrorShare).toBe(Math.max(...all));
  expect(answer.maxErrorShare).toBeGreaterThan(0.5);
});

test("in buckets it has the same edges as the history, and is rounded away from zero", async () => {
  const { rig } = await opened();
  const query = "from=0&buckets=90";
  const full = await rig.json<TruthRowsAnswer>("/devices/pump/truth?rate=full&from=0");
  const history = await rig.json<TruthBucketsAnswer>(`/devices/pump/history?${query}`);
  const answer = await rig.json<TruthBucketsAnswer>(`/devices/pump/truth?${query}`);
  const { t0Us, widthUs, count } = answer;
  expect([t0Us, widthUs, count]).toEqual([history.t0Us, history.widthUs, history.count]);
  expect(count).toBeGreaterThan(50);
  let filled = 0;
  for (const [c, { min, max, first, second }] of answer.channels.entries()) {
    for (let bucket = 0; bucket < count; bucket++) {
      const rows = [...full.timesUs.keys()].filter(
        (row) => Math.floor(((full.timesUs[row] ?? 0) - t0Us) / (widthUs ?? 1)) === bucket,
      );
      const errors = rows.map((row) => full.channels[c]?.errors[row] ?? Number.NaN);
      const truths = rows.map((row) => full.channels[c]?.truth[row] ?? Number.NaN);
      if (rows.length === 0) {
        expect([min[bucket], max[bucket], first[bucket], second[bucket]]).toEqual([null, null, null, null]);
        continue;
      }
      filled += 1;
      const away = (share: number) => (Math.sign(share) * Math.ceil(Math.abs(share) * 1_000 - 1e-9)) / 1_000 || 0;
      expect([min[bucket], max[bucket]]).toEqual([away(Math.min(...errors)), away(Math.max(...errors))]);
      const [low, high] = [Math.min(...truths), Math.max(...truths)];
      const isLowFirst = truths.indexOf(low) <= truths.indexOf(high);
      expect(first[bucket]).toBeCloseTo(isLowFirst ? low : high, 2);
      expect(second[bucket]).toBeCloseTo(isLowFirst ? high : low, 2);
    }
  }
  expect(filled).toBeGreaterThan(80);
});

test("an error beyond the bound is counted, and one whose truth is not a number is not", async () => {
  const { rig, truth, rows } = await opened();
  const [wrong = 0, missing = 0] = rows.timesUs.slice(-2);
  const value = (row: number, c: number) => rows.channels[c]?.values.at(row) ?? Number.NaN;
  truth.rows.set(wrong, Float64Array.of(value(-2, 1) + 2 * EPS, value(-2, 0)));
  truth.rows.set(missing, Float64Array.of(Number.NaN, value(-1, 0)));
  const answer = await rig.json<TruthRowsAnswer>(`/devices/pump/truth?rate=full&from=${wrong}`);
  expect(answer).toMatchObject({ compared: 3, beyondEps: 1 });
  expect(answer.maxErrorShare).toBeCloseTo(2);
  expect(answer.channels[1]?.errors[0]).toBeCloseTo(-2);
  expect(answer.channels[1]?.errors[1]).toBeNull();
  expect(answer.channels[1]?.truth[1]).toBeNull();
});

test("before all that is known, and of a device that nobody knows the truth of, there is none, and that is said", async () => {
  const { rig, truth, rows } = await opened();
  const before = await rig.json<TruthRowsAnswer>(`/devices/pump/truth?rate=full&from=0&to=${rows.timesUs[10]}`);
  expect(before).toMatchObject({ timesUs: [], compared: 0, maxErrorShare: null, known: truth.known });
  truth.known = undefined;
  const none = await rig.json<TruthBucketsAnswer>("/devices/pump/truth?from=0&buckets=5");
  expect([none.known, none.compared, none.channels[0]?.min.every((share) => share === null)]).toEqual([null, 0, true]);
  await rig.device("valve", originals().slice(0, 40));
  const unknown = await rig.get("/api/v1/devices/valve/truth");
  expect([unknown.status, ((await unknown.json()) as { code: string }).code]).toEqual([404, "truth-unknown"]);
  const bad = await rig.get("/api/v1/devices/pump/truth?rate=full&buckets=5");
  expect(bad.status).toBe(400);
  expect((await rig.get("/api/v1/devices/pump/truth?channels=w")).status).toBe(400);
  expect((await rig.get("/api/v1/devices/pump/truth?from=9&to=3")).status).toBe(400);
  expect(await rig.json("/devices/valve")).toMatchObject({ truth: null });
  expect(await rig.json("/devices/pump")).toMatchObject({
    truth: { fromUs: null, compared: 10, beyondEps: 0, maxErrorShare: 0.5 },
  });
});

test("the live lanes say the error bucket by bucket, and null where nobody knows it", async () => {
  const { rig } = await opened();
  await rig.device("valve", originals().slice(0, 40));
  for (const device of ["pump", "valve"]) {
    const abort = new AbortController();
    const stream = await rig.get(`/api/v1/stream?device=${device}`, { signal: abort.signal });
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!/event: lanes\nid: \d+\ndata: .*\n\n/.test(text)) text += (await reader?.read())?.value ?? "";
    abort.abort();
    const update = JSON.parse(/event: lanes\nid: \d+\ndata: (.*)\n\n/.exec(text)?.[1] ?? "") as {
      readonly lanes: readonly { readonly times: readonly number[] }[];
      readonly truth: readonly LaneTruth[] | null;
    };
    if (device === "valve") {
      expect(update.truth).toBeNull();
      continue;
    }
    for (const [c, { times }] of update.lanes.entries()) {
      const { min = [], max = [], first = [] } = update.truth?.[c] ?? {};
      expect([min.length, max.length, first.length]).toEqual([times.length, times.length, times.length]);
      expect(times.length).toBeGreaterThan(400);
      const known = min.filter((share) => share !== null);
      expect(known.length).toBeGreaterThan(400);
      expect(Math.max(...known.map(Math.abs), ...max.map((share) => Math.abs(share ?? 0)))).toBeLessThanOrEqual(1);
      // Buckets are one sample wide, and the last one is of the newest.
      expect(first.at(-1)).toBeCloseTo(originals().at(-1)?.[c] ?? Number.NaN, 2);
    }
  }
});
