import { once } from "node:events";
import type { Writable } from "node:stream";
import { zstdCompressSync } from "node:zlib";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";

/** Rows of a group: as many as a reader takes at once, and what is held in memory here. */
const GROUP_ROWS = 65_536;

/** A column of a table. */
export interface ParquetColumn {
  readonly name: string;
  /** `time`: µs since 1970, UTC. */
  readonly type: "time" | "count" | "value" | "text";
}

/** A cell: null where there is nothing. */
export type ParquetCell = number | string | null;

/** Writes a Parquet file group by group: what it holds in memory is one group, however long the file. */
export class ParquetFile {
  readonly #stream: Writable;
  readonly #columns: readonly ParquetColumn[];
  readonly #bytes = new ByteWriter(1 << 20);
  readonly #parquet: ParquetWriter;
  #cells: ParquetCell[][];

  /** @param facts  kept in the file beside the table */
  constructor(stream: Writable, columns: readonly ParquetColumn[], facts: Readonly<Record<string, string>>) {
    this.#stream = stream;
    this.#columns = columns;
    this.#cells = columns.map(() => []);
    this.#parquet = new ParquetWriter({
      writer: this.#bytes,
      schema: [
        { name: "rows", num_children: columns.length },
        ...columns.map(({ name, type }) => ({ name, ...ELEMENTS[type] })),
      ],
      codec: "ZSTD",
      compressors: { ZSTD: (input) => new Uint8Array(zstdCompressSync(input)) },
      kvMetadata: Object.entries(facts).map(([key, value]) => ({ key, value })),
      createdBy: "lockstep",
    });
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#bytes.offset;
  }

  /** Add a row, one cell for each column. */
  async row(cells: readonly ParquetCell[]): Promise<void> {
    for (const [c, cell] of cells.entries()) this.#cells[c]?.push(cell);
    if ((this.#cells[0]?.length ?? 0) >= GROUP_ROWS) await this.#group();
  }

  /** Write what is left, and what tells a reader where everything is. The stream stays open. */
  async finish(): Promise<void> {
    await this.#group();
    this.#parquet.finish();
    await this.#flush();
  }

  async #group(): Promise<void> {
    if (this.#cells[0]?.length === 0) return;
    const columnData = this.#columns.map(({ name, type }, c) => {
      const cells = this.#cells[c] ?? [];
      if (type !== "time" && type !== "count") return { name, data: cells };
      const data = cells.map((cell) => BigInt(Math.round(Number(cell))));
      return { name, data, ...(type === "time" ? { encoding: "DELTA_BINARY_PACKED" as const } : {}) };
    });
    this.#parquet.write({ columnData, rowGroupSize: GROUP_ROWS });
    this.#cells = this.#columns.map(() => []);
    await this.#flush();
  }

  async #flush(): Promise<void> {
    const chunk = this.#bytes.getBytes().slice();
    this.#bytes.index = 0;
    if (!this.#stream.write(chunk)) await once(this.#stream, "drain");
  }
}

const ELEMENTS = {
  time: {
    type: "INT64",
    converted_type: "TIMESTAMP_MICROS",
    logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MICROS" },
    repetition_type: "REQUIRED",
  },
  count: { type: "INT64", repetition_type: "REQUIRED" },
  value: { type: "DOUBLE", repetition_type: "OPTIONAL" },
  text: { type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" }, repetition_type: "OPTIONAL" },
} as const;
