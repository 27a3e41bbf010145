import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SeededRandom } from "../test-device.suite.ts";
import { BatchBuilder } from "./batch-builder.ts";
import { SqliteStore } from "./sqlite-store.ts";
import { SqliteTraffic } from "./sqlite-traffic.ts";
import type { StoredTraffic } from "./store.ts";

const START = 28_000_000;
const MINUTES = 6_000;
const FIELDS = ["samples", "values", "messages", "payloadBytes", "frameBytes", "socketBytes", "packets"] as const;
let folder = "";
let store: SqliteStore;
const written: { readonly device: number; readonly minute: number; readonly traffic: StoredTraffic }[] = [];

function traffic(random: SeededRandom): StoredTraffic {
  const [samples = 0, values = 0, messages = 0, payloadBytes = 0, frameBytes = 0, socketBytes = 0, packets = 0] =
    FIELDS.map(() => random.below(1_000));
  const counted = { countedPayloadBytes: random.below(9), countedValues: random.below(9) };
  return { samples, values, messages, payloadBytes, frameBytes, socketBytes, packets, ...counted };
}

/** Some minutes of two devices over four days, some of them told twice. */
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-traffic-"));
  store = new SqliteStore(join(folder, "store.db"));
  written.length = 0;
  const random = new SeededRandom(6);
  const batch = new BatchBuilder();
  for (let i = 0; i < 3_000; i++) {
    const one = { device: 1 + random.below(2), minute: START + random.below(MINUTES), traffic: traffic(random) };
    written.push(one);
    batch.addRecord({ table: "traffic", device: one.device, minute: one.minute, ...one.traffic });
  }
  await store.commit(batch.build());
});

afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

function added(device: number, from: number, to: number, field: keyof StoredTraffic): number {
  return written
    .filter((one) => one.device === device && one.minute >= from && one.minute < to)
    .reduce((sum, one) => sum + one.traffic[field], 0);
}

test("the sum over any minutes is that of what was written, whatever slots it is read from", () => {
  const random = new SeededRandom(2);
  const edges = [0, 1, 59, 60, 61, 1_439, 1_440, 1_441, 2_880, MINUTES];
  const ranges = [
    ...edges.flatMap((from) => edges.map((to) => [START + from, START + to] as const)),
    ...Array.from({ length: 60 }, () => {
      const from = START - 100 + random.below(MINUTES + 200);
      return [from, from + random.below(MINUTES)] as const;
    }),
  ];
  let filled = 0;
  for (const [from, to] of ranges) {
    for (const device of [1, 2]) {
      const { total } = store.reader.traffic(device, from, to);
      for (const field of [...FIELDS, "countedPayloadBytes", "countedValues"] as const)
        expect(total[field], `${from} ${to} ${field}`).toBe(added(device, from, to, field));
      filled += total.messages > 0 ? 1 : 0;
    }
  }
  expect(filled).toBeGreaterThan(100);
  const minutes = written.filter(({ device }) => device === 1).map(({ minute }) => minute);
  const ends = { oldest: Math.min(...minutes), newest: Math.max(...minutes) };
  expect(store.reader.traffic(1, 0, 1).minutes).toEqual(ends);
  expect(store.reader.traffic(3, 0, 1e9)).toMatchObject({ total: { messages: 0 }, minutes: undefined });
});

test("a sum over years reads a day for a day", () => {
  const database = new DatabaseSync(join(folder, "store.db"), { readOnly: true });
  const count = (minutes: number) =>
    Number(database.prepare("SELECT count(*) AS n FROM traffic WHERE minutes = ?").get(minutes)?.n);
  expect([count(1) > 2_500, count(60), count(1_440)]).toEqual([true, 2 * 101, 2 * 5]);
  database.close();
});

test("what is forgotten is in no sum any more, and nothing else is missing, wherever the hour or the day began", async () => {
  const edge = START + 2_000;
  const database = new DatabaseSync(join(folder, "store.db"));
  new SqliteTraffic(database).forgetBefore(1, edge);
  database.close();
  const kept = (from: number, to: number) => added(1, Math.max(from, edge), to, "messages");
  for (const [from, to] of [
    [0, 1e9],
    [START, START + MINUTES],
    [edge - 100, edge + 3_000],
    [edge - 1, edge + 1],
    [edge + 7, edge + 70],
  ] as const) {
    const { total, minutes } = store.reader.traffic(1, from, to);
    expect(total.messages, `${from} ${to}`).toBe(kept(from, to));
    expect(minutes?.oldest).toBeGreaterThanOrEqual(edge);
  }
  expect(store.reader.traffic(2, 0, 1e9).total.messages).toBe(added(2, 0, 1e9, "messages"));
});
