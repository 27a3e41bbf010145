import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SILENT_LOGGER } from "../logger.ts";
import { NO_TRAFFIC } from "../reconstructor/traffic-meter.ts";
import { BatchBuilder } from "../store/batch-builder.ts";
import { RetentionTimer } from "../store/retention-timer.ts";
import { bruteForceBuckets } from "./brute-force.suite.ts";
import { type History, openHistory } from "./history.ts";
import { KeptStore } from "./kept-store.suite.ts";
import { ScriptedDevice } from "./scripted-device.suite.ts";

const EVER = { fromUs: 0, toUs: 1e16 };
const EVERY_FRAMES = 20;
const DAY_US = 86_400_000_000;
let folder = "";
let kept: KeptStore;
let history: History | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-retention-"));
  kept = new KeptStore(file());
});

afterEach(async () => {
  history?.close();
  history = undefined;
  await kept.close();
  rmSync(folder, { recursive: true });
});

const file = () => join(folder, "store.db");

/** Minutes that something is written of, told of what a device cost. */
function trafficMinutes(): number[] {
  const database = new DatabaseSync(file(), { readOnly: true });
  const rows = database.prepare("SELECT slot FROM traffic WHERE minutes = 1 ORDER BY slot").all();
  database.close();
  return rows.map(({ slot }) => Number(slot));
}

async function record(device: ScriptedDevice, frames: number): Promise<void> {
  for (let i = 0; i < frames; i++) {
    kept.receive(device, i % EVERY_FRAMES === 0 ? device.keyframe() : device.residual());
    if (i % 100 === 99) await kept.commit();
  }
  await kept.commit();
}

/** What is kept is the end of what there was, by rows and by buckets alike. */
async function expectKept(device: ScriptedDevice): Promise<number> {
  history?.close();
  history = await openHistory(file());
  const span = history.span("unit") ?? EVER;
  const rows = kept.truth.filter(({ timeUs }) => timeUs >= span.fromUs);
  const times = [...history.rows("unit", EVER)].flatMap(({ timesUs }) => [...timesUs]);
  expect(times).toEqual(rows.map(({ timeUs }) => timeUs));
  for (const most of [5, 300]) {
    const { widthUs, fromUs, count, samples, channels } = history.buckets("unit", EVER, most);
    const truth = bruteForceBuckets(rows, device, 0, widthUs, { fromUs, toUs: fromUs + count * widthUs });
    expect([...samples]).toEqual(truth.map((bucket) => bucket.samples));
    expect([...(channels[0]?.first ?? [])]).toEqual(truth.map(({ first }) => first));
  }
  const expired =
    rows.length === kept.truth.length ? [] : [{ kind: "expired", channel: null, fromUs: 0, toUs: span.fromUs }];
  expect(history.runs("unit", EVER)).toEqual(expired);
  return rows.length / kept.truth.length;
}

test("by size, the oldest go until the store is small enough, and it shrinks on the disk", async () => {
  const device = new ScriptedDevice({ seed: 1 });
  kept.birth(device);
  await record(device, 1_200);
  expect(await expectKept(device)).toBe(1);
  const before = (await measured()).used;
  const { stretches, freedBytes } = await kept.store.retain({ maxBytes: before / 2 });
  expect(stretches).toBeGreaterThan(5);
  expect(freedBytes).toBeGreaterThan(0);
  const { used, free, total } = await measured();
  expect(used).toBeLessThanOrEqual(before / 2);
  expect(free).toBeLessThan(total / 10);
  expect(leftOver()).toBe(0);
  const share = await expectKept(device);
  expect(share).toBeGreaterThan(0.2);
  expect(share).toBeLessThan(0.7);
  // What comes later is kept beside it, also by a node that was started again.
  await kept.restart();
  await record(device, 100);
  await expectKept(device);
});

