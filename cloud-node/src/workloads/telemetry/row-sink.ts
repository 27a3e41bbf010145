import { once } from "node:events";
import type { Writable } from "node:stream";
import { type ContainerHeader, dataChannels } from "./container-format.ts";
import { boundLeft, checkFloatLoss } from "./float-loss.ts";
import { formatTime } from "./time-text.ts";
import { formatSample } from "./value-text.ts";

/** Formats of decoded recordings. */
export const SINK_FORMATS = ["csv", "f32"] as const;
export type SinkFormat = (typeof SINK_FORMATS)[number];

/** Takes decoded rows, waiting whenever the stream behind it is full. */
export interface RowSink {
  /**
   * @param values  shape (rows, all channels of the header), row-major; NaN: no reading
   * @throws {TelemetryError} `float32-loss` before any of these rows is written
   */
  write(values: Float64Array, firstSample: number): Promise<void>;
}

/** Rows written to a stream in one go. */
const CHUNK_ROWS = 1024;
const FLOAT_BYTES = 4;

/** A sink of this format; a CSV header line is written at once. */
export async function openSink(stream: Writable, header: ContainerHeader, format: SinkFormat): Promise<RowSink> {
  if (format === "f32") {
    // What was float32 had this rounding taken from its bound when it was encoded.
    const left = header.source === "f32" ? undefined : dataChannels(header).map(boundLeft);
    return { write: (values, firstSample) => writeFloats(stream, header, values, firstSample, left) };
  }
  await push(stream, `${csvNames(header).map(quote).join(",")}\n`);
  return { write: (values, firstSample) => writeCsv(stream, header, values, firstSample) };
}

/** Column names in the order of the original file. */
function csvNames(header: ContainerHeader): string[] {
  const names = dataChannels(header).map(({ name }) => name);
  if (header.time.kind !== "none") names.splice(header.time.position, 0, header.time.column);
  return names;
}

async function writeCsv(stream: Writable, header: ContainerHeader, values: Float64Array, firstSample: number) {
  const width = header.channels.length;
  const channels = dataChannels(header);
  const { time } = header;
  const rows = values.length / width;
  for (let from = 0; from < rows; from += CHUNK_ROWS) {
    let text = "";
    for (let row = from; row < Math.min(from + CHUNK_ROWS, rows); row++) {
      const cells = channels.map((channel, c) => formatSample(values[row * width + c] ?? Number.NaN, channel));
      if (time.kind !== "none") {
        const at =
          time.kind === "uniform" ? time.start + (firstSample + row) * time.period : values[(row + 1) * width - 1];
        cells.splice(time.position, 0, formatTime(at ?? Number.NaN, time.decimals, time));
      }
      text += `${cells.join(",")}\n`;
    }
    await push(stream, text);
  }
}

async function writeFloats(
  stream: Writable,
  header: ContainerHeader,
  values: Float64Array,
  firstSample: number,
  left: readonly number[] | undefined,
): Promise<void> {
  const width = header.channels.length;
  const channels = dataChannels(header);
  const rows = values.length / width;
  const bytes = Buffer.alloc(rows * channels.length * FLOAT_BYTES);
  for (let row = 0, at = 0; row < rows; row++) {
    for (const [c, channel] of channels.entries()) {
      const value = values[row * width + c] ?? Number.NaN;
      if (left !== undefined) checkFloatLoss(value, left[c] ?? 0, channel, firstSample + row);
      bytes.writeFloatLE(value, at);
      at += FLOAT_BYTES;
    }
  }
  await push(stream, bytes);
}

async function push(stream: Writable, chunk: string | Uint8Array): Promise<void> {
  if (!stream.write(chunk)) await once(stream, "drain");
}

function quote(name: string): string {
  return /[",\n\r]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name;
}
