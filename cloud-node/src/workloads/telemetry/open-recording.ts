import { extname } from "node:path";
import { type CsvOptions, openCsvSource } from "./csv-source.ts";
import { openFloatSource } from "./float-source.ts";
import type { RowSource } from "./row-source.ts";

/** Which file a recording is in, and what it does not say of itself. */
export interface RecordingFile extends CsvOptions {
  readonly input: string;
  /** Description of a float32 file; undefined: the input's name with `.json`. */
  readonly metaFile?: string | undefined;
}

/**
 * A recording as rows: float32 by its name or where a description is given, CSV otherwise.
 *
 * @throws {TelemetryError} `bad-input`
 */
export async function openRecording(file: RecordingFile): Promise<RowSource> {
  const { input, metaFile } = file;
  const isFloat = metaFile !== undefined || /\.(f32|bin|raw)$/i.test(input);
  if (!isFloat) return openCsvSource(input, file);
  return openFloatSource(input, metaFile ?? `${input.slice(0, input.length - extname(input).length)}.json`);
}