test("by age, what was closed before goes, epochs that are over included, and the newest end stays", async () => {
  const [first, second] = [1, 2].map((epoch) => new ScriptedDevice({ seed: epoch, epoch }));
  if (first === undefined || second === undefined) throw new RangeError("two devices");
  const costs = async () => {
    const batch = new BatchBuilder();
    const minute = Math.floor(kept.clock.unixUs() / 60e6);
    batch.addRecord({ table: "traffic", device: 1, minute, ...NO_TRAFFIC, messages: 5 });
    await kept.store.commit(batch.build());
    return minute;
  };
  await costs();
  kept.clock.advance(60_000);
  kept.birth(first);
  await record(first, 100);
  second.setClock(first.timeUs + 1_000_000);
  kept.birth(second);
  await record(second, 150);
  kept.clock.advance(DAY_US / 1000);
  const later = await costs();
  await record(second, 150);
  const { stretches } = await kept.store.retain({ closedBeforeUs: kept.clock.unixUs() - DAY_US / 2 });
  expect(stretches).toBeGreaterThan(5);
  // What a device cost goes with what it was paid for.
  expect(trafficMinutes()).toEqual([later]);
  const share = await expectKept(second);
  expect(share).toBeGreaterThan(0.3);
  expect(share).toBeLessThan(0.5);
  await kept.store.retain({ closedBeforeUs: kept.clock.unixUs() + 1 });
  expect(await expectKept(second)).toBeLessThan(0.1);
});

/** Two boots, the second of which began after the first; so many frames of it, and then nothing is kept and the node restarts. */
async function forgottenBoots(framesOfSecond: number): Promise<readonly [ScriptedDevice, ScriptedDevice]> {
  const [first, second] = [new ScriptedDevice({ seed: 1, epoch: 1 }), new ScriptedDevice({ seed: 2, epoch: 2 })];
  kept.birth(first);
  await record(first, 100);
  second.setClock(first.timeUs + 100_000_000);
  kept.birth(second);
  await record(second, framesOfSecond);
  await kept.store.retain({ closedBeforeUs: kept.clock.unixUs() + 1 });
  await kept.restart();
  return [first, second];
}

/** Times of all rows of the first boot. */
async function timesOfFirst(): Promise<number[]> {
  history = await openHistory(file());
  const blocks = [...history.rows("unit", EVER)].filter(({ epoch }) => epoch === 1);
  return blocks.flatMap(({ timesUs }) => [...timesUs]);
}

test("by age, what a device cost goes too where nothing of it was ever closed, and of how many there are", async () => {
  const SILENT = 300;
  const minuteOf = () => Math.floor(kept.clock.unixUs() / 60e6);
  const costs = async () => {
    const batch = new BatchBuilder();
    for (let key = 10; key < 10 + SILENT; key++) {
      batch.addRecord({ table: "device", key, id: `silent-${key}` });
      batch.addRecord({ table: "traffic", device: key, minute: minuteOf(), ...NO_TRAFFIC, messages: 5 });
    }
    await kept.store.commit(batch.build());
  };
  await costs();
  kept.clock.advance(60_000);
  await costs();
  kept.clock.advance((3 * DAY_US) / 1000);
  const device = new ScriptedDevice({ seed: 3 });
  kept.birth(device);
  await record(device, 200);
  // Of this one stretches are kept, and so is what they were paid for.
  const paid = new BatchBuilder();
  paid.addRecord({ table: "traffic", device: 1, minute: minuteOf() - 5_000, ...NO_TRAFFIC, messages: 5 });
  await kept.store.commit(paid.build());
  await costs();
  const [now, all] = [minuteOf(), trafficMinutes().length];
  expect(all).toBe(3 * SILENT + 1);
  await kept.store.retain({ closedBeforeUs: kept.clock.unixUs() - DAY_US });
  expect(trafficMinutes()).toEqual([now - 5_000, ...new Array(SILENT).fill(now)]);
  // Hours and days that are over are gone with their minutes.
  expect(kept.store.reader.traffic(10, 0, now - 1_440).total.messages).toBe(0);
  expect(kept.store.reader.traffic(10, 0, now + 1).total.messages).toBe(5);
});

