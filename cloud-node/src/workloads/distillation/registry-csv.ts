import { CsvError, parse } from "csv-parse/sync";
import { DistillationError } from "./distillation-error.ts";

/** The file's name lists its columns, and is the only one that is taken. */
export const REGISTRY_FILE = "ModelName-Parameters-Category-BestFeature.csv";
const COLUMNS = REGISTRY_FILE.replace(/\.csv$/, "").split("-");
/** A name of a folder beside others, and nowhere else. */
const MODEL_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const CATEGORY = /^[a-z][a-z0-9-]{0,31}$/;
/** `118464`, `118.5K`, `1.1M`, `7B`. */
const PARAMETERS = /^(\d+(?:\.\d+)?)([KMB]?)$/;
const UNITS: Readonly<Record<string, number>> = { "": 1, K: 1e3, M: 1e6, B: 1e9 };
const MOST_FEATURE_CHARACTERS = 80;
const MOST_TEACHERS = 64;
const MOST_BYTES = 65_536;

/** One line of a registry. */
export interface RegistryEntry {
  /** Of its folder beside the other teachers. */
  readonly model: string;
  /** As the line says, and to how much of it its last digit is one. */
  readonly parameters: number;
  readonly parametersWithin: number;
  /** What it is taken for; no two teachers have the same one. */
  readonly category: string;
  readonly feature: string;
  /** In the file, 1 …. */
  readonly line: number;
}

/**
 * The teachers that a registry lists. Nothing is guessed: another header, order, quoting of half a cell, an empty cell or an
 * empty line is an error with its line and column.
 *
 * @param file  its path, for errors
 * @throws {DistillationError} `bad-registry`
 */
export function parseRegistry(text: string, file: string): RegistryEntry[] {
  if (text.length > MOST_BYTES) throw bad(file, 1, 1, `it has ${text.length} characters, and may have ${MOST_BYTES}`);
  const [header, ...rows] = cellsOf(text, file);
  if (header === undefined) throw bad(file, 1, 1, "it is empty");
  checkWidth(header, file);
  for (const [at, name] of COLUMNS.entries()) {
    if (header.cells[at] !== name) {
      throw bad(file, header.line, at + 1, `its header has ${quoted(header.cells[at])} where ${name} belongs`);
    }
  }
  if (rows.length === 0) throw bad(file, header.line + 1, 1, "it lists no teacher");
  if (rows.length > MOST_TEACHERS) throw bad(file, header.line + 1, 1, `it lists more than ${MOST_TEACHERS} teachers`);
  const entries = rows.map((row) => entryOf(row, file));
  for (const [at, entry] of entries.entries()) checkFirst(entries.slice(0, at), entry, file);
  return entries;
}

interface Row {
  readonly line: number;
  readonly cells: readonly string[];
}

function cellsOf(text: string, file: string): Row[] {
  const rows: Row[] = [];
  try {
    parse(text, {
      ...{ relax_column_count: true, skip_empty_lines: false },
      on_record: (cells: string[], { lines: line }) => {
        rows.push({ line, cells });
      },
    });
    return rows;
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    const { lines, column } = cause as CsvError & { lines?: number; column?: number | string };
    throw bad(file, lines ?? 1, typeof column === "number" ? column + 1 : 1, cause.message, cause);
  }
}

function checkWidth({ line, cells }: Row, file: string): void {
  if (cells.length === COLUMNS.length) return;
  const column = Math.min(cells.length, COLUMNS.length) + 1;
  throw bad(file, line, column, `it has ${cells.length} columns, and needs ${COLUMNS.join(", ")}`);
}

function entryOf(row: Row, file: string): RegistryEntry {
  const { line, cells } = row;
  checkWidth(row, file);
  const [model = "", parameters = "", category = "", feature = ""] = cells;
  if (!MODEL_NAME.test(model)) {
    throw bad(file, line, 1, `${quoted(model)} is no name of a model's folder`);
  }
  const [, digits = "", unit = ""] = PARAMETERS.exec(parameters) ?? [];
  const count = Number(digits) * (UNITS[unit] ?? 0);
  if (digits === "" || count < 1 || !Number.isSafeInteger(Math.round(count))) {
    throw bad(file, line, 2, `${quoted(parameters)} is no count of parameters such as 118464, 118K or 1.1M`);
  }
  if (!CATEGORY.test(category)) throw bad(file, line, 3, `${quoted(category)} is no category such as arithmetic`);
  const isPlain = feature === feature.trim() && feature.length > 0 && !/\p{C}/u.test(feature);
  if (!isPlain || feature.length > MOST_FEATURE_CHARACTERS) {
    throw bad(file, line, 4, `${quoted(feature)} is not 1 to ${MOST_FEATURE_CHARACTERS} characters that say a feature`);
  }
  const decimals = digits.split(".")[1]?.length ?? 0;
  const parametersWithin = (UNITS[unit] ?? 1) / 10 ** decimals;
  return { model, parameters: Math.round(count), parametersWithin, category, feature, line };
}

/** A registry may round a model's parameters, and no more. @throws {DistillationError} `bad-registry` */
export function checkCount(
  { line, model, parameters, parametersWithin }: Omit<RegistryEntry, "category">,
  count: number,
): void {
  if (Math.abs(count - parameters) < parametersWithin) return;
  throw bad(REGISTRY_FILE, line, 2, `it says ${parameters} parameters, and ${model} has ${count}`);
}

/** A model or a category that was there before is a mistake of one of the two lines. */
function checkFirst(before: readonly RegistryEntry[], { model, category, line }: RegistryEntry, file: string): void {
  // Folders that differ by case alone are one folder on some systems.
  const same = before.find((other) => other.model.toLowerCase() === model.toLowerCase());
  if (same !== undefined) throw bad(file, line, 1, `${model} is in line ${same.line} already`);
  const rival = before.find((other) => other.category === category);
  if (rival !== undefined) throw bad(file, line, 3, `line ${rival.line} has a teacher of ${category} already`);
}

/** Of a stranger's cell, no longer than a line takes. */
function quoted(cell: string | undefined): string {
  return JSON.stringify(cell === undefined || cell.length <= 60 ? (cell ?? "") : `${cell.slice(0, 60)}…`);
}

function bad(file: string, line: number, column: number, problem: string, cause?: unknown): DistillationError {
  const remedy = "mend this line of the registry";
  return new DistillationError("bad-registry", `${file}:${line}:${column}: ${problem}`, remedy, { cause });
}
