import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { SeededRandom } from "../test-device.suite.ts";
import { openHistory } from "./history.ts";

const EVER = { fromUs: 0, toUs: 1e16 };
const KILLS = 4;
const BUCKETS = 100;
/** Of the first channel, for buckets of 64 periods and more. */
const RASTER = 64;
const WIDE_US = 640_000;

test("whenever the node is killed, levels say what the frames say, and every stretch is whole", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-kill-"));
  const file = join(folder, "store.db");
  const random = new SeededRandom(11);
  try {
    for (let epoch = 1; epoch <= KILLS; epoch++) {
      const script = fileURLToPath(new URL("./kill-writer.suite.ts", import.meta.url));
      const child = spawn(process.execPath, [script, file, "21", String(epoch)], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await once(child.stdout, "data");
      await new Promise((resolve) => setTimeout(resolve, random.below(1_500)));
      child.kill("SIGKILL");
      await once(child, "exit");
      await expectWhole(file, epoch);
    }
    const database = new DatabaseSync(file, { readOnly: true });
    const count = (table: string) => Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n);
    expect(count("stretches WHERE tier = 0")).toBeGreaterThan(10);
    // A frame is loose or packed, never both.
    const both = "frames JOIN stretches USING (device, epoch) WHERE tier = 0 AND seq BETWEEN from_seq AND through_seq";
    expect(count(both)).toBe(0);
    expect(count("packs")).toBe(count("stretches WHERE tier = 0"));
    database.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** Buckets as the levels tell them are those of the rows as decoded from the frames. */
async function expectWhole(file: string, epochs: number): Promise<void> {
  const history = await openHistory(file);
  const { widthUs, samples, count, channels, fromUs } = history.buckets("unit", EVER, BUCKETS);
  expect(new Set(history.epochs("unit").map(({ epoch }) => epoch)).size).toBe(epochs);
  const truth = new Uint32Array(count);
  const low = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  const first = Math.round(fromUs / widthUs);
  for (const { timesUs, values, statuses, channels: n } of history.rows("unit", EVER)) {
    for (const [row, timeUs] of timesUs.entries()) {
      const bucket = Math.floor(timeUs / widthUs) - first;
      truth[bucket] = (truth[bucket] ?? 0) + 1;
      if (statuses[row * n] !== 1) low[bucket] = Math.min(low[bucket] ?? 0, values[row * n] ?? 0);
    }
  }
  expect([...samples]).toEqual([...truth]);
  const raster = widthUs >= WIDE_US ? RASTER : 1;
  for (let i = 0; i < count; i++) {
    const told = Math.min(channels[0]?.first[i] ?? 0, channels[0]?.second[i] ?? 0);
    if (!Number.isNaN(told)) expect(told).toBe(Math.floor((low[i] ?? 0) / raster) * raster);
  }
  history.close();
}
