import type { Writable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import type { HistoryChannel } from "../../api/history-channels.ts";
import type { History } from "../../history/history.ts";
import type { TimeRange } from "../../history/time-range.ts";
import type { ProgressLine } from "../progress-line.ts";
import { bucketTable, rowTable } from "./history-table.ts";
import { type ExportFormat, openTableSink } from "./table-sink.ts";

/** How long the work may go on without looking whether it was interrupted, ms. */
const SLICE_MS = 20;

/** What to export of one device. */
export interface DeviceExport {
  readonly history: History;
  readonly device: string;
  /** undefined: there is nothing. */
  readonly range: TimeRange | undefined;
  readonly channels: readonly HistoryChannel[];
  /** undefined: full rate. */
  readonly buckets: number | undefined;
  readonly format: ExportFormat;
  readonly stream: Writable;
  readonly progress: ProgressLine;
  readonly signal: AbortSignal;
}

/** What was exported. */
export interface DeviceExported {
  readonly device: string;
  readonly rows: number;
  readonly channels: number;
  /** Device time of the first and of the last row, µs; null where there is none. */
  readonly firstUs: number | null;
  readonly lastUs: number | null;
  readonly bytes: number;
  /** Device time of what the store has, but can no longer be read; the table has no row of it. */
  readonly damaged: readonly TimeRange[];
}

/** Write one device's past to a stream. @throws the signal's reason once it is aborted */
export async function exportDevice(work: DeviceExport): Promise<DeviceExported> {
  const { history, device, range, channels, buckets, format, stream, progress, signal } = work;
  const part = range ?? { fromUs: 0, toUs: 0 };
  const table =
    buckets === undefined
      ? rowTable(history, device, part, channels)
      : bucketTable(history, device, part, channels, buckets);
  const facts = {
    "lockstep.device": device,
    "lockstep.channels": JSON.stringify(channels.map(({ name, unit, eps }) => ({ name, unit, eps }))),
    "lockstep.range": JSON.stringify(part),
  };
  const sink = await openTableSink(stream, format, table.columns, facts);
  let rows = 0;
  let firstUs: number | null = null;
  let lastUs: number | null = null;
  let sliceMs = performance.now();
  let damaged: readonly TimeRange[] = [];
  if (range !== undefined) {
    const cellsOfRows = table.rows();
    let step = cellsOfRows.next();
    for (; !step.done; step = cellsOfRows.next()) {
      const cells = step.value;
      await sink.row(cells);
      lastUs = Number(cells[0]);
      firstUs ??= lastUs;
      rows += 1;
      if (performance.now() - sliceMs < SLICE_MS) continue;
      progress.update(lastUs - range.fromUs, range.toUs - range.fromUs, rows);
      await setImmediate();
      signal.throwIfAborted();
      sliceMs = performance.now();
    }
    damaged = step.value.map(({ fromUs, toUs }) => ({ fromUs, toUs }));
  }
  signal.throwIfAborted();
  progress.finishing();
  await sink.finish();
  return { device, rows, channels: channels.length, firstUs, lastUs, bytes: sink.bytes, damaged };
}
