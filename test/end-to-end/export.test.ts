import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { DuckDBInstance } from "@duckdb/node-api";
import { CloudNode, SILENT_LOGGER } from "@lockstep/cloud-node";
import { compileDeviceModule, DeviceSession, Loopback, planChannel, systemClock } from "@lockstep/edge-sdk";
import { seededRandom } from "@lockstep/sim";
import { parse } from "csv-parse/sync";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { DEFAULT_PARSERS } from "hyparquet/src/convert.js";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { runLockstep } from "./lockstep-process.ts";

const LIMIT_MS = 120_000;
const EPS = 0.05;
const PERIOD_NS = 10_000_000;
/** Of the first device: more than one group of rows in a Parquet file. */
const ROWS = 150_000;
const PORTION = 5_000;
const module = compileDeviceModule(readFileSync(new URL(import.meta.resolve("@lockstep/edge-sdk/device.wasm"))));
/** Readings that the sensor did not give, and one that is out of range. */
const MISSING = 777;
const CLIPPED = 888;

let folder = "";
let store = "";
let node: CloudNode;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-export-"));
  store = join(folder, "store.db");
  node = await CloudNode.open({ storeFile: store, broker: null, logger: SILENT_LOGGER, clock: systemClock() });
  await record("rotor-1", ROWS);
  await record("rotor-2", 1_000);
  await record("imu-1", 1_000);
}, LIMIT_MS);

afterAll(async () => {
  await node.close();
  rmSync(folder, { recursive: true });
});

function truth(n: number, channel: number): number {
  if (n === MISSING && channel === 0) return Number.NaN;
  if (n === CLIPPED && channel === 1) return 1e12;
  return 3 * Math.sin(n / (50 + 11 * channel)) + 0.2 * Math.sin(n * (channel + 2));
}

async function record(device: string, rows: number): Promise<void> {
  const loopback = new Loopback();
  node.attach(loopback);
  const session = await DeviceSession.open({
    ...{ device, transport: loopback.transport, module, random: seededRandom(rows), clock: systemClock() },
    channels: ["x", "y"].map((name) => planChannel({ name, unit: "g", eps: EPS, min: -16, max: 16 })),
    ...{ frameSamples: 500, periodNs: PERIOD_NS, silenceMs: 5_000 },
  });
  for (let n = 0; n < rows; n++) {
    session.push([truth(n, 0), truth(n, 1)]);
    if ((n + 1) % PORTION !== 0 && n !== rows - 1) continue;
    session.flush();
    if (!(await session.drained(LIMIT_MS))) throw new RangeError("the device was not confirmed in time");
  }
  await session.close();
}

interface ExportedRow {
  readonly timeUs: number;
  readonly x: number | null;
  readonly y: number | null;
  readonly saturated: string | null;
}

/** Compare rows with what was measured, from sample `first` on. */
function expectTruth(rows: readonly ExportedRow[], first = 0): void {
  const wrong = rows.findIndex(({ x, y, saturated, timeUs }, i) => {
    const n = first + i;
    const isInTime = timeUs - (rows[0]?.timeUs ?? 0) === 10_000 * i;
    const isFlagged = saturated === (n === CLIPPED ? "y" : null);
    const isBound = [x, y].every((value, c) => {
      if (n === CLIPPED && c === 1) return true;
      const wanted = truth(n, c);
      return Number.isNaN(wanted) ? value === null : value !== null && Math.abs(value - wanted) <= EPS;
    });
    return !isInTime || !isFlagged || !isBound;
  });
  expect([wrong, rows[wrong]]).toEqual([-1, undefined]);
}

async function readParquet(path: string): Promise<ExportedRow[]> {
  const file = await asyncBufferFromFile(path);
  const compressors = { ZSTD: (bytes: Uint8Array) => new Uint8Array(zstdDecompressSync(bytes)) };
  const parsers = { ...DEFAULT_PARSERS, timestampFromMicroseconds: (us: bigint) => Number(us) };
  const rows = await parquetReadObjects({ file, compressors, parsers });
  return rows.map(({ time_us: time, x, y, saturated }) => ({
    timeUs: time,
    x,
    y,
    saturated,
  }));
}

