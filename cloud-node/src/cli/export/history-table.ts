import type { HistoryChannel } from "../../api/history-channels.ts";
import { columnName } from "../../api/history-channels.ts";
import type { History } from "../../history/history.ts";
import type { Run } from "../../history/run.ts";
import type { TimeRange } from "../../history/time-range.ts";
import type { ParquetCell, ParquetColumn } from "./parquet-file.ts";

const STATUS_INVALID = 1;
const STATUS_SATURATED = 2;

/** A device's past as a table. */
export interface HistoryTable {
  readonly columns: readonly ParquetColumn[];
  /** Rows, oldest first within an epoch; the first cell is the time, µs. @returns what could not be read */
  rows(): Generator<readonly ParquetCell[], readonly Run[]>;
}

/**
 * Every sample of a range: `time_us`, `epoch`, one column for each channel, and `saturated`, which names the channels
 * whose value is clipped. Where the sensor gave no reading there is no value; what is lost has no row.
 */
export function rowTable(
  history: History,
  device: string,
  range: TimeRange,
  channels: readonly HistoryChannel[],
): HistoryTable {
  return {
    columns: [
      { name: "time_us", type: "time" },
      { name: "epoch", type: "count" },
      ...channels.map(({ name }): ParquetColumn => ({ name: columnName(name), type: "value" })),
      { name: "saturated", type: "text" },
    ],
    *rows() {
      const blocks = history.rows(device, range);
      let step = blocks.next();
      for (; !step.done; step = blocks.next()) {
        const block = step.value;
        const columns = channels.map((channel) => channel.columnIn(block));
        for (let row = 0; row < block.timesUs.length; row++) {
          const at = (column: number) => row * block.channels + column;
          const values = columns.map((column) => {
            if (column === undefined || block.statuses[at(column)] === STATUS_INVALID) return null;
            return block.values[at(column)] ?? null;
          });
          const clipped = channels.filter((_, c) => {
            const column = columns[c];
            return column !== undefined && block.statuses[at(column)] === STATUS_SATURATED;
          });
          const names = clipped.length === 0 ? null : clipped.map(({ name }) => name).join(" ");
          yield [block.timesUs[row] ?? 0, block.epoch, ...values, names];
        }
      }
      return step.value;
    },
  };
}

/** A range in at most so many buckets: `time_us` of each one's start, and for each channel the two extremes, in order. */
export function bucketTable(
  history: History,
  device: string,
  range: TimeRange,
  channels: readonly HistoryChannel[],
  maxBuckets: number,
): HistoryTable {
  return {
    columns: [
      { name: "time_us", type: "time" },
      ...channels.flatMap(({ name }): ParquetColumn[] => [
        { name: `${name}_first`, type: "value" },
        { name: `${name}_second`, type: "value" },
      ]),
    ],
    *rows() {
      const indices = channels.map(({ index }) => index);
      const buckets = history.buckets(device, range, maxBuckets, indices);
      for (let bucket = 0; bucket < buckets.count; bucket++) {
        const extremes = buckets.channels.flatMap(({ first, second }) => [first[bucket], second[bucket]]);
        const cells = extremes.map((value) => (value === undefined || Number.isNaN(value) ? null : value));
        yield [buckets.fromUs + bucket * buckets.widthUs, ...cells];
      }
      return buckets.runs.filter(({ kind }) => kind === "damaged");
    },
  };
}
