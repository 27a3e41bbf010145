import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { CsvError, type Parser, parse } from "csv-parse";
import { type CsvRows, PlainRows, TextRows } from "./csv-rows.ts";
import { BATCH_ROWS } from "./row-source.ts";
import { TelemetryError } from "./telemetry-error.ts";

/** How a CSV file is divided. */
export interface CsvForm {
  readonly delimiter: string;
  /** What ends a line; undefined: as the first one ends, which is by nothing that has a line feed. */
  readonly lineEnds: readonly string[] | undefined;
}

/** Read at once: few enough bytes to stay in a processor's cache until they are looked at. */
const READ_BYTES = 1 << 18;
const QUOTE = 34;
const NEW_LINE = 10;

/**
 * The rows of a CSV file, some at a time, which last until the next ones are asked for.
 *
 * What spreadsheets put around cells (quotes, with line ends inside) is left to csv-parse, from the first of it to the
 * file's end; lines before that have nothing to it, and are read in place.
 *
 * @param width  cells of a row that can be asked for
 * @throws {TelemetryError} `bad-input`; whatever the system refuses
 */
export async function* readRows(file: string, form: CsvForm, width: number): AsyncGenerator<CsvRows, void, void> {
  const handle = await open(file);
  let from = 0;
  try {
    for await (const { lines, to } of form.lineEnds === undefined ? [] : wholeLines(handle)) {
      if (lines.includes(QUOTE) || lines.includes(0)) break;
      yield new PlainRows(lines, form.delimiter, width, to);
      from = to;
    }
  } finally {
    await handle.close();
  }
  yield* parsedRows(file, form, from);
}

/** The rows that csv-parse makes of a file, from one of its lines on; each has its cells. */
export async function* parsedRecords(
  file: string,
  form: CsvForm,
  from = 0,
): AsyncGenerator<readonly string[], void, void> {
  yield* recordsOf(file, parserFor(form), from);
}

async function* parsedRows(file: string, form: CsvForm, from: number): AsyncGenerator<TextRows, void, void> {
  const parser = parserFor(form);
  let rows: (readonly string[])[] = [];
  for await (const row of recordsOf(file, parser, from)) {
    rows.push(row);
    if (rows.length < BATCH_ROWS) continue;
    yield new TextRows(rows, from + parser.info.bytes);
    rows = [];
  }
  yield new TextRows(rows, from + parser.info.bytes);
}

function parserFor({ delimiter, lineEnds = [] }: CsvForm): Parser {
  const form = { delimiter, record_delimiter: [...lineEnds], bom: true };
  return parse({ ...form, trim: true, skip_empty_lines: true, relax_column_count: true });
}

async function* recordsOf(file: string, parser: Parser, start: number): AsyncGenerator<readonly string[], void, void> {
  const input = createReadStream(file, { start });
  input.on("error", (error) => parser.destroy(error));
  input.pipe(parser);
  try {
    yield* parser as AsyncIterable<readonly string[]>;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new TelemetryError("bad-input", { file, problem: error.message }, { cause: error });
  } finally {
    input.destroy();
  }
}

interface Lines {
  readonly lines: Buffer;
  /** Where in the file they end. */
  readonly to: number;
}

/**
 * A file's bytes up to a line's end each time, the last one with an end that it may lack; not what follows the first line
 * that is longer than one read.
 */
async function* wholeLines(handle: FileHandle): AsyncGenerator<Lines, void, void> {
  const bytes = Buffer.allocUnsafe(READ_BYTES + 1);
  let filled = 0;
  for (let at = 0; ; ) {
    const { bytesRead } = await handle.read(bytes, filled, READ_BYTES - filled, at);
    at += bytesRead;
    if (bytesRead === 0 && filled > 0 && filled < READ_BYTES) {
      bytes[filled] = NEW_LINE;
      yield { lines: bytes.subarray(0, filled + 1), to: at };
    }
    if (bytesRead === 0) return;
    filled += bytesRead;
    const end = bytes.lastIndexOf(NEW_LINE, filled - 1) + 1;
    filled -= end;
    if (end > 0) yield { lines: bytes.subarray(0, end), to: at - filled };
    bytes.copyWithin(0, end, end + filled);
  }
}
