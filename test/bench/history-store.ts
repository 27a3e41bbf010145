import { stat } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { CloudNode, systemClock as nodeClock, SILENT_LOGGER } from "@lockstep/cloud-node";
import { DeviceSession, Loopback, planChannel, systemClock } from "@lockstep/edge-sdk";
import { imuRecordingPath, recordedSignal, seededRandom } from "@lockstep/sim";
import { storedFrames } from "../faults/stored-frames.ts";
import { BenchError } from "./bench-error.ts";
import { deviceModule } from "./rotor-session.ts";

/** Of each channel's range over the recording. */
export const HISTORY_REL = 0.01;
export const HISTORY_HZ = 100;
export const HISTORY_CHANNELS = 6;
/** Unix time at which every device's history begins, µs. */
export const HISTORY_START_US = 1_700_000_000_000_000;
/** Each pass over the recording is made a little larger or smaller, so that no hour repeats itself. */
const GAIN_SPREAD = 0.1;
const DRAIN_FRAMES = 64;
const DRAIN_LIMIT_MS = 60_000;

/** Samples of the hand-held inertial sensor that `sim` ships, for as long as is wanted. */
export interface HistorySource {
  /** Shape (rows, HISTORY_CHANNELS), row-major. */
  readonly values: Float32Array;
  /** Shape (HISTORY_CHANNELS). */
  readonly ranges: readonly { readonly min: number; readonly max: number; readonly eps: number }[];
}

/** Passes over the recording, each with gains of its own. */
export function historySource(seed: number, rows: number): HistorySource {
  const recording = recordedSignal(imuRecordingPath(), {});
  const random = seededRandom(seed);
  const values = new Float32Array(rows * HISTORY_CHANNELS);
  const row = new Float64Array(HISTORY_CHANNELS);
  let reader = recording.read();
  let gains: readonly number[] = recording.channels.map(() => 1);
  for (let at = 0; at < values.length; at += HISTORY_CHANNELS) {
    if (!reader.next(row)) {
      reader = recording.read();
      reader.next(row);
      gains = gains.map(() => 1 + GAIN_SPREAD * (random.uniform() - 0.5));
    }
    for (let c = 0; c < HISTORY_CHANNELS; c++) values[at + c] = (row[c] ?? 0) * (gains[c] ?? 1);
  }
  const ranges = recording.channels.map(({ min, max }) => {
    const room = GAIN_SPREAD * Math.max(Math.abs(min), Math.abs(max));
    return { min: min - room, max: max + room, eps: HISTORY_REL * (max - min) };
  });
  return { values, ranges };
}

/** Send a source through the real link into a store, in a node that runs for as long as that takes. */
export async function fillStore(
  storeFile: string,
  sources: ReadonlyMap<string, HistorySource>,
  frameSamples: number,
): Promise<void> {
  const acks = { everyFrames: 16, ageMs: 10 };
  const clock = systemClock();
  const node = await CloudNode.open({ storeFile, broker: null, acks, logger: SILENT_LOGGER, clock: nodeClock() });
  const module = deviceModule();
  try {
    for (const [device, { values, ranges }] of sources) {
      const loopback = new Loopback();
      node.attach(loopback);
      const session = await DeviceSession.open({
        device,
        module,
        clock,
        transport: loopback.transport,
        frameSamples,
        periodNs: 1e9 / HISTORY_HZ,
        silenceMs: 10_000,
        channels: ranges.map((range, c) => planChannel({ name: `c${c}`, ...range })),
        random: seededRandom(1).fork(device),
      });
      const rows = values.length / HISTORY_CHANNELS;
      for (let row = 0; row < rows; row++) {
        const at = row * HISTORY_CHANNELS;
        session.push(values.subarray(at, at + HISTORY_CHANNELS), HISTORY_START_US + row * (1e6 / HISTORY_HZ));
        if ((row + 1) % (DRAIN_FRAMES * frameSamples) === 0) await session.drained(DRAIN_LIMIT_MS);
      }
      session.flush();
      if (!(await session.drained(DRAIN_LIMIT_MS)))
        throw new BenchError("no-answer", { device, after: "the last frame" });
      await session.close();
    }
  } finally {
    await node.close();
  }
}

/** What a store file is made of. */
export interface StoreSizes {
  readonly fileBytes: number;
  /** Bytes of all frames as received. */
  readonly frameBytes: number;
  readonly frames: number;
  /** Pages of each table with its indexes, bytes. */
  readonly tables: readonly (readonly [name: string, bytes: number])[];
}

/** Measure a store that no node has open. */
export async function measureStore(storeFile: string): Promise<StoreSizes> {
  const database = new DatabaseSync(storeFile, { readOnly: true });
  try {
    const tables = database
      .prepare(
        `SELECT coalesce(tbl_name, 'schema') AS part, sum(pgsize) AS bytes FROM dbstat
         LEFT JOIN sqlite_schema USING (name) GROUP BY part ORDER BY bytes DESC`,
      )
      .all()
      .map(({ part, bytes }) => [String(part), Number(bytes)] as const);
    let [frames, frameBytes] = [0, 0];
    for (const { device, epoch } of database.prepare("SELECT device, epoch FROM epochs").all()) {
      for (const { bytes } of storedFrames(database, Number(device), Number(epoch))) {
        frames += 1;
        frameBytes += bytes.length;
      }
    }
    return { fileBytes: (await stat(storeFile)).size, frames, frameBytes, tables };
  } finally {
    database.close();
  }
}
