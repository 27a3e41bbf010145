import type { FileHandle } from "node:fs/promises";
import { basename, extname } from "node:path";
import { MOST_NPY_HEADER_BYTES, npyLayout } from "./npy-layout.ts";
import { openRegularFile } from "./open-regular-file.ts";
import { RowFile } from "./row-file.ts";
import { checkShape, type RowLayout, rowsToEnd } from "./row-layout.ts";
import { VectorIndexError } from "./vector-index-error.ts";
import type { VectorSource, VectorType } from "./vector-source.ts";
import { vectorType } from "./vector-type.ts";

/** What a file does not say itself, or has to agree with. */
export interface VectorFileOptions {
  readonly dtype?: VectorType | undefined;
  readonly d?: number | undefined;
}

/** Files whose rows each begin with their length. @see http://corpus-texmex.irisa.fr, "file formats" */
const VECS: Readonly<Record<string, VectorType>> = { ".fvecs": "f32", ".bvecs": "u8", ".ivecs": "i32" };
const LENGTH_BYTES = 4;

/**
 * Open a file of vectors: `.fvecs`, `.bvecs`, `.ivecs`, `.npy`, and rows without anything before them, little-endian.
 *
 * Of the last, the type is the file's ending (`.f32 .f16 .u8 .i8 .i32`) or `dtype`, and d is in the name before that
 * (`base.20000x128.f16`) or given.
 *
 * @throws {VectorIndexError} `no-file`, `unreadable`, `unknown-format`, `bad-option`, `bad-header`, `bad-shape`,
 *   `too-large`, `truncated`
 */
export async function openVectors(path: string, options: VectorFileOptions = {}): Promise<VectorSource> {
  const file = await openRegularFile(path, "name a file of vectors, which is read more than once");
  try {
    const { size } = await file.stat();
    const layout = await layoutOf(file, path, size, options);
    checkOptions(layout, options, path);
    return new RowFile(file, layout, path);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function layoutOf(file: FileHandle, path: string, size: number, options: VectorFileOptions): Promise<RowLayout> {
  const ending = extname(path).toLowerCase();
  if (ending === ".npy") return npyLayout(await firstBytes(file, MOST_NPY_HEADER_BYTES), size, path);
  const vecs = VECS[ending];
  if (vecs === undefined) return rawLayout(path, size, options);
  const head = await firstBytes(file, LENGTH_BYTES);
  if (head.length < LENGTH_BYTES) {
    throw new VectorIndexError("truncated", `it has ${size} bytes`, "copy the file again", { file: path });
  }
  const layout = { n: 1, d: head.readInt32LE(0), dtype: vecs, start: 0, headBytes: LENGTH_BYTES } as const;
  return rowsToEnd(checkShape(layout, path), size, path);
}

function rawLayout(path: string, size: number, options: VectorFileOptions): RowLayout {
  const ending = extname(path).toLowerCase();
  const dtype = options.dtype ?? vectorType(ending.slice(1));
  if (dtype === undefined) {
    const remedy = "use .fvecs, .bvecs, .ivecs or .npy, or say --dtype and --d";
    throw new VectorIndexError("unknown-format", `nothing is known of files that end in "${ending}"`, remedy, {
      file: path,
    });
  }
  const [, rows, columns] = /\.(\d{1,10})x(\d{1,10})\.\w+$/.exec(basename(path)) ?? [];
  const d = columns === undefined ? options.d : Number(columns);
  if (d === undefined) {
    throw new VectorIndexError("bad-option", "its name does not say how long a row is", "say --d", { file: path });
  }
  const layout = rowsToEnd(checkShape({ n: 1, d, dtype, start: 0, headBytes: 0 }, path), size, path);
  if (rows === undefined || layout.n === Number(rows)) return layout;
  const problem = `it has ${layout.n} rows, and its name says ${rows}`;
  throw new VectorIndexError("truncated", problem, "copy the file again, or check d and the type", { file: path });
}

/** What is asked for and what the file says must be the same. */
function checkOptions(
  layout: RowLayout,
  { d = layout.d, dtype = layout.dtype }: VectorFileOptions,
  file: string,
): void {
  if (d !== layout.d) {
    const problem = `its rows have ${layout.d} numbers, and --d says ${d}`;
    throw new VectorIndexError("bad-option", problem, `say --d ${layout.d}, or give another file`, { file });
  }
  if (dtype === layout.dtype) return;
  const problem = `its numbers are ${layout.dtype}, and --dtype says ${dtype}`;
  throw new VectorIndexError("bad-option", problem, "leave out --dtype", { file });
}

async function firstBytes(file: FileHandle, most: number): Promise<Buffer> {
  const bytes = Buffer.alloc(most);
  const { bytesRead } = await file.read(bytes, 0, most, 0);
  return bytes.subarray(0, bytesRead);
}
