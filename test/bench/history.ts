import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type History, openHistory, type TimeRange } from "@lockstep/cloud-node";
import type { BenchGoal, BenchReport } from "./bench.ts";
import { BenchError } from "./bench-error.ts";
import type { ColdAnswer, ColdTask } from "./history-cold.ts";
import { DuckHistory } from "./history-duck.ts";
import {
  fillStore,
  HISTORY_CHANNELS,
  HISTORY_HZ,
  HISTORY_REL,
  HISTORY_START_US,
  historySource,
  measureStore,
  type StoreSizes,
} from "./history-store.ts";
import { median } from "./statistics.ts";

const HOUR_ROWS = 3600 * HISTORY_HZ;
const HOURS = 4;
const DEVICES = 2;
/** The newest hour, the end that is still open included. */
const HOUR_US = 3_600_000_000;
const HOUR: TimeRange = {
  fromUs: HISTORY_START_US + (HOURS - 1) * HOUR_US,
  toUs: HISTORY_START_US + HOURS * HOUR_US,
};
/** Frames are about 60 bytes long with so many samples. */
const FRAME_SAMPLES = 88;
const BUCKETS = 1_000;
const WARM_UP_RUNS = 3;
const RUNS = 11;
/** Minutes that are read by a process of its own each, spread over the hour. */
const COLD_MINUTES = [3, 14, 22, 37, 41, 48, 59];
const COLD_RUNS = 5;
const REPLAY_RUNS = 7;
const DEVICE = "imu-1";

interface Found {
  readonly sizes: StoreSizes;
  readonly parquetBytes: number;
  readonly widthUs: number;
  readonly count: number;
  /** Times of a query, ms, by who answered. */
  readonly times: ReadonlyMap<string, readonly number[]>;
  readonly cold: readonly number[];
  /** Values per second of processor time. */
  readonly replay: readonly number[];
}

const OURS = "Lockstep";
const DUCK = "DuckDB, min and max";
const DUCK_ORDERED = "DuckDB, with their order";
const DUCK_ONE = "DuckDB, min and max, one thread";

/**
 * History of an hour beside the same hour in DuckDB and Parquet: time to sum it up, time to read a minute after a restart,
 * and the bytes that the store takes.
 *
 * @throws {BenchError} `no-answer`; `not-the-same` when the two do not have the same hour
 */
