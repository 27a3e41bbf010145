import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** A recording: NAME.f32 (float32 little-endian, row-major) beside NAME.json (samples, channels). */
export interface TelemetrySet {
  readonly name: string;
  readonly rows: number;
  readonly channels: number;
  /** Shape (rows, channels). */
  readonly values: Float32Array;
  readonly ranges: readonly { readonly min: number; readonly max: number }[];
}

/**
 * Read every set of a folder.
 *
 * @throws {RangeError} when no folder is given, or when it holds none
 */
export async function listSets(folder: string | undefined): Promise<TelemetrySet[]> {
  if (folder === undefined) throw new RangeError("bench: codec needs --data DIR, a folder of NAME.f32 with NAME.json");
  const names = (await readdir(folder)).filter((file) => file.endsWith(".f32")).map((file) => file.slice(0, -4));
  if (names.length === 0) throw new RangeError(`bench: no NAME.f32 in ${folder}`);
  return Promise.all(names.sort().map((name) => readSet(folder, name)));
}

async function readSet(folder: string, name: string): Promise<TelemetrySet> {
  const about: { channels: string[] } = JSON.parse(await readFile(join(folder, `${name}.json`), "utf8"));
  const bytes = await readFile(join(folder, `${name}.f32`));
  const values = new Float32Array(new Uint8Array(bytes).buffer);
  const channels = about.channels.length;
  const ranges = about.channels.map((_, c) => {
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    for (let i = c; i < values.length; i += channels) {
      min = Math.min(min, values[i] ?? Number.NaN);
      max = Math.max(max, values[i] ?? Number.NaN);
    }
    return { min, max };
  });
  return { name, rows: values.length / channels, channels, values, ranges };
}
