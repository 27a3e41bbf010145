import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { channelScale } from "@lockstep/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SeededRandom } from "../test-device.suite.ts";
import { bruteForceBuckets } from "./brute-force.suite.ts";
import { type History, openHistory } from "./history.ts";
import { KeptStore } from "./kept-store.suite.ts";
import { ScriptedDevice } from "./scripted-device.suite.ts";
import type { TimeRange } from "./time-range.ts";

let folder = "";
let kept: KeptStore | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-history-"));
});

afterEach(async () => {
  await kept?.close();
  kept = undefined;
  rmSync(folder, { recursive: true });
});

const file = () => join(folder, "store.db");

/** Boots of one device with gaps, clocks that jump, quiet times and restarts of the node, as the seed says. */
async function play(store: KeptStore, seed: number, isCut: boolean): Promise<ScriptedDevice> {
  const random = new SeededRandom(seed);
  const boots = [1, 2, 3].map((epoch) => new ScriptedDevice({ seed: 10 * seed + epoch, epoch }));
  for (const [i, device] of boots.entries()) {
    const before = boots[i - 1];
    // Boots that follow each other, with a pause or with a clock that was wrong.
    if (before !== undefined) device.setClock(before.timeUs + (random.below(3) - 1) * 20_000_000);
    store.birth(device);
    store.receive(device, device.keyframe());
    for (let frame = 0; frame < (isCut ? 260 : 380); frame++) {
      const draw = random.below(40);
      if (draw === 0 && (isCut || frame === 200)) {
        device.skip(1 + random.below(9));
        store.giveUp(device);
        store.receive(device, device.keyframe());
      } else if (draw === 1 && (isCut || frame > 370)) {
        device.setClock(device.timeUs + (random.below(2_000) - 1_200) * 10_000);
        store.receive(device, device.keyframe());
      } else if (draw < 5 && isCut) store.receive(device, device.keyframe(random.below(2) === 0));
      else if (draw < 9) store.receive(device, device.heartbeat());
      else store.receive(device, device.residual(random.below(8) === 0));
      if (random.below(60) === 0) await store.commit();
      if (random.below(160) === 0) {
        await store.commit();
        await store.restart();
      }
    }
    // What an earlier boot left in its ring comes late.
    if (before !== undefined && random.below(2) === 0) {
      store.receive(before, before.residual());
      store.receive(before, before.keyframe());
    }
  }
  await store.commit();
  return boots[2] as ScriptedDevice;
}

function expectBuckets(history: History, device: ScriptedDevice, range: TimeRange, most: number): number {
  const found = history.buckets("unit", range, most);
  expect(found.count).toBeLessThanOrEqual(most);
  const whole = { fromUs: found.fromUs, toUs: found.fromUs + found.count * found.widthUs };
  for (const [c, { first, second, invalid, saturated }] of found.channels.entries()) {
    // Epoch after epoch, also where one came late.
    const rows = (kept?.truth ?? []).toSorted((a, b) => a.epoch - b.epoch);
    const truth = bruteForceBuckets(rows, device, c, found.widthUs, whole);
    const told = Array.from(first, (_, i) => ({
      samples: found.samples[i],
      first: first[i],
      second: second[i],
      invalid: invalid[i],
      saturated: saturated[i],
    }));
    // One comparison, since thousands of small ones are slow.
    expect(JSON.stringify(told)).toBe(JSON.stringify(truth));
  }
  return found.count;
}

/** The rows of a range, one by one. */
function expectRows(history: History, device: ScriptedDevice, range: TimeRange): void {
  const scales = device.birth.channels.map(channelScale);
  const told = [...history.rows("unit", range)].flatMap(({ epoch, timesUs, values, statuses, channels }) =>
    Array.from(timesUs, (timeUs, row) => ({
      epoch,
      timeUs,
      values: [...values.slice(row * channels, (row + 1) * channels)],
      statuses: [...statuses.slice(row * channels, (row + 1) * channels)],
    })),
  );
  const truth = (kept?.truth ?? [])
    .filter(({ timeUs }) => timeUs >= range.fromUs && timeUs < range.toUs)
    .map(({ epoch, timeUs, samples, statuses }) => {
      const values = samples.map((x, c) => (x + (scales[c]?.offset ?? 0)) * (scales[c]?.scale ?? Number.NaN));
      return { epoch, timeUs, values, statuses };
    })
    .toSorted((a, b) => a.epoch - b.epoch);
  expect(JSON.stringify(told)).toBe(JSON.stringify(truth));
}

for (const [seed, isCut] of [
  [1, true],
  [2, true],
  [3, false],
  [4, false],
] as const) {
  test(`rows and buckets are those of the samples, whatever was lost, late, quiet or restarted (seed ${seed})`, async () => {
    kept = new KeptStore(file());
    const device = await play(kept, seed, isCut);
    // Where stretches are long, one is open, and how far it has come is kept.
    for (let i = 0; !isCut && count("tails") === 0; i++) {
      kept.receive(device, device.residual());
      if (i % 20 === 0) await kept.commit();
    }
    await kept.commit();
    const history = await openHistory(file());
    const span = history.span("unit") ?? { fromUs: 0, toUs: 0 };
    const times = kept.truth.map(({ timeUs }) => timeUs);
    expect(span).toEqual({ fromUs: Math.min(...times), toUs: Math.max(...times) + 10_000 });
    const random = new SeededRandom(seed);
    let looked = 0;
    for (const most of [1, 40, 1_500]) looked += expectBuckets(history, device, span, most);
    for (let i = 0; i < 4; i++) {
      const fromUs = span.fromUs + random.below(span.toUs - span.fromUs);
      const range = { fromUs, toUs: fromUs + random.below(span.toUs - fromUs) };
      looked += expectBuckets(history, device, range, 1 + random.below(400));
    }
    expect(looked).toBeGreaterThan(1_000);
    expectRows(history, device, span);
    const third = (span.toUs - span.fromUs) / 3;
    expectRows(history, device, { fromUs: span.fromUs + third, toUs: span.toUs - third });
    history.close();
    // Looked at something: levels of two tiers, and frames that none tells of.
    expect(count("frames")).toBeGreaterThan(0);
    expect(count("stretches WHERE tier = 0")).toBeGreaterThan(isCut ? 20 : 3);
    expect(count("stretches WHERE tier = 1") > 0).toBe(isCut);
  });
}

function count(table: string): number {
  const database = new DatabaseSync(file(), { readOnly: true });
  try {
    return Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n);
  } finally {
    database.close();
  }
}
