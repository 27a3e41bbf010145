import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { RecordingError } from "./recording-error.ts";
import { parseNumericCsv } from "./telemetry-csv.ts";

/** A recording with one row per sample. */
export interface TelemetrySet {
  readonly name: string;
  /** >= 1. */
  readonly rows: number;
  /** >= 1. */
  readonly channels: number;
  /** Shape (rows, channels), all finite. */
  readonly values: Float32Array;
  readonly ranges: readonly { readonly min: number; readonly max: number }[];
}

const FLOAT32_BYTES = 4;
/** Some editors begin a file with it. */
const BYTE_ORDER_MARK = /^\uFEFF/;

/**
 * Read every recording of a folder, in order of name: NAME.f32 (float32 little-endian, row-major) beside NAME.json
 * (`channels`, a list or a number, and `samples` where it is known), or NAME.csv (numbers; a header if the first row
 * has none).
 *
 * @throws {RecordingError} about the folder, or about the first recording that cannot be used
 */
export async function listSets(folder: string | undefined): Promise<TelemetrySet[]> {
  if (folder === undefined) throw new RecordingError("no-folder", { folder: "not given" });
  const files = (await orRefuse("no-folder", { folder }, () => readdir(folder))).filter((file) =>
    /.\.(f32|csv)$/.test(file),
  );
  if (files.length === 0) throw new RecordingError("no-recording", { folder });
  const sets: TelemetrySet[] = [];
  for (const file of files.sort()) {
    const name = file.slice(0, -4);
    if (sets.at(-1)?.name === name) throw new RecordingError("two-recordings", { folder, name });
    const { values, channels } = await (file.endsWith(".csv") ? readCsv : readFloats)(join(folder, file));
    sets.push(describe(join(folder, file), name, values, channels));
  }
  return sets;
}

interface Table {
  readonly values: Float32Array;
  readonly channels: number;
}

async function readCsv(file: string): Promise<Table> {
  return parseNumericCsv(await orRefuse("unreadable", { file }, () => readFile(file, "utf8")), file);
}

async function readFloats(file: string): Promise<Table> {
  const description = file.replace(/f32$/, "json");
  const text = await orRefuse("no-description", { file: description }, () => readFile(description, "utf8"));
  const { channels, samples } = await orRefuse("bad-description", { file: description }, () => parseAbout(text));
  const bytes = new Uint8Array(await orRefuse("unreadable", { file }, () => readFile(file)));
  const rowBytes = FLOAT32_BYTES * channels;
  if (bytes.length % rowBytes !== 0 || (samples !== undefined && bytes.length !== samples * rowBytes)) {
    const need = samples === undefined ? `a multiple of ${rowBytes}` : samples * rowBytes;
    const code = typeof need === "number" && bytes.length > need ? "too-long" : "truncated";
    throw new RecordingError(code, { file, channels, "bytes needed": need, found: bytes.length });
  }
  const view = new DataView(bytes.buffer);
  const values = new Float32Array(bytes.length / FLOAT32_BYTES);
  for (let i = 0; i < values.length; i++) values[i] = view.getFloat32(FLOAT32_BYTES * i, true);
  return { values, channels };
}

/** @throws {RangeError} and `SyntaxError`, for the caller to wrap */
function parseAbout(text: string): { channels: number; samples: number | undefined } {
  const about: unknown = JSON.parse(text.replace(BYTE_ORDER_MARK, ""));
  const { channels: stated, samples } = { channels: undefined, samples: undefined, ...(about as object) };
  const channels: unknown = Array.isArray(stated) ? (stated as unknown[]).length : stated;
  if (!isCount(channels) || channels === 0) throw new RangeError("channels is neither a list nor a number above 0");
  if (samples !== undefined && !isCount(samples)) throw new RangeError("samples is not a number of rows");
  return { channels, samples };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function describe(file: string, name: string, values: Float32Array, channels: number): TelemetrySet {
  if (values.length === 0) throw new RecordingError("empty", { file });
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    const place = { row: Math.floor(bad / channels) + 1, channel: (bad % channels) + 1 };
    throw new RecordingError("not-finite", { file, ...place, value: String(values[bad]) });
  }
  const ranges = Array.from({ length: channels }, (_, c) => {
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    for (let i = c; i < values.length; i += channels) {
      min = Math.min(min, values[i] as number);
      max = Math.max(max, values[i] as number);
    }
    return { min, max };
  });
  return { name, rows: values.length / channels, channels, values, ranges };
}

/** Say which file, whatever the reason was. */
async function orRefuse<T>(
  code: "no-folder" | "unreadable" | "no-description" | "bad-description",
  facts: Readonly<Record<string, string>>,
  act: () => T | Promise<T>,
): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    throw new RecordingError(code, { ...facts, because: reasonOf(cause) }, { cause });
  }
}

/** What the operating system's codes mean here; everything else in its own words. */
const SYSTEM_REASONS: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "it does not exist"],
  ["ENOTDIR", "it is not a folder"],
  ["EISDIR", "it is a folder"],
  ["EACCES", "it may not be read"],
]);

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const code = "code" in cause ? String(cause.code) : undefined;
  return code === undefined ? cause.message : (SYSTEM_REASONS.get(code) ?? `system error ${code}`);
}