export async function benchHistory(): Promise<BenchReport> {
  const folder = await mkdtemp(join(tmpdir(), "lockstep-bench-history-"));
  try {
    return report(await measure(folder));
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function measure(folder: string): Promise<Found> {
  const storeFile = join(folder, "node.db");
  const sources = new Map(
    Array.from({ length: DEVICES }, (_, i) => [`imu-${i + 1}`, historySource(i + 1, HOURS * HOUR_ROWS)] as const),
  );
  const source = sources.get(DEVICE) ?? historySource(1, HOURS * HOUR_ROWS);
  const hour = { ...source, values: source.values.subarray(-HOUR_ROWS * HISTORY_CHANNELS) };
  await fillStore(storeFile, sources, FRAME_SAMPLES);
  const sizes = await measureStore(storeFile);
  const duck = await DuckHistory.fill(join(folder, "duck.db"), HOUR.fromUs, hour);
  const history = await openHistory(storeFile);
  try {
    const cold: number[] = [];
    for (const minute of COLD_MINUTES) {
      const runs: number[] = [];
      for (let run = 0; run < COLD_RUNS; run++) runs.push(await readCold(storeFile, minute));
      cold.push(Math.min(...runs));
    }
    const { widthUs, count } = history.buckets(DEVICE, HOUR, BUCKETS);
    const times = await timeQueries(history, duck, widthUs, count);
    const replay = Array.from({ length: REPLAY_RUNS }, () => replayRate(history));
    const parquetBytes = await duck.parquetBytes(join(folder, "hour.parquet"));
    return { sizes, parquetBytes, widthUs, count, times, cold, replay };
  } finally {
    history.close();
    duck.close();
  }
}

/** All by turns, so that what slows the machine slows all. */
async function timeQueries(
  history: History,
  duck: DuckHistory,
  widthUs: number,
  count: number,
): Promise<Map<string, readonly number[]>> {
  const { fromUs, toUs } = HOUR;
  const answers = new Map<string, () => number | Promise<number>>([
    [OURS, () => history.buckets(DEVICE, HOUR, BUCKETS).count],
    [DUCK, () => duck.buckets(fromUs, toUs, widthUs, false)],
    [DUCK_ORDERED, () => duck.buckets(fromUs, toUs, widthUs, true)],
    [
      DUCK_ONE,
      async () => {
        await duck.threads(1);
        return await duck.buckets(fromUs, toUs, widthUs, false);
      },
    ],
  ]);
  const times = new Map<string, number[]>([...answers.keys()].map((name) => [name, []]));
  for (let run = 0; run < WARM_UP_RUNS + RUNS; run++) {
    for (const [name, answer] of answers) {
      if (name === DUCK) await duck.threads(2);
      const begun = performance.now();
      const buckets = await answer();
      const ms = performance.now() - begun;
      if (buckets !== count) throw new BenchError("not-the-same", { who: name, buckets, expected: count });
      if (run >= WARM_UP_RUNS) times.get(name)?.push(ms);
    }
  }
  return times;
}

async function readCold(storeFile: string, minute: number): Promise<number> {
  const fromUs = HOUR.fromUs + minute * 60_000_000;
  const task: ColdTask = { storeFile, device: DEVICE, fromUs, toUs: fromUs + 60_000_000 };
  const script = fileURLToPath(new URL("./history-cold.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(task)]);
  const { ms, rows } = JSON.parse(stdout) as ColdAnswer;
  if (rows !== 60 * HISTORY_HZ) throw new BenchError("not-the-same", { rows, expected: 60 * HISTORY_HZ });
  return ms;
}

function replayRate(history: History): number {
  const begun = process.cpuUsage();
  let values = 0;
  for (const block of history.rows(DEVICE, HOUR)) values += block.values.length;
  const { user, system } = process.cpuUsage(begun);
  return (1e6 * values) / (user + system);
}

function report({ sizes, parquetBytes, widthUs, count, times, cold, replay }: Found): BenchReport {
  const ms = (name: string) => median(times.get(name) ?? []);
  const { fileBytes, frameBytes, frames } = sizes;
  const perHour = fileBytes / DEVICES / HOURS;
  const goals: BenchGoal[] = [
    {
      what: `1 h x ${HISTORY_CHANNELS} into ${BUCKETS} buckets: our time / DuckDB's`,
      measured: ms(OURS) / ms(DUCK),
      unit: "x",
      must: { atMost: 1 },
      aim: 0.3,
    },
    { what: "1 min at full rate, after a restart", measured: median(cold), unit: "ms", must: { below: 100 }, aim: 30 },
    {
      what: "replay, per core",
      measured: Math.max(...replay) / 1e6,
      unit: "M values/s",
      must: { atLeast: 1 },
      aim: 4,
    },
    { what: "store bytes / frames' bytes", measured: fileBytes / frameBytes, unit: "x", must: { below: 2 }, aim: 1.4 },
    {
      what: "store bytes / Parquet zstd of float32",
      measured: perHour / parquetBytes,
      unit: "x",
      must: { below: 0.2 },
      aim: 0.1,
    },
  ];
  return {
    title: "History: hours of an inertial sensor, beside DuckDB and Parquet",
    goals,
    columns: ["query", "median ms", "least ms", "most ms"],
    rows: [
      ...[...times].map(([name, all]) => [name, ms(name), Math.min(...all), Math.max(...all)].map(shown)),
      ["1 min at full rate, cold", median(cold), Math.min(...cold), Math.max(...cold)].map(shown),
    ],
    more: [
      {
        title: "Bytes of the store",
        columns: ["what", "bytes", "of the frames' bytes"],
        rows: [
          ["frames as received", frameBytes, 1].map(shown),
          ...sizes.tables.map(([name, bytes]) => [name, bytes, bytes / frameBytes].map(shown)),
          ["the whole file", fileBytes, fileBytes / frameBytes].map(shown),
        ],
      },
    ],
    notes: [
      `${DEVICES} devices, each with ${HOURS} hours at ${HISTORY_HZ} Hz x ${HISTORY_CHANNELS}: passes over the hand-held inertial sensor that sim ships, each with gains of its own, so that no pass repeats another. eps is ${HISTORY_REL} of each channel's range. Sent through the real link in frames of ${FRAME_SAMPLES} samples: ${frames} frames, ${(frameBytes / frames).toFixed(1)} bytes each.`,
      `Buckets: ${count} of ${widthUs / 1e6} s, smallest and largest value of each channel and which came first; DuckDB's time is held against without the order, which it takes longer for. Its table has a BIGINT of microseconds and a FLOAT per channel, the values before coding; two threads unless said. Ours is one thread. Medians of ${RUNS} runs after ${WARM_UP_RUNS}, all by turns in one run.`,
      `After a restart: each of ${COLD_MINUTES.length} minutes in new processes, from before the store is opened to after the last row, modules compiled within: the least of ${COLD_RUNS} processes, and of these the median. Replay: values per second of processor time, the fastest of ${REPLAY_RUNS} passes over the hour.`,
      "The hour of the queries is the newest one of the first device, whose last stretch is still open. The file holds frames, snapshots, levels, indexes, births and the codec module. Parquet holds the hour of one device.",
    ],
  };
}

function shown(cell: string | number): string | number {
  return typeof cell === "number" ? Number(cell.toPrecision(cell >= 1000 ? 7 : 3)) : cell;
}
