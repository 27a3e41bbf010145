import { expect, test, vi } from "vitest";
import { SILENT_LOGGER } from "../logger.ts";
import { CloudNode } from "../node.ts";
import { SeededRandom, signal } from "../test-device.suite.ts";
import { ApiRig, closeRigsAfterEach } from "./api-rig.suite.ts";
import type { ApiEvent } from "./schemas/event-schema.ts";
import type { FleetPage } from "./schemas/fleet-schema.ts";
import type { BucketsAnswer } from "./schemas/history-schema.ts";

closeRigsAfterEach();

const LIMIT_MS = 20_000;
const ROWS = Array.from({ length: 100 }, (_, n) => signal(new SeededRandom(n), n));

test("a device that goes is offline at once, its alert opens after two silences, and it says how long its ring lasts", async () => {
  const rig = await ApiRig.open();
  const device = await rig.device("rotor", ROWS, { silenceMs: 200, frameSamples: 10 });
  await device.close();
  const page = () => rig.json<FleetPage>("/devices");
  await vi.waitFor(async () => expect((await page()).rows[0]?.state).toBe("offline"), LIMIT_MS);
  expect((await page()).summary).toMatchObject({ devices: 1, needAction: 1, live: 0 });
  await vi.waitFor(async () => expect((await page()).rows[0]?.alerts).toMatchObject([{ kind: "offline" }]), LIMIT_MS);
  const [row] = (await page()).rows;
  expect(row?.ringFullInS).toBeGreaterThan(0);
  const { events } = await rig.json<{ events: ApiEvent[] }>("/events?device=rotor");
  expect(events.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["born", "offline", "alert"]));
  expect(events.find(({ kind }) => kind === "alert")).toMatchObject({ alert: "offline", isOpen: true, level: "bad" });
});

test("readings that are missing, and values that are clipped, are runs of their channel alone", async () => {
  const rig = await ApiRig.open();
  const rows = ROWS.map(([x = 0, y = 0], n) => [n >= 40 && n < 50 ? Number.NaN : x, n >= 60 && n < 65 ? 1e12 : y]);
  await rig.device("rotor", rows);
  const { runs, span, widthUs } = await rig.json<BucketsAnswer>("/devices/rotor/history?buckets=200");
  const at = (n: number) => (span?.fromUs ?? 0) + 10_000 * n;
  expect(runs.map(({ kind, channel }) => [kind, channel])).toEqual([
    ["invalid", "x"],
    ["saturated", "y"],
  ]);
  // To the bucket, whose edges are not the samples'.
  for (const [i, [from, to]] of (
    [
      [40, 50],
      [60, 65],
    ] as const
  ).entries()) {
    const { fromUs = 0, toUs = 0 } = runs[i] ?? {};
    expect(fromUs).toBeLessThanOrEqual(at(from));
    expect(fromUs).toBeGreaterThan(at(from) - (widthUs ?? 0));
    expect(toUs).toBeGreaterThanOrEqual(at(to - 1));
    expect(toUs).toBeLessThan(at(to) + (widthUs ?? 0));
  }
  const some = await rig.json<BucketsAnswer>("/devices/rotor/history?buckets=200&channels=y");
  expect(some.runs.map(({ channel }) => channel)).toEqual(["y"]);
  const { channels } = await rig.json<BucketsAnswer>("/devices/rotor/history?buckets=200");
  expect(channels[0]?.first.filter((value) => value !== null)).toHaveLength(90);
});

test("a table row carries the last five minutes of the first channel, by the cloud's clock", async () => {
  const rig = await ApiRig.open();
  await rig.device("rotor", ROWS);
  await vi.waitFor(async () => {
    const [row] = (await rig.json<FleetPage>("/devices")).rows;
    const { t0Us, widthUs, min, max } = row?.recent ?? { t0Us: 0, widthUs: 0, min: [], max: [] };
    expect([widthUs, min.length, max.length, t0Us % widthUs]).toEqual([5_000_000, 60, 60, 0]);
    const xs = ROWS.map(([x = 0]) => x);
    const known = (column: readonly (number | null)[]) => column.filter((value) => value !== null);
    expect(Math.abs(Math.max(...known(max)) - Math.max(...xs))).toBeLessThan(0.06);
    expect(Math.abs(Math.min(...known(min)) - Math.min(...xs))).toBeLessThan(0.06);
  }, LIMIT_MS);
});

test("a node that cannot write is alive and not ready, and the table says why", async () => {
  const rig = await ApiRig.open();
  expect((await rig.get("/readyz")).status).toBe(200);
  expect(await rig.node.health()).toEqual({ store: null, broker: null });
  const full = await CloudNode.openWith(
    { storeFile: `${rig.folder}/full.db`, broker: null, logger: SILENT_LOGGER, clock: rig.clock },
    { maxPages: 12 },
  );
  const other = await rig.beside(full);
  void other.device("unit", ROWS.concat(ROWS, ROWS, ROWS)).catch(() => undefined);
  await vi.waitFor(async () => {
    const response = await other.get("/readyz");
    expect([response.status, await response.json()]).toEqual([
      503,
      expect.objectContaining({ code: "not-ready", detail: expect.stringContaining("no room") }),
    ]);
  }, LIMIT_MS);
  expect((await other.get("/healthz")).status).toBe(200);
}, 60_000);
