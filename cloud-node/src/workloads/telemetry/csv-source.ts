import { open, stat } from "node:fs/promises";
import { type CsvForm, parsedRecords, readRows } from "./csv-lines.ts";
import type { CsvRows } from "./csv-rows.ts";
import { BATCH_ROWS, type RowBatch, type RowSource, type SourceColumn, type TimeColumn } from "./row-source.ts";
import { TelemetryError } from "./telemetry-error.ts";
import { decimalsOf, parseNumber, parseTime, timeFormatOf } from "./time-text.ts";

/** What a person may say about a CSV file; everything left out is found out. */
export interface CsvOptions {
  /** Name of the time column; null: there is none; undefined: look for one. */
  readonly time?: string | null | undefined;
  /** Columns to take, by name; undefined: all. */
  readonly columns?: readonly string[] | undefined;
  /** Rate where there is no time column, Hz. */
  readonly rateHz?: number | undefined;
}

const TIME_NAME = /^(time|timestamp|datetime|date|t|ts)\b/i;
const DELIMITERS = [",", ";", "\t"] as const;
/** Either, as files have them that were put together of others. */
const LINE_ENDS = ["\r\n", "\n"] as const;
/** The start of a file in which its first two lines are looked for. */
const HEAD_BYTES = 1 << 16;
/** Cells that mean "no reading". */
const MISSING = new Set(["", "nan", "na", "null", "none", "-"]);

/**
 * Look at the first two lines of a CSV file, and make it a source.
 *
 * A first line of numbers only is data: its columns are called c1, c2, …
 *
 * @throws {TelemetryError} `bad-input` for a file without rows, unknown columns, or a time column that is none
 */
export async function openCsvSource(file: string, options: CsvOptions = {}): Promise<RowSource> {
  const { size } = await stat(file);
  const layout = await readLayout(file, options);
  return {
    file,
    kind: "csv",
    extent: size,
    columns: layout.picked.map(({ name }): SourceColumn => ({ name, unit: "" })),
    time: layout.time,
    periodNs: options.rateHz === undefined ? 0 : Math.round(1e9 / options.rateHz),
    batches: () => readBatches(file, layout),
  };
}

interface CsvLayout {
  readonly form: CsvForm;
  readonly hasHeader: boolean;
  readonly width: number;
  readonly picked: readonly { readonly name: string; readonly position: number }[];
  readonly time: TimeColumn | undefined;
}

async function readLayout(file: string, options: CsvOptions): Promise<CsvLayout> {
  const head = await readHead(file);
  const firstLine = head.split(/\r?\n/, 1)[0] ?? "";
  const counts = DELIMITERS.map((delimiter) => firstLine.split(delimiter).length);
  const delimiter = DELIMITERS[counts.indexOf(Math.max(...counts))] ?? ",";
  const form = { delimiter, lineEnds: /^[^\r\n]*\r?\n/.test(head) ? LINE_ENDS : undefined };
  const [first, second] = await firstRows(file, form);
  if (first === undefined) throw bad(file, 0, "the file is empty: give one with a header line and rows of numbers");
  const hasHeader = first.some((cell) => parseNumber(cell) === undefined && timeFormatOf(cell) === undefined);
  const names = hasHeader ? first : first.map((_, index) => `c${index + 1}`);
  const sample = hasHeader ? second : first;
  if (sample === undefined) throw bad(file, 1, "there is no row below the header line");
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) throw bad(file, 0, `two columns are called "${repeated}"`);
  const time = findTime(file, names, sample, options.time);
  const wanted = options.columns ?? names.filter((name) => name !== time?.name);
  const picked = wanted.map((name) => ({ name, position: names.indexOf(name) }));
  const unknown = picked.find(({ position }) => position === -1);
  if (unknown !== undefined) throw bad(file, 0, `no column "${unknown.name}": there are ${names.join(", ")}`);
  if (picked.length === 0) throw bad(file, 0, "no column is left besides the time: there is nothing to encode");
  return { form, hasHeader, width: names.length, picked, time };
}

function findTime(
  file: string,
  names: readonly string[],
  sample: readonly string[],
  wanted: string | null | undefined,
): TimeColumn | undefined {
  if (wanted === null) return undefined;
  const position = wanted === undefined ? names.findIndex((name) => TIME_NAME.test(name)) : names.indexOf(wanted);
  const name = names[position];
  if (name === undefined) {
    if (wanted === undefined) return undefined;
    throw bad(file, 0, `no column "${wanted}" for the time: there are ${names.join(", ")}`);
  }
  const format = timeFormatOf(sample[position] ?? "");
  if (format === undefined) {
    const remedy = "write seconds or dates as 2024-01-31T10:00:00Z, or give --time none and --columns";
    throw bad(file, 1, `"${sample[position]}" in the time column "${name}" is no time: ${remedy}`);
  }
  return { name, position, format };
}