async function query(sql: string): Promise<readonly Record<string, unknown>[]> {
  const connection = await (await DuckDBInstance.create()).connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowObjects();
  } finally {
    connection.closeSync();
  }
}

function readCsv(text: string): ExportedRow[] {
  const rows: Record<string, string>[] = parse(text, { columns: true });
  const numberIn = (cell: string | undefined) => (cell === undefined || cell === "" ? null : Number(cell));
  return rows.map(({ time_us, x, y, saturated = "" }) => ({
    ...{ timeUs: Number(time_us), x: numberIn(x), y: numberIn(y) },
    saturated: saturated === "" ? null : saturated,
  }));
}

test(
  "Parquet holds every sample within eps, for two readers that know nothing of each other, while a node runs",
  async () => {
    const file = join(folder, "rotor.parquet");
    const { code, stdout, stderr } = await runLockstep(
      "export",
      "--store",
      store,
      "--device",
      "rotor-1",
      "--out",
      file,
      "--json",
    );
    expect([code, stderr]).toEqual([0, ""]);
    const summary = JSON.parse(stdout) as { files: { rows: number; bytes: number }[] };
    expect(summary).toMatchObject({ format: "parquet", files: [{ device: "rotor-1", rows: ROWS, channels: 2 }] });
    expect(summary.files[0]?.bytes).toBe(readFileSync(file).length);
    const rows = await readParquet(file);
    expect(rows).toHaveLength(ROWS);
    expectTruth(rows);
    const metadata = await parquetMetadataAsync(await asyncBufferFromFile(file));
    expect(metadata.row_groups.length).toBe(Math.ceil(ROWS / 65_536));
    const facts = Object.fromEntries((metadata.key_value_metadata ?? []).map(({ key, value }) => [key, value]));
    expect(JSON.parse(facts["lockstep.channels"] ?? "")).toMatchObject([
      { name: "x", unit: "g", eps: EPS },
      { name: "y" },
    ]);
    const duck = await query(`SELECT epoch_us(time_us) AS time, x, y, saturated FROM '${file}' ORDER BY time_us`);
    expect(duck).toHaveLength(ROWS);
    const other = duck.findIndex((row, n) => {
      const { timeUs, x, y, saturated } = rows[n] ?? {};
      return Number(row.time) !== timeUs || row.x !== x || row.y !== y || row.saturated !== saturated;
    });
    expect(other).toBe(-1);
  },
  LIMIT_MS,
);

test(
  "CSV on standard output is the same table, and a range is a part of it",
  async () => {
    const whole = readCsv((await runLockstep("export", "--store", store, "--device", "rotor-2")).stdout);
    expect(whole).toHaveLength(1_000);
    expectTruth(whole);
    const [from, to] = [whole[200]?.timeUs ?? 0, whole[950]?.timeUs ?? 0];
    const range = ["--from", String(from), "--to", String(to), "--format", "csv"];
    const part = readCsv((await runLockstep("export", "--store", store, "--device", "rotor-2", ...range)).stdout);
    expect(part).toEqual(whole.slice(200, 950));
    expectTruth(part, 200);
  },
  LIMIT_MS,
);

test(
  "several devices go into a folder, one file each, named by patterns",
  async () => {
    const out = join(folder, "many");
    mkdirSync(out);
    const { code, stdout } = await runLockstep(
      ...["export", "--store", store, "--device", "rotor-*", "--device", "imu-1", "--buckets", "50"],
      ...["--channels", "y", "--format", "parquet", "--out", out],
    );
    expect(code).toBe(0);
    expect(stdout.trim().split("\n")).toHaveLength(3);
    expect(readdirSync(out).sort()).toEqual(["imu-1.parquet", "rotor-1.parquet", "rotor-2.parquet"]);
    const [row] = await query(
      `SELECT count(*) AS n, min(y_first) AS low, max(y_second) AS high FROM '${out}/imu-1.parquet'`,
    );
    expect(Number(row?.n)).toBeGreaterThan(25);
    expect(Number(row?.n)).toBeLessThanOrEqual(50);
    expect(Number(row?.low)).toBeLessThan(-2.5);
  },
  LIMIT_MS,
);

