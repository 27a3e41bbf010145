import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SeededRandom } from "../test-device.suite.ts";
import { openHistory } from "./history.ts";
import { KeptStore } from "./kept-store.suite.ts";
import { ScriptedDevice } from "./scripted-device.suite.ts";

const PERIOD_US = 10_000;

test("beside a range is where the samples before it end and the next one begins, whatever was lost or restarted", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-nearest-"));
  const file = join(folder, "store.db");
  const kept = new KeptStore(file);
  try {
    const boots = [1, 2].map((epoch) => new ScriptedDevice({ seed: epoch, epoch }));
    const pauses: { readonly fromUs: number; readonly toUs: number }[] = [];
    let device = boots[0] as ScriptedDevice;
    for (const [i, boot] of boots.entries()) {
      if (i > 0) boot.setClock(device.timeUs + 500_000_000);
      device = boot;
      kept.birth(device);
      for (let frame = 0; frame < 400; frame++) {
        if (frame % 97 === 60) {
          const fromUs = device.timeUs;
          device.setClock(fromUs + 30_000_000);
          pauses.push({ fromUs, toUs: device.timeUs });
        }
        kept.receive(device, frame % 97 === 60 || frame % 40 === 0 ? device.keyframe() : device.residual());
        if (frame % 100 === 99) await kept.commit();
      }
    }
    await kept.commit();
    const history = await openHistory(file);
    const times = kept.truth.map(({ timeUs }) => timeUs);
    const ends = [0, Math.min(...times), Math.max(...times), 1e16];
    const edges = [...ends, ...pauses.flatMap(({ fromUs, toUs }) => [fromUs, fromUs + 1, (fromUs + toUs) / 2, toUs])];
    const random = new SeededRandom(3);
    for (let i = 0; i < 20; i++) edges.push(times[random.below(times.length)] ?? 0);
    for (const at of edges) {
      const before = Math.max(...times.filter((time) => time < at).map((time) => Math.min(time + PERIOD_US, at)));
      const after = Math.min(...times.filter((time) => time >= at + 5));
      const wanted = [before, after].map((time) => (Number.isFinite(time) ? time : null));
      const { beforeUs, afterUs } = history.nearest("unit", { fromUs: at, toUs: at + 5 });
      expect([beforeUs, afterUs], String(at)).toEqual(wanted);
    }
    expect(pauses.length).toBeGreaterThan(5);
    expect(() => history.nearest("unit", { fromUs: 2, toUs: 1 })).toThrow("earlier one first");
    history.close();
  } finally {
    await kept.close();
    rmSync(folder, { recursive: true });
  }
});