async function readHead(file: string): Promise<string> {
  const handle = await open(file);
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.toString("utf8", 0, bytesRead).replace(/^\ufeff/, "");
  } finally {
    await handle.close();
  }
}

async function firstRows(file: string, form: CsvForm): Promise<readonly (readonly string[])[]> {
  const rows: (readonly string[])[] = [];
  for await (const row of parsedRecords(file, form)) {
    rows.push(row);
    if (rows.length === 2) break;
  }
  return rows;
}

async function* readBatches(file: string, layout: CsvLayout): AsyncGenerator<RowBatch, void, void> {
  let batch = new BatchBuilder(file, layout);
  let isHeader = layout.hasHeader;
  let readTo = 0;
  for await (const rows of readRows(file, layout.form, layout.width)) {
    ({ readTo } = rows);
    while (rows.next()) {
      if (!isHeader) batch.add(rows);
      isHeader = false;
      if (!batch.isFull) continue;
      yield batch.build(readTo);
      batch = new BatchBuilder(file, layout, batch.rowsBefore + BATCH_ROWS);
    }
  }
  yield batch.build(readTo);
}

class BatchBuilder {
  readonly rowsBefore: number;
  readonly #file: string;
  readonly #layout: CsvLayout;
  readonly #values: Float64Array;
  readonly #times: Float64Array;
  readonly #decimals: number[];
  #timeDecimals = 0;
  #count = 0;

  constructor(file: string, layout: CsvLayout, rowsBefore = 0) {
    this.#file = file;
    this.#layout = layout;
    this.rowsBefore = rowsBefore;
    this.#values = new Float64Array(BATCH_ROWS * layout.picked.length);
    this.#times = new Float64Array(layout.time === undefined ? 0 : BATCH_ROWS);
    this.#decimals = layout.picked.map(() => 0);
  }

  get isFull(): boolean {
    return this.#count === BATCH_ROWS;
  }

  /** Add the row in hand. */
  add(row: CsvRows): void {
    const { picked, time, width } = this.#layout;
    // The parser reads ahead, so its own count of lines is of no use here.
    const place = this.rowsBefore + this.#count + 1;
    if (row.cells !== width) throw bad(this.#file, place, `${row.cells} cells, and the first line has ${width}`);
    for (let channel = 0; channel < picked.length; channel++) this.#addValue(row, channel, place);
    if (time !== undefined) this.#addTime(row, time, place);
    this.#count += 1;
  }

  #addValue(row: CsvRows, channel: number, place: number): void {
    const { picked } = this.#layout;
    const { name = "", position = 0 } = picked[channel] ?? {};
    const value = row.number(position);
    this.#values[this.#count * picked.length + channel] = value;
    if (!Number.isNaN(value)) {
      this.#decimals[channel] = Math.max(this.#decimals[channel] ?? 0, row.decimals);
      return;
    }
    const cell = row.text(position);
    if (MISSING.has(cell.toLowerCase())) return;
    const remedy = "leave it empty, or pick --columns";
    throw bad(this.#file, place, `"${cell}" in column "${name}" is no finite number: ${remedy}`);
  }

  #addTime(row: CsvRows, { name, position, format }: TimeColumn, place: number): void {
    const isNumber = format.style === "number";
    const at = isNumber ? row.number(position) : (parseTime(row.text(position), format) ?? Number.NaN);
    if (Number.isNaN(at)) {
      const problem = `"${row.text(position)}" in the time column "${name}" is no time like those above`;
      throw bad(this.#file, place, problem);
    }
    this.#times[this.#count] = at;
    const decimals = isNumber ? row.decimals : decimalsOf(row.text(position));
    this.#timeDecimals = Math.max(this.#timeDecimals, decimals);
  }

  build(extentRead: number): RowBatch {
    const channels = this.#layout.picked.length;
    return {
      count: this.#count,
      values: this.#values.subarray(0, this.#count * channels),
      times: this.#times.subarray(0, this.#times.length === 0 ? 0 : this.#count),
      decimals: this.#decimals,
      timeDecimals: this.#timeDecimals,
      extentRead,
    };
  }
}

/** @param row  from 1, the header line left out; 0: the header itself */
function bad(file: string, row: number, problem: string): TelemetryError {
  return new TelemetryError("bad-input", { file, row, problem });
}
