import { Validator } from "@seriousme/openapi-schema-validator";
import type { TSchema } from "typebox";
import { Value } from "typebox/value";
import { expect, test, vi } from "vitest";
import { EPS, SeededRandom, signal } from "../test-device.suite.ts";
import { ApiRig, closeRigsAfterEach } from "./api-rig.suite.ts";
import { DeviceSchema, ModulesSchema, TrafficSchema, TwinSchema } from "./schemas/device-schema.ts";
import { EventPageSchema } from "./schemas/event-schema.ts";
import { type FleetPage, FleetPageSchema } from "./schemas/fleet-schema.ts";
import {
  type BucketsAnswer,
  BucketsSchema,
  GapsSchema,
  type RowsAnswer,
  RowsSchema,
} from "./schemas/history-schema.ts";
import { SessionSchema } from "./schemas/session-schema.ts";
import { TruthBucketsSchema, TruthRowsSchema } from "./schemas/truth-schema.ts";
import { DeviceUpdateSchema, UpdatesSchema } from "./schemas/update-schema.ts";

closeRigsAfterEach();

/** Tested beside their own: streams, what needs a package, and what needs a queue. */
const ELSEWHERE = [
  ...["/stream", "/updates/check", "/updates/{update}", "/updates/{update}/stream"],
  ...["/jobs", "/jobs/{job}", "/jobs/{job}/log", "/jobs/{job}/cancel", "/jobs/{job}/retry", "/blobs/{sha256}"],
];
const ROWS = Array.from({ length: 400 }, (_, n) => signal(new SeededRandom(n), n));

test("every answer is what its own schema says, and the description of the API is valid", async () => {
  const known = { fromUs: 0, toUs: Number.MAX_SAFE_INTEGER };
  const summary = { maxErrorOverEps: Number.NaN, compared: 0, beyondEps: 0 };
  const truth = { ...summary, channels: ["x", "y"], known, rowAt: () => Float64Array.of(0, 0) };
  const rig = await ApiRig.open({ truthOf: () => truth });
  await rig.device("rotor", ROWS);
  const answers: readonly (readonly [string, TSchema])[] = [
    ["/devices", FleetPageSchema],
    ["/devices/rotor", DeviceSchema],
    ["/devices/rotor/twin", TwinSchema],
    ["/devices/rotor/traffic", TrafficSchema],
    ["/devices/rotor/traffic?from=0", TrafficSchema],
    ["/devices/rotor/traffic?from=0&to=1", TrafficSchema],
    ["/devices/rotor/gaps", GapsSchema],
    ["/devices/rotor/gaps?limit=1&cursor=.0", GapsSchema],
    ["/devices/rotor/gaps?from=2020-01-01&to=2200-01-01", GapsSchema],
    ["/devices/rotor/history", BucketsSchema],
    ["/devices/rotor/history?rate=full", RowsSchema],
    ["/devices/rotor/history?from=0&to=1", BucketsSchema],
    ["/devices/rotor/history?rate=full&from=0&to=1", RowsSchema],
    ["/devices/rotor/truth", TruthBucketsSchema],
    ["/devices/rotor/truth?rate=full", TruthRowsSchema],
    ["/modules", ModulesSchema],
    ["/events", EventPageSchema],
    ["/updates", UpdatesSchema],
    ["/session", SessionSchema],
    ["/devices/rotor/update", DeviceUpdateSchema],
  ];
  for (const [path, schema] of answers) {
    const body = await rig.json(path);
    expect([...Value.Errors(schema, body)], path).toEqual([]);
  }
  const description = await rig.json<{ paths: Record<string, unknown> }>("/openapi.json");
  expect(await new Validator().validate(description)).toMatchObject({ valid: true });
  const described = Object.keys(description.paths).map((path) => path.replace("/api/v1", "").replace("{id}", "rotor"));
  const asked = answers.map(([path]) => path.replace(/\?.*/, ""));
  expect([...described].sort()).toEqual([...new Set([...asked, ...ELSEWHERE])].sort());
});

interface TwinChannel {
  readonly name: string;
  readonly state: string;
  readonly value: number;
  readonly bound: number | null;
  readonly confirmed: { readonly value: number };
}

