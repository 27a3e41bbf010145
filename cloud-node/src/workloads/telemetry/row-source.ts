import type { TimeFormat } from "./time-text.ts";

/** One signal of a recording. */
export interface SourceColumn {
  readonly name: string;
  readonly unit: string;
}

/** The column that says when; its place among all columns, from 0. */
export interface TimeColumn {
  readonly name: string;
  readonly position: number;
  readonly format: TimeFormat;
}

/** A run of rows. */
export interface RowBatch {
  readonly count: number;
  /** Shape (count, C), row-major; NaN where there is no reading. */
  readonly values: Float64Array;
  /** Shape (count), in the unit of the column, dates in seconds since 1970; empty without a time column. */
  readonly times: Float64Array;
  /** Most digits after the point in this batch, shape (C), and of its times. */
  readonly decimals: readonly number[];
  readonly timeDecimals: number;
  /** How much of the source's extent is read with it. */
  readonly extentRead: number;
}

/** A recording that can be read as often as needed, from its start, with memory for one batch. */
export interface RowSource {
  /** What an error names. */
  readonly file: string;
  readonly kind: "csv" | "f32";
  /** How much there is to read, > 0: bytes of a file, µs of a history. */
  readonly extent: number;
  /** Channels in order, shape (C), the time column left out. */
  readonly columns: readonly SourceColumn[];
  readonly time: TimeColumn | undefined;
  /** Sample period, ns; 0 when unknown. */
  readonly periodNs: number;
  /**
   * Read from the start.
   *
   * @throws {TelemetryError} `bad-input` with the row of a CSV file that cannot be read
   */
  batches(): AsyncIterable<RowBatch>;
}

/** Rows per batch: large enough that batches cost nothing, small enough that progress moves. */
export const BATCH_ROWS = 4096;