test(
  "the folder of several is made where it is missing, also for a pattern that only one device has",
  async () => {
    for (const [pattern, files] of [
      ["*-1", ["imu-1.csv", "rotor-1.csv"]],
      ["imu-*", ["imu-1.csv"]],
    ] as const) {
      const out = join(folder, `new-${files.length}`);
      const args = ["--device", pattern, "--buckets", "10", "--format", "csv"];
      const { code, stderr } = await runLockstep("export", "--store", store, ...args, "--out", out);
      expect([code, stderr]).toEqual([0, ""]);
      expect(readdirSync(out).sort()).toEqual(files);
      const deep = await runLockstep("export", "--store", store, ...args, "--out", join(folder, "no", "such"));
      expect([deep.code, deep.stderr]).toEqual([1, expect.stringContaining("give one that is there")]);
    }
  },
  LIMIT_MS,
);

test(
  "Ctrl-C leaves nothing half-written, and the file of before as it was",
  async () => {
    const out = join(folder, "stopped");
    mkdirSync(out);
    const file = join(out, "rotor.csv");
    writeFileSync(file, "before");
    vi.stubEnv("NODE_OPTIONS", `--import=${new URL("interrupt-at-output.ts", import.meta.url)}`);
    onTestFinished(() => void vi.unstubAllEnvs());
    const { code, stderr } = await runLockstep("export", "--store", store, "--device", "rotor-1", "--out", file);
    expect([code, stderr]).toEqual([1, expect.stringContaining("nothing was written")]);
    expect(readdirSync(out)).toEqual(["rotor.csv"]);
    expect(readFileSync(file, "utf8")).toBe("before");
  },
  LIMIT_MS,
);

test.each([
  [["--device", "nobody"], 1, "rotor-1, rotor-2, imu-1"],
  [[], 2, "--all"],
  [["--all"], 2, "folder"],
  [["--all", "--device", "imu-1"], 2, "leave out"],
  [["--device", "imu-1", "--format", "parquet"], 2, "--out FILE"],
  [["--device", "imu-1", "--json"], 2, "--out FILE"],
  [["--device", "imu-1", "--out", "OUT/x.dat"], 2, "--format"],
  [["--device", "imu-1", "--out", "OUT/no/x.csv"], 1, "no folder"],
  [["--device", "imu-1", "--from", "5", "--to", "2"], 2, "swap"],
  [["--device", "imu-1", "--from", "yesterday"], 2, "2026-05-01T12:00:00Z"],
  [["--device", "imu-1", "--buckets", "0"], 2, "≥ 1"],
  [["--device", "imu-1", "--channels", "z"], 2, "x, y"],
  [["--device", "imu-1", "--format", "xml"], 2, "parquet"],
])("wrong usage says what to do: %j", async (args, code, hint) => {
  const placed = args.map((arg) => arg.replace("OUT", folder));
  const ended = await runLockstep("export", "--store", store, ...placed);
  expect([ended.code, ended.stdout]).toEqual([code, ""]);
  expect(ended.stderr).toContain(hint);
  expect(ended.stderr.trim().split("\n")).toHaveLength(1);
});

test("a range with nothing in it gives the head of a table, and says so", async () => {
  const args = ["export", "--store", store, "--device", "imu-1", "--from", "2200-01-01"];
  expect(await runLockstep(...args)).toMatchObject({
    ...{ code: 0, stdout: "time_us,epoch,x,y,saturated\n", stderr: "imu-1: no samples in this range\n" },
  });
  const file = join(folder, "empty.parquet");
  expect((await runLockstep(...args, "--out", file)).code).toBe(0);
  expect(await readParquet(file)).toEqual([]);
  expect(await query(`SELECT * FROM '${file}'`)).toEqual([]);
});
