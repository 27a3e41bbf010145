import { checkShape, type RowLayout, strideOf } from "./row-layout.ts";
import { VectorIndexError } from "./vector-index-error.ts";
import type { VectorType } from "./vector-source.ts";

const MAGIC = Buffer.from("\x93NUMPY", "latin1");
/** Magic, version, and a header's length in 2 or 4 bytes: what has to be read to know where the rows begin. */
const PREAMBLE_BYTES = 12;
/** NumPy itself writes less than 200 bytes for two dimensions. */
export const MOST_NPY_HEADER_BYTES = 1 << 14;

const TYPES: Readonly<Record<string, VectorType>> = {
  "<f4": "f32",
  "<f2": "f16",
  "|u1": "u8",
  "|i1": "i8",
  "<i4": "i32",
};

/**
 * Read the header of a file of NumPy with one vector in each row.
 *
 * @param head  the file's first bytes: MOST_NPY_HEADER_BYTES, or all there are
 * @param size  of the file
 * @throws {VectorIndexError} `bad-header`, `bad-shape`, `truncated`, `unknown-format` for types and orders that are not taken
 * @see NumPy Enhancement Proposal 1, "A Simple File Format for NumPy Arrays"
 */
export function npyLayout(head: Buffer, size: number, file: string): RowLayout {
  const text = headerText(head, file);
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)\b/.exec(text)?.[1];
  const shape = /'shape'\s*:\s*\(([\d\s,]*)\)/.exec(text)?.[1];
  if (descr === undefined || order === undefined || shape === undefined) {
    throw new VectorIndexError(
      "bad-header",
      "its header has no descr, fortran_order or shape",
      "write it with numpy.save",
      { file },
    );
  }
  const dtype = TYPES[descr];
  if (dtype === undefined) {
    const problem = `its numbers are ${descr}, and not ${Object.keys(TYPES).join(", ")}`;
    throw new VectorIndexError("unknown-format", problem, "convert it with astype('<f4')", { file });
  }
  if (order === "True") {
    const remedy = "save numpy.ascontiguousarray of it";
    throw new VectorIndexError("unknown-format", "it is stored column by column", remedy, { file });
  }
  const [n = 0, d = 0, ...more] = shape
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map(Number);
  if (d === 0 || more.length > 0) {
    throw new VectorIndexError("bad-shape", `its shape is (${shape})`, "give one vector in each row: (n, d)", { file });
  }
  const layout = checkShape({ n, d, dtype, start: startOf(head), headBytes: 0 }, file);
  const needed = layout.start + n * strideOf(layout);
  if (size === needed) return layout;
  const problem = `shape (${n}, ${d}) of ${descr} needs ${needed} bytes, and it has ${size}`;
  throw new VectorIndexError("truncated", problem, "copy the file again", { file });
}

function headerText(head: Buffer, file: string): string {
  const [remedy, place] = ["write it with numpy.save", { file }];
  if (!head.subarray(0, MAGIC.length).equals(MAGIC) || head.length < PREAMBLE_BYTES) {
    throw new VectorIndexError("bad-header", "it does not begin as files of NumPy do", remedy, place);
  }
  const version = head[6] ?? 0;
  if (version < 1 || version > 3) {
    throw new VectorIndexError("bad-header", `its version is ${version}, and not 1 to 3`, remedy, place);
  }
  const start = startOf(head);
  if (start > head.length) {
    throw new VectorIndexError("bad-header", `its header ends at byte ${start}, after ${head.length}`, remedy, place);
  }
  return head.toString("latin1", 10, start);
}

function startOf(head: Buffer): number {
  return head[6] === 1 ? 10 + head.readUInt16LE(8) : PREAMBLE_BYTES + head.readUInt32LE(8);
}
