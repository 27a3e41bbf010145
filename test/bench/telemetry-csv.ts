import { CsvError, parse } from "csv-parse/sync";
import { RecordingError, type RecordingErrorCode } from "./recording-error.ts";

/** A column of this name is time, not a channel. */
const TIME_COLUMN = /^(t|time|timestamp|time_s|seconds)$/i;

/** What may separate columns: what `lockstep encode` takes. */
const DELIMITERS = [",", ";", "\t"] as const;

/** One row as the parser gives it. */
interface CsvRow {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

/**
 * A table of numbers: every row as long as the first, which may be a header; a column that is called time is left out.
 * Columns are separated by commas, semicolons or tabs, whichever the first line has most of.
 *
 * @param file  for messages
 * @returns the values rounded to float32, shape (rows, channels)
 * @throws {RecordingError} `ragged-row` and `unreadable` with the line, `not-a-number` and `not-finite` with the column
 *   too, `empty`
 */
export function parseNumericCsv(text: string, file: string): { values: Float32Array; channels: number } {
  const rows = split(text, file);
  const [first] = rows;
  if (first === undefined) throw new RecordingError("empty", { file });
  const width = first.record.length;
  const hasHeader = first.record.some((cell) => Number.isNaN(numberOf(cell)));
  const names = hasHeader ? first.record : undefined;
  const columns = [...first.record.keys()].filter((column) => !TIME_COLUMN.test(names?.[column] ?? ""));
  const values: number[] = [];
  for (const { record, info } of hasHeader ? rows.slice(1) : rows) {
    const { lines: line } = info;
    if (record.length !== width) throw new RecordingError("ragged-row", { file, line, columns: record.length, width });
    for (const column of columns) {
      const cell = record[column] ?? "";
      const value = Math.fround(numberOf(cell));
      if (!Number.isFinite(value)) {
        const name = names === undefined ? "" : ` (${names[column]})`;
        throw new RecordingError(faultOf(cell), { file, line, column: `${column + 1}${name}`, value: `"${cell}"` });
      }
      values.push(value);
    }
  }
  if (columns.length === 0) throw new RecordingError("empty", { file, because: "its only column is time" });
  return { values: Float32Array.from(values), channels: columns.length };
}

function split(text: string, file: string): CsvRow[] {
  try {
    return parse(text, {
      bom: true,
      delimiter: delimiterOf(text),
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    }) as unknown as CsvRow[];
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    throw new RecordingError("unreadable", { file, because: cause.message }, { cause });
  }
}

/** A comma where there is none, too. */
function delimiterOf(text: string): (typeof DELIMITERS)[number] {
  const firstLine = /[^\r\n]+/.exec(text)?.[0] ?? "";
  const counts = DELIMITERS.map((delimiter) => firstLine.split(delimiter).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))] ?? ",";
}

/** NaN for what is no number; an empty cell is none. */
function numberOf(cell: string): number {
  return cell === "" ? Number.NaN : Number(cell);
}

/** A value that is missing or beyond float32 is one thing, a column of something else another. */
function faultOf(cell: string): RecordingErrorCode {
  const isMissing = cell === "" || /^[-+]?(nan|inf(inity)?)$/i.test(cell) || !Number.isNaN(Number(cell));
  return isMissing ? "not-finite" : "not-a-number";
}
