import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openHistory } from "./history.ts";
import { KeptStore } from "./kept-store.suite.ts";
import { ScriptedDevice } from "./scripted-device.suite.ts";

const RETAINED_ROUND = 25;
const EVER = { fromUs: 0, toUs: 1e16 };

test("a history that is read while frames come in, move into packs and expire is at every moment a whole one", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-history-"));
  const file = join(folder, "store.db");
  const kept = new KeptStore(file);
  const device = new ScriptedDevice({ seed: 6, channels: 2, frameSamples: 20 });
  kept.birth(device);
  kept.receive(device, device.keyframe());
  await kept.commit();
  const history = await openHistory(file);
  const packs = new Set<number>();
  try {
    let retained: Promise<unknown> = Promise.resolve();
    let isExpiring = false;
    for (let round = 0; round < 40; round++) {
      for (let i = 0; i < 10; i++) kept.receive(device, i === 0 ? device.keyframe() : device.residual());
      const committed = kept.commit();
      if (round === RETAINED_ROUND) {
        isExpiring = true;
        retained = kept.store.retain({ maxBytes: 60_000 }).then(() => {
          isExpiring = false;
        });
      }
      // Between two blocks the writer's thread goes on; the order of the reads varies with it, their answers must not.
      for (let look = 0; look < 3; look++) {
        const told = [...history.rows("unit", EVER)].flatMap(({ timesUs }) => [...timesUs]);
        const truth = kept.truth.map(({ timeUs }) => timeUs);
        const start = truth.indexOf(told[0] ?? Number.NaN);
        // What expires during a read is missing from its middle; each row is there once, and in its place.
        expect(told.every((timeUs, i) => i === 0 || timeUs > (told[i - 1] ?? 0))).toBe(true);
        if (!isExpiring && told.length > 0) expect(told).toEqual(truth.slice(start, start + told.length));
        if (round < RETAINED_ROUND) expect(Math.max(start, 0)).toBe(0);
        const { samples } = history.buckets("unit", EVER, 20);
        const counted = samples.reduce((sum, n) => sum + n, 0);
        if (round < RETAINED_ROUND) expect(counted).toBeGreaterThanOrEqual(told.length);
        expect(counted).toBeLessThanOrEqual(truth.length);
        expect(history.runs("unit", EVER).filter(({ kind }) => kind !== "expired")).toEqual([]);
        packs.add(told.length);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await committed;
    }
    await retained;
    expect(packs.size).toBeGreaterThan(10);
    expect(history.runs("unit", EVER)).toMatchObject([{ kind: "expired" }]);
  } finally {
    history.close();
    await kept.close();
    rmSync(folder, { recursive: true });
  }
});
