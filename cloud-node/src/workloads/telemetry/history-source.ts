import type { History } from "../../history/history.ts";
import type { Run } from "../../history/run.ts";
import type { TimeRange } from "../../history/time-range.ts";
import { BATCH_ROWS, type RowBatch, type RowSource, type SourceColumn } from "./row-source.ts";
import { decimalsOf } from "./time-text.ts";

/** As in an export of the same history. */
const TIME_COLUMN = "time_us";
const STATUS_INVALID = 1;

/** A device's past as rows, and what of it could not be read. */
export interface HistorySource extends RowSource {
  /** Device time, µs, for which the store is damaged, as far as `batches` came upon it. */
  readonly damagedUs: number;
}

/**
 * The past of a device in a range: one row for each instant, its time first, every channel that the device ever had
 * there. What the sensor did not give, and a channel that the device had not at the time, is no reading; what is lost
 * has no row.
 *
 * @param file  what an error names
 * @throws {StoreError} `unknown-device`
 */
export function openHistorySource(history: History, device: string, range: TimeRange, file: string): HistorySource {
  return new DevicePast(history, device, range, file);
}

class DevicePast implements HistorySource {
  readonly kind = "csv";
  readonly time = {
    name: TIME_COLUMN,
    position: 0,
    format: { style: "number", separator: "", suffix: "" },
  } as const;
  readonly file: string;
  readonly extent: number;
  readonly columns: readonly SourceColumn[];
  readonly periodNs: number;
  readonly #history: History;
  readonly #device: string;
  readonly #range: TimeRange;
  /** Epoch to the column of each of its channels. */
  readonly #places = new Map<number, readonly number[]>();
  #damage: readonly Run[] = [];

  constructor(history: History, device: string, range: TimeRange, file: string) {
    this.#history = history;
    this.#device = device;
    this.file = file;
    const span = history.span(device) ?? { fromUs: 0, toUs: 1 };
    const fromUs = Math.max(range.fromUs, span.fromUs);
    this.#range = { fromUs, toUs: Math.max(fromUs + 1, Math.min(range.toUs, span.toUs)) };
    this.extent = this.#range.toUs - fromUs;
    const columns = new Map<string, SourceColumn>();
    for (const { epoch } of history.epochs(device)) {
      const { channels } = history.birth(device, epoch);
      for (const { name, unit } of channels) columns.set(name, { name, unit });
    }
    this.columns = [...columns.values()];
    for (const { epoch } of history.epochs(device)) {
      const { channels } = history.birth(device, epoch);
      const names = [...columns.keys()];
      this.#places.set(
        epoch,
        channels.map(({ name }) => names.indexOf(name)),
      );
    }
    this.periodNs = history.birth(device).periodNs;
  }

  get damagedUs(): number {
    return this.#damage.reduce((sum, { fromUs, toUs }) => sum + toUs - fromUs, 0);
  }

  async *batches(): AsyncGenerator<RowBatch> {
    const rows = this.#history.rows(this.#device, this.#range);
    let step = rows.next();
    for (; !step.done; step = rows.next()) {
      const { epoch, timesUs, values, statuses, channels } = step.value;
      const places = this.#places.get(epoch) ?? [];
      for (let from = 0; from < timesUs.length; from += BATCH_ROWS) {
        const to = Math.min(from + BATCH_ROWS, timesUs.length);
        const cells = { from: from * channels, to: to * channels };
        yield this.#batch(
          timesUs.subarray(from, to),
          values.subarray(cells.from, cells.to),
          statuses.subarray(cells.from, cells.to),
          places,
        );
      }
    }
    this.#damage = step.value;
  }

  #batch(timesUs: Float64Array, from: Float64Array, statuses: Uint8Array, places: readonly number[]): RowBatch {
    const count = timesUs.length;
    const width = this.columns.length;
    const values = new Float64Array(count * width).fill(Number.NaN);
    const decimals = new Array<number>(width).fill(0);
    for (let at = 0; at < from.length; at++) {
      const place = places[at % places.length] ?? 0;
      const value = from[at] ?? Number.NaN;
      if (statuses[at] === STATUS_INVALID) continue;
      values[Math.floor(at / places.length) * width + place] = value;
      decimals[place] = Math.max(decimals[place] ?? 0, decimalsOf(String(value)));
    }
    const last = timesUs.at(-1) ?? 0;
    return {
      count,
      values,
      times: timesUs.map(Math.round),
      decimals,
      timeDecimals: 0,
      extentRead: Math.min(this.extent, Math.max(0, last - this.#range.fromUs)),
    };
  }
}