test("by size alone, what silent devices cost goes as far back as history does, and only once some of it went", async () => {
  const minuteOf = () => Math.floor(kept.clock.unixUs() / 60e6);
  const cost = async () => {
    const batch = new BatchBuilder();
    batch.addRecord({ table: "device", key: 10, id: "silent" });
    batch.addRecord({ table: "traffic", device: 10, minute: minuteOf(), ...NO_TRAFFIC, messages: 5 });
    await kept.store.commit(batch.build());
  };
  await cost();
  const first = minuteOf();
  kept.clock.advance((3 * DAY_US) / 1000);
  const device = new ScriptedDevice({ seed: 4 });
  kept.birth(device);
  await record(device, 1_200);
  kept.clock.advance(60_000);
  await cost();
  const { used } = await measured();
  await kept.store.retain({ maxBytes: 2 * used });
  expect(trafficMinutes()).toEqual([first, minuteOf()]);
  const { stretches } = await kept.store.retain({ maxBytes: used / 2 });
  expect(stretches).toBeGreaterThan(5);
  expect(trafficMinutes()).toEqual([minuteOf()]);
});

test("a device that goes on with an epoch of which nothing is kept is taken, and nothing old is invented", async () => {
  const [first, second] = await forgottenBoots(30);
  kept.receive(first, first.keyframe());
  kept.receive(second, second.residual());
  await kept.commit();
  const late = kept.truth.filter(({ epoch }) => epoch === 1).slice(-40);
  expect(await timesOfFirst()).toEqual(late.map(({ timeUs }) => timeUs));
});

test("an epoch that is drained after the next boot began goes on where it was, though nothing of it is kept", async () => {
  const [first] = await forgottenBoots(1);
  const before = kept.truth.length;
  kept.receive(first, first.residual());
  kept.receive(first, first.residual());
  await kept.commit();
  expect(await timesOfFirst()).toEqual(kept.truth.slice(before).map(({ timeUs }) => timeUs));
});

test("frames are committed while stretches are deleted", async () => {
  const device = new ScriptedDevice({ seed: 5 });
  kept.birth(device);
  await record(device, 1_000);
  const done: string[] = [];
  const retained = kept.store.retain({ maxBytes: 0 }).then(({ stretches }) => {
    done.push("retained");
    return stretches;
  });
  const batch = new BatchBuilder();
  batch.addFrame("check", 1, 1, 1_000_000, Uint8Array.of(1));
  await kept.store.commit(batch.build()).then(() => done.push("committed"));
  // More than two steps delete at a time.
  expect(await retained).toBeGreaterThan(16);
  expect(done).toEqual(["committed", "retained"]);
  await expectKept(device);
});

test("a node lets its store forget once a minute, until it is closed", async () => {
  const device = new ScriptedDevice({ seed: 7 });
  kept.birth(device);
  await record(device, 100);
  const { counters, clock, store } = kept;
  const timer = new RetentionTimer({ store, clock, counters, logger: SILENT_LOGGER, retention: { maxBytes: 1 } });
  const expired = () => counters.get("stretches.expired");
  const until = async (isMet: () => boolean) => {
    while (!isMet()) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  clock.advance(0);
  await until(() => expired() > 0);
  await record(device, 100);
  const before = expired();
  // What a run was armed by is the end of the one before.
  clock.advance(60_000);
  await until(() => expired() > before);
  expect(await expectKept(device)).toBeLessThan(0.5);
  timer.close();
  await record(device, 100);
  clock.advance(600_000);
  const rows = await expectKept(device);
  expect(rows).toBeGreaterThan(0.2);
});

/** Rows of what has expired, of whatever tier. */
function leftOver(): number {
  const database = new DatabaseSync(file(), { readOnly: true });
  const expired = "JOIN expiries USING (device, epoch) WHERE";
  const count = (what: string) => Number(database.prepare(`SELECT count(*) AS n FROM ${what}`).get()?.n);
  const left =
    count(`stretches ${expired} from_seq <= expiries.through_seq`) + count(`frames ${expired} seq <= through_seq`);
  const orphans = count("packs WHERE stretch NOT IN (SELECT id FROM stretches)");
  database.close();
  return left + orphans;
}

async function measured(): Promise<{ readonly used: number; readonly free: number; readonly total: number }> {
  const database = new DatabaseSync(file());
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  const pragma = (name: string) => Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
  const [pages, free, size] = [pragma("page_count"), pragma("freelist_count"), pragma("page_size")];
  database.close();
  expect(statSync(file()).size).toBe(pages * size);
  return { used: (pages - free) * size, free: free * size, total: pages * size };
}
