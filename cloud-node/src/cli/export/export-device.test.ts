import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { openHistory } from "../../history/history.ts";
import { KeptStore } from "../../history/kept-store.suite.ts";
import { ScriptedDevice } from "../../history/scripted-device.suite.ts";
import { ManualClock } from "../../manual-clock.suite.ts";
import { ProgressLine } from "../progress-line.ts";
import { exportDevice } from "./export-device.ts";

test("an export says what of the store can no longer be read, and has all the rest", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-export-device-"));
  const file = join(folder, "store.db");
  const kept = new KeptStore(file);
  const device = new ScriptedDevice({ seed: 5 });
  kept.birth(device);
  for (let i = 0; i < 200; i++) kept.receive(device, i % 20 === 0 ? device.keyframe() : device.residual());
  await kept.commit();
  await kept.close();
  const database = new DatabaseSync(file);
  const second = "(SELECT id FROM stretches WHERE tier = 0 ORDER BY from_seq LIMIT 1 OFFSET 1)";
  const times = database.prepare(`SELECT from_us AS fromUs, to_us AS toUs FROM stretches WHERE id = ${second}`).get();
  database.exec(`UPDATE packs SET frames = x'80808080808080' WHERE stretch = ${second}`);
  database.close();
  const history = await openHistory(file);
  const stream = new PassThrough();
  let text = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  const { rows, damaged } = await exportDevice({
    ...{ history, device: "unit", range: { fromUs: 0, toUs: 1e16 }, channels: [], buckets: undefined },
    ...{ format: "csv", stream, signal: new AbortController().signal },
    progress: new ProgressLine(new PassThrough(), new ManualClock(), "export"),
  });
  expect(damaged).toEqual([{ ...times }]);
  const isLost = (timeUs: number) => damaged.some(({ fromUs, toUs }) => timeUs >= fromUs && timeUs < toUs);
  const told = text
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => Number(line.split(",")[0]));
  expect(told).toEqual(kept.truth.map(({ timeUs }) => timeUs).filter((timeUs) => !isLost(timeUs)));
  expect(rows).toBe(told.length);
  history.close();
  rmSync(folder, { recursive: true });
});
