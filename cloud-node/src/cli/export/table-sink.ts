import { once } from "node:events";
import type { Writable } from "node:stream";
import { quote } from "../../api/history-text.ts";
import type { ParquetCell, ParquetColumn } from "./parquet-file.ts";

/** Formats that a table can be written in. */
export const EXPORT_FORMATS = ["csv", "parquet"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** Takes the rows of a table, waiting whenever the stream behind it is full. */
export interface TableSink {
  row(cells: readonly ParquetCell[]): Promise<void>;
  /** Write what is left; the stream stays open. */
  finish(): Promise<void>;
  /** Written so far. */
  readonly bytes: number;
}

const CHUNK_CHARS = 65_536;

/**
 * A sink of this format.
 *
 * @param facts  what the table is of: kept in a Parquet file, for which CSV has no place
 */
export async function openTableSink(
  stream: Writable,
  format: ExportFormat,
  columns: readonly ParquetColumn[],
  facts: Readonly<Record<string, string>>,
): Promise<TableSink> {
  if (format === "csv") return new CsvSink(stream, columns);
  const { ParquetFile } = await import("./parquet-file.ts");
  const file = new ParquetFile(stream, columns, facts);
  return {
    row: (cells) => file.row(cells),
    finish: () => file.finish(),
    get bytes() {
      return file.size;
    },
  };
}

class CsvSink implements TableSink {
  readonly #stream: Writable;
  #text: string;
  #bytes = 0;

  constructor(stream: Writable, columns: readonly ParquetColumn[]) {
    this.#stream = stream;
    this.#text = `${columns.map(({ name }) => quote(name)).join(",")}\n`;
  }

  get bytes(): number {
    return this.#bytes;
  }

  async row(cells: readonly ParquetCell[]): Promise<void> {
    this.#text += `${cells.map((cell) => (typeof cell === "string" ? quote(cell) : (cell ?? ""))).join(",")}\n`;
    if (this.#text.length >= CHUNK_CHARS) await this.#push();
  }

  async finish(): Promise<void> {
    await this.#push();
  }

  async #push(): Promise<void> {
    const chunk = Buffer.from(this.#text);
    this.#text = "";
    this.#bytes += chunk.length;
    if (!this.#stream.write(chunk)) await once(this.#stream, "drain");
  }
}
