import { open, readFile, stat } from "node:fs/promises";
import * as v from "valibot";
import { BATCH_ROWS, type RowBatch, type RowSource } from "./row-source.ts";
import { TelemetryError } from "./telemetry-error.ts";

/** What stands beside a float32 file: the channels, and what is known of them. */
const metaSchema = v.object({
  channels: v.pipe(v.array(v.pipe(v.string(), v.minLength(1))), v.minLength(1)),
  units: v.optional(v.array(v.string()), []),
  rate_hz: v.optional(v.pipe(v.number(), v.finite(), v.minValue(0))),
});

const FLOAT_BYTES = 4;

/**
 * A recording as float32, little-endian, row-major (samples, channels), without header, described by a JSON file:
 * `{ "channels": ["ax", …], "units": ["g", …], "rate_hz": 100 }`.
 *
 * @param metaFile  usually the same name with `.json`
 * @throws {TelemetryError} `bad-input` for a description that is none, or a file that ends inside a row; when read, for
 *   an infinity, with its row and channel
 */
export async function openFloatSource(file: string, metaFile: string): Promise<RowSource> {
  const { size } = await stat(file);
  const meta = v.safeParse(metaSchema, parseJson(metaFile, await readFile(metaFile, "utf8")));
  if (!meta.success) throw bad(metaFile, meta.issues[0].message);
  const { channels, units, rate_hz: rateHz } = meta.output;
  const rowBytes = FLOAT_BYTES * channels.length;
  if (size === 0 || size % rowBytes !== 0) {
    throw bad(file, `${size} bytes are not whole rows of ${channels.length} float32: is ${metaFile} its description?`);
  }
  return {
    file,
    kind: "f32",
    extent: size,
    columns: channels.map((name, index) => ({ name, unit: units[index] ?? "" })),
    time: undefined,
    periodNs: rateHz === undefined || rateHz === 0 ? 0 : Math.round(1e9 / rateHz),
    batches: () => readBatches(file, channels),
  };
}

async function* readBatches(file: string, names: readonly string[]): AsyncGenerator<RowBatch, void, void> {
  const handle = await open(file);
  const channels = names.length;
  let rowsBefore = 0;
  try {
    const rowBytes = FLOAT_BYTES * channels;
    const bytes = Buffer.alloc(BATCH_ROWS * rowBytes);
    for (let offset = 0, filled = bytes.length; filled === bytes.length; offset += filled) {
      filled = 0;
      while (filled < bytes.length) {
        const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      const values = new Float64Array(Math.floor(filled / rowBytes) * channels);
      for (let index = 0; index < values.length; index++) {
        const value = bytes.readFloatLE(index * FLOAT_BYTES);
        if (Math.abs(value) === Number.POSITIVE_INFINITY) {
          const name = names[index % channels];
          const problem = `${value} in channel "${name}" is no finite number: write NaN where there is no reading`;
          throw new TelemetryError("bad-input", { file, row: rowsBefore + Math.floor(index / channels) + 1, problem });
        }
        values[index] = value;
      }
      rowsBefore += values.length / channels;
      yield {
        count: values.length / channels,
        values,
        times: new Float64Array(0),
        decimals: new Array<number>(channels).fill(0),
        timeDecimals: 0,
        extentRead: offset + filled,
      };
    }
  } finally {
    await handle.close();
  }
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TelemetryError("bad-input", { file, problem: "it is not JSON" }, { cause: error });
  }
}

function bad(file: string, problem: string): TelemetryError {
  return new TelemetryError("bad-input", { file, problem });
}