test("a twin's confirmed values are within eps of what its device saw; what it expects since has no bound", async () => {
  const rig = await ApiRig.open();
  await rig.device("rotor", ROWS);
  const states = new Set<string>();
  await vi.waitFor(async () => {
    const { channels } = await rig.json<{ channels: TwinChannel[] }>("/devices/rotor/twin");
    expect(channels.map(({ name }) => name)).toEqual(["x", "y"]);
    for (const [c, { state, value, bound, confirmed }] of channels.entries()) {
      expect(Math.abs(confirmed.value - (ROWS.at(-1)?.[c] ?? Number.NaN))).toBeLessThanOrEqual(EPS);
      expect(bound).toBe(state === "confirmed" ? EPS : null);
      if (state === "confirmed") expect(value).toBe(confirmed.value);
      states.add(state);
    }
    // A sample's time after the last one, the twin runs ahead.
    expect(states).toContain("extrapolated");
  }, 20_000);
});

test("answers are compressed for those who take it, and the same for those who do not", async () => {
  const rig = await ApiRig.open();
  await rig.device("rotor", ROWS);
  const path = "/api/v1/devices/rotor/history?buckets=400&from=0&to=2200-01-01";
  const encodings = ["gzip", "br, gzip;q=0.5", "identity", "gzip;q=0", "br"];
  const answers = await Promise.all(
    encodings.map((encoding) => rig.get(path, { headers: { "accept-encoding": encoding } })),
  );
  expect(answers.map(({ headers }) => headers.get("content-encoding"))).toEqual(["gzip", "gzip", null, null, null]);
  const texts = await Promise.all(answers.map((answer) => answer.text()));
  expect(new Set(texts).size).toBe(1);
  const sizes = answers.map(({ headers }) => Number(headers.get("content-length")));
  expect(sizes[0]).toBeLessThan((sizes[2] ?? 0) / 2);
  const page = await rig.get("/", { headers: { "accept-encoding": "gzip" } });
  expect([page.headers.get("content-encoding"), page.headers.get("cache-control")]).toEqual(["gzip", "no-cache"]);
  expect(await page.text()).toMatch(/^<!doctype html>/i);
});

test("history at full rate is every sample within eps, in each format alike", async () => {
  const rig = await ApiRig.open();
  await rig.device("rotor", ROWS);
  const { channels, timesUs } = await rig.json<RowsAnswer>("/devices/rotor/history?rate=full");
  expect(timesUs).toHaveLength(ROWS.length);
  for (const [c, { values }] of channels.entries()) {
    values.forEach((value, n) => {
      expect(Math.abs((value ?? Number.NaN) - (ROWS[n]?.[c] ?? Number.NaN))).toBeLessThanOrEqual(EPS);
    });
  }
  const csv = await (await rig.get("/api/v1/devices/rotor/history?rate=full&format=csv")).text();
  const [head, ...lines] = csv.trimEnd().split("\n");
  expect(head).toBe("time_us,epoch,x,y,saturated,damaged_to_us");
  const cells = lines.map((line) => line.split(",").slice(0, 4).map(Number));
  expect(cells).toEqual(timesUs.map((time, n) => [time, 1, channels[0]?.values[n], channels[1]?.values[n]]));
  const ndjson = await (await rig.get("/api/v1/devices/rotor/history?rate=full&format=ndjson&channels=y")).text();
  const objects = ndjson
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
  expect(objects.at(-1)).toEqual({ rows: ROWS.length });
  expect(objects.slice(1, -1)).toEqual(timesUs.map((time, n) => [time, 1, channels[1]?.values[n]]));
});

