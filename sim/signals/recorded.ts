import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { parse } from "csv-parse/sync";
import * as v from "valibot";
import { periodOfRate, type Signal, type SignalChannel, SignalError, type SignalReader } from "./signal.ts";

export interface RecordedOptions {
  /** Samples per second; needed for CSV without a time column, and wins over what the file says. */
  readonly rateHz?: number | undefined;
  /** Start again at the end, without end. */
  readonly isLooping?: boolean | undefined;
}

const DESCRIPTION = v.object({
  samples: v.pipe(v.number(), v.integer(), v.minValue(1)),
  channels: v.pipe(v.array(v.pipe(v.string(), v.minLength(1))), v.minLength(1), v.maxLength(16)),
  units: v.optional(v.array(v.string())),
  rate_hz: v.pipe(v.number(), v.gtValue(0)),
});

const FLOAT_BYTES = 4;
/** A column of this name is time in seconds, not a channel. */
const TIME_COLUMN = /^(t|time|timestamp|time_s|seconds)$/i;

/** The handheld IMU recording that comes with this package; `sim/data/NOTICE.md` names its source and licence. */
export function imuRecordingPath(): string {
  return createRequire(import.meta.url).resolve("@lockstep/sim/data/imu_handheld.f32");
}

/**
 * Read a recording: `NAME.f32` (float32 little-endian, row-major (samples, channels), no header) with `NAME.json`
 * beside it, or a CSV file whose first line names the channels.
 *
 * @throws {SignalError} `cannot-read`, `bad-description`, `wrong-size`, `bad-row`, `empty`
 */
export function recordedSignal(path: string, options: RecordedOptions = {}): Signal {
  return path.endsWith(".csv") ? csvSignal(path, options) : floatSignal(path, options);
}

function floatSignal(path: string, options: RecordedOptions): Signal {
  const jsonPath = path.replace(/\.[^./\\]*$/, ".json");
  const description = parseDescription(jsonPath, readBytes(jsonPath).toString("utf8"));
  const bytes = readBytes(path);
  const { samples, channels, units } = description;
  const expected = samples * channels.length * FLOAT_BYTES;
  if (bytes.length !== expected) throw new SignalError("wrong-size", { file: path, bytes: bytes.length, expected });
  if (units !== undefined && units.length !== channels.length) {
    throw new SignalError("bad-description", {
      file: jsonPath,
      field: "units",
      count: units.length,
      channels: channels.length,
    });
  }
  const values = new Float64Array(samples * channels.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (let i = 0; i < values.length; i += 1) values[i] = view.getFloat32(i * FLOAT_BYTES, true);
  return tableSignal(path, values, channels, units ?? [], options.rateHz ?? description.rate_hz, options);
}

function csvSignal(path: string, options: RecordedOptions): Signal {
  let rows: string[][];
  try {
    rows = parse(readBytes(path), { bom: true, trim: true, skip_empty_lines: true });
  } catch (cause) {
    if (cause instanceof SignalError) throw cause;
    throw new SignalError("bad-row", { file: path, problem: message(cause) }, { cause });
  }
  const header = rows[0];
  if (header === undefined || rows.length < 2)
    throw new SignalError("empty", { file: path, rows: Math.max(0, rows.length - 1) });
  const times: number[] = [];
  const columns = header.flatMap((name, column) => (TIME_COLUMN.test(name) ? [] : [column]));
  const timeColumn = header.findIndex((name) => TIME_COLUMN.test(name));
  if (columns.length < 1 || columns.length > 16) {
    throw new SignalError("bad-description", { file: path, line: 1, channels: columns.length, most: 16 });
  }
  const values = new Float64Array((rows.length - 1) * columns.length);
  let at = 0;
  for (const [index, row] of rows.slice(1).entries()) {
    // One line per row is only true without quoted line breaks, which numbers never have.
    const place = { file: path, line: index + 2 };
    for (const column of columns) values[at++] = parseNumber(row[column], { ...place, column: header[column] ?? "" });
    if (timeColumn >= 0) times.push(parseNumber(row[timeColumn], { ...place, column: header[timeColumn] ?? "" }));
  }
  const rateHz = options.rateHz ?? rateOfTimes(times);
  if (rateHz === undefined || !(rateHz > 0)) {
    throw new SignalError("bad-description", {
      file: path,
      problem: "no rising time column, so the rate must be given",
    });
  }
  const names = columns.map((column) => header[column] ?? "");
  return tableSignal(path, values, names, [], rateHz, options);
}

/** An empty cell or "nan" is a missing value. */
function parseNumber(text: string | undefined, place: Readonly<Record<string, string | number>>): number {
  if (text === undefined || text === "" || /^nan$/i.test(text)) return Number.NaN;
  const value = Number(text);
  if (!Number.isFinite(value)) throw new SignalError("bad-row", { ...place, value: text });
  return value;
}

function rateOfTimes(times: readonly number[]): number | undefined {
  const [first, last] = [times[0], times.at(-1)];
  if (first === undefined || last === undefined || !(last > first)) return undefined;
  return (times.length - 1) / (last - first);
}

function tableSignal(
  path: string,
  values: Float64Array,
  names: readonly string[],
  units: readonly string[],
  rateHz: number,
  { isLooping = false }: RecordedOptions,
): Signal {
  const width = names.length;
  const rows = values.length / width;
  const channels = names.map(
    (name, c): SignalChannel => ({ name, unit: units[c] ?? "", ...extent(path, name, values, c, width) }),
  );
  return {
    channels,
    periodNs: periodOfRate(rateHz),
    samples: isLooping ? Number.POSITIVE_INFINITY : rows,
    read(): SignalReader {
      let row = 0;
      return {
        next(out) {
          if (row === rows) {
            if (!isLooping) return false;
            row = 0;
          }
          for (let c = 0; c < width; c += 1) out[c] = values[row * width + c] ?? Number.NaN;
          row += 1;
          return true;
        },
      };
    },
  };
}

function extent(
  path: string,
  name: string,
  values: Float64Array,
  c: number,
  width: number,
): { min: number; max: number } {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = c; i < values.length; i += width) {
    const value = values[i] ?? Number.NaN;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (!Number.isFinite(min) || !Number.isFinite(max)) throw new SignalError("empty", { file: path, channel: name });
  return { min, max };
}

function parseDescription(path: string, text: string): v.InferOutput<typeof DESCRIPTION> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new SignalError("bad-description", { file: path, problem: message(cause) }, { cause });
  }
  const parsed = v.safeParse(DESCRIPTION, json);
  if (parsed.success) return parsed.output;
  const issue = parsed.issues[0];
  throw new SignalError("bad-description", { file: path, field: v.getDotPath(issue) ?? "", problem: issue.message });
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new SignalError("cannot-read", { file: path, problem: message(cause) }, { cause });
  }
}

function message(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
