import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { openHistory } from "./history.ts";
import { KeptStore } from "./kept-store.suite.ts";
import { ScriptedDevice } from "./scripted-device.suite.ts";

const EVER = { fromUs: 0, toUs: 1e16 };

test("heartbeats that stand for no sample are put away as all frames are, and take no time", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-heartbeats-"));
  const file = join(folder, "store.db");
  const kept = new KeptStore(file);
  const device = new ScriptedDevice({ seed: 5 });
  const count = (sql: string): number => {
    const database = new DatabaseSync(file, { readOnly: true });
    const found = Number(Object.values(database.prepare(sql).get() ?? {})[0]);
    database.close();
    return found;
  };
  const beat = async (frames: number) => {
    for (let i = 0; i < frames; i++) kept.receive(device, device.heartbeat(0));
    await kept.commit();
  };
  try {
    kept.birth(device);
    kept.receive(device, device.keyframe());
    await beat(9_000);
    // No more than one stretch has, however long a device says nothing else.
    expect(count("SELECT count(*) FROM frames")).toBeLessThan(4_000);
    expect(count("SELECT count(*) FROM stretches WHERE samples = 0")).toBeGreaterThan(0);
    await kept.restart();
    // A clock that is set forward: no stretch without samples reaches over to its time.
    await beat(9_000);
    device.setClock(device.timeUs + 60_000_000);
    kept.receive(device, device.keyframe());
    for (let i = 0; i < 30; i++) kept.receive(device, device.residual());
    await kept.commit();
    await kept.restart();
    kept.receive(device, device.residual());
    await kept.commit();

    const history = await openHistory(file);
    const times = kept.truth.map(({ timeUs }) => timeUs);
    expect([...history.rows("unit", EVER)].flatMap(({ timesUs }) => [...timesUs])).toEqual(times);
    expect(history.span("unit")).toEqual({ fromUs: Math.min(...times), toUs: Math.max(...times) + 10_000 });
    const { samples } = history.buckets("unit", EVER, 200);
    expect(samples.reduce((sum, n) => sum + n, 0)).toBe(times.length);
    expect(history.runs("unit", EVER)).toEqual([]);
    history.close();

    await kept.store.retain({ closedBeforeUs: kept.clock.unixUs() + 1 });
    expect(count("SELECT count(*) FROM frames")).toBeLessThan(100);
    expect(count("SELECT count(*) FROM stretches")).toBe(0);
  } finally {
    await kept.close();
    rmSync(folder, { recursive: true });
  }
});