test("a bucket holds the extremes of its samples, between absolute edges", async () => {
  const rig = await ApiRig.open();
  await rig.device("rotor", ROWS);
  const { channels, timesUs } = await rig.json<RowsAnswer>("/devices/rotor/history?rate=full&channels=x");
  const answer = await rig.json<BucketsAnswer>("/devices/rotor/history?buckets=20&channels=x");
  const { t0Us, widthUs, count } = answer;
  expect(count).toBeLessThanOrEqual(20);
  expect(Math.log2((widthUs ?? 0) / 10_000) % 1).toBe(0);
  expect(t0Us % (widthUs ?? 0)).toBe(0);
  for (let bucket = 0; bucket < count; bucket++) {
    const from = t0Us + bucket * (widthUs ?? 0);
    const inside = (channels[0]?.values ?? []).filter((_, n) => {
      const time = timesUs[n] ?? 0;
      return time >= from && time < from + (widthUs ?? 0);
    }) as number[];
    const column = answer.channels[0];
    const extremes = [column?.first[bucket], column?.second[bucket]] as number[];
    // The stretch ends a period after its last sample, which may be in a bucket of its own.
    if (inside.length === 0) {
      expect([bucket, ...extremes]).toEqual([count - 1, null, null]);
      continue;
    }
    // For drawing they are rounded: to a tenth of eps here, and by less than an eighth where they are stored.
    const isNear = (wanted: number) => (value: number) => Math.abs(value - wanted) <= EPS / 4;
    expect(isNear(Math.min(...inside))(Math.min(...extremes))).toBe(true);
    expect(isNear(Math.max(...inside))(Math.max(...extremes))).toBe(true);
    const [first = 0, second = 0] = extremes;
    expect(inside.findIndex(isNear(first))).toBeLessThanOrEqual(inside.findLastIndex(isNear(second)));
  }
});

test("a range is half open: two neighbours have every sample once", async () => {
  const rig = await ApiRig.open();
  await rig.device("rotor", ROWS);
  const all = await rig.json<RowsAnswer>("/devices/rotor/history?rate=full");
  const cut = all.timesUs[137] ?? 0;
  const path = `/devices/rotor/history?rate=full&from=${all.timesUs[0]}`;
  const before = await rig.json<RowsAnswer>(`${path}&to=${cut}`);
  const after = await rig.json<RowsAnswer>(`/devices/rotor/history?rate=full&from=${cut}`);
  expect(before.timesUs).toHaveLength(137);
  expect([...before.timesUs, ...after.timesUs]).toEqual(all.timesUs);
  const iso = new Date(Math.ceil(cut / 1000)).toISOString();
  const since = await rig.json<RowsAnswer>(`/devices/rotor/history?rate=full&from=${iso}`);
  expect(since.timesUs).toEqual(all.timesUs.filter((time) => time >= Date.parse(iso) * 1000));
});

test("the table is searched, filtered, sorted and cut into pages by the server", async () => {
  const rig = await ApiRig.open();
  for (const name of ["b-2", "a-1", "b-1", "c-1"]) await rig.device(name, ROWS.slice(0, 20));
  const ids = async (query: string) => (await rig.json<FleetPage>(`/devices?${query}`)).rows.map(({ id }) => id);
  // The table is looked at once a second.
  await vi.waitFor(async () => expect(await ids("")).toEqual(["a-1", "b-1", "b-2", "c-1"]), 20_000);
  expect(await ids("sort=name&order=desc")).toEqual(["c-1", "b-2", "b-1", "a-1"]);
  expect(await ids("search=B-")).toEqual(["b-1", "b-2"]);
  expect(await ids("rows=3&page=1")).toEqual(["c-1"]);
  expect(await ids("state=fault,offline")).toEqual([]);
  const { summary, matched, pages } = await rig.json<FleetPage>("/devices?search=b-&rows=1");
  expect({ devices: summary.devices, matched, pages }).toEqual({ devices: 4, matched: 2, pages: 2 });
});

test("bytes are told by layer, and each layer's raw bytes carry the same overhead", async () => {
  const rig = await ApiRig.open();
  await rig.device("rotor", ROWS);
  const traffic =
    await rig.json<Record<"payload" | "frame" | "ip", { bytes: number; rawBytes: number; ratio: number }>>(
      "/devices/rotor/traffic",
    );
  const raw = 4 * 2 * ROWS.length;
  expect(traffic.payload.rawBytes).toBe(raw);
  expect(traffic.frame.rawBytes).toBe(raw + traffic.frame.bytes - traffic.payload.bytes);
  expect(traffic.frame.ratio).toBeCloseTo(traffic.frame.rawBytes / traffic.frame.bytes, 9);
  // A loopback has no packets.
  expect(traffic).toMatchObject({ ip: { bytes: 0, ratio: null }, isIpCounted: false });
});
