import { stat } from "node:fs/promises";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { HISTORY_CHANNELS, HISTORY_HZ, type HistorySource } from "./history-store.ts";

const COLUMNS = Array.from({ length: HISTORY_CHANNELS }, (_, c) => `c${c}`);

/** The peer: one row per sample, a BIGINT of µs and a FLOAT per channel. */
export class DuckHistory {
  readonly #connection: DuckDBConnection;

  private constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  /**
   * @param file  made anew
   * @param startUs  time of the first row
   */
  static async fill(file: string, startUs: number, { values }: HistorySource): Promise<DuckHistory> {
    const instance = await DuckDBInstance.create(file);
    const connection = await instance.connect();
    await connection.run(`CREATE TABLE samples (t BIGINT, ${COLUMNS.map((name) => `${name} FLOAT`).join(", ")})`);
    const appender = await connection.createAppender("samples");
    for (let row = 0; row < values.length / HISTORY_CHANNELS; row++) {
      appender.appendBigInt(BigInt(startUs + row * (1e6 / HISTORY_HZ)));
      for (let c = 0; c < HISTORY_CHANNELS; c++) appender.appendFloat(values[row * HISTORY_CHANNELS + c] ?? 0);
      appender.endRow();
    }
    appender.closeSync();
    await connection.run("CHECKPOINT");
    return new DuckHistory(connection);
  }

  async threads(count: number): Promise<void> {
    await this.#connection.run(`SET threads = ${count}`);
  }

  /**
   * Smallest and largest values by time.
   *
   * @param isOrdered  with which of the two came first
   * @returns buckets
   */
  async buckets(fromUs: number, toUs: number, widthUs: number, isOrdered: boolean): Promise<number> {
    const extremes = COLUMNS.flatMap((name) => [
      `min(${name})`,
      `max(${name})`,
      ...(isOrdered ? [`arg_min(t, ${name}) <= arg_max(t, ${name})`] : []),
    ]);
    const query = `SELECT t // ${widthUs} AS bucket, ${extremes.join(", ")} FROM samples
      WHERE t >= ${fromUs} AND t < ${toUs} GROUP BY bucket ORDER BY bucket`;
    const reader = await this.#connection.runAndReadAll(query);
    return reader.getColumns()[0]?.length ?? 0;
  }

  /** @returns bytes of the table as Parquet with zstd */
  async parquetBytes(file: string): Promise<number> {
    await this.#connection.run(`COPY samples TO '${file}' (FORMAT parquet, COMPRESSION zstd)`);
    return (await stat(file)).size;
  }

  close(): void {
    this.#connection.closeSync();
  }
}
