import type { FileHandle } from "node:fs/promises";
import { type RowLayout, strideOf } from "./row-layout.ts";
import { VectorIndexError } from "./vector-index-error.ts";
import { checkFinite, type VectorSource, type VectorType } from "./vector-source.ts";
import { numbersIn, TYPE_BYTES } from "./vector-type.ts";

/** What is read from the file at once, whole rows of it. */
const PIECE_BYTES = 1 << 20;
/** From here on whole numbers are not all float32. */
const MOST_EXACT = 2 ** 24;

/** Vectors in a file, read where they are needed; memory is that of one piece. */
export class RowFile implements VectorSource {
  readonly name: string;
  readonly n: number;
  readonly d: number;
  readonly dtype: VectorType;
  readonly #file: FileHandle;
  readonly #layout: RowLayout;

  /** @param file  is closed by `close` */
  constructor(file: FileHandle, layout: RowLayout, name: string) {
    this.#file = file;
    this.#layout = layout;
    this.name = name;
    this.n = layout.n;
    this.d = layout.d;
    this.dtype = layout.dtype;
  }

  async read(row: number, out: Float32Array): Promise<number> {
    const { n, d } = this;
    const rows = Math.min(Math.floor(out.length / d), n - row);
    const stride = strideOf(this.#layout);
    const most = Math.min(rows, Math.max(1, Math.floor(PIECE_BYTES / stride)));
    const bytes = Buffer.from(new ArrayBuffer(most * stride));
    for (let done = 0; done < rows; done += most) {
      const count = Math.min(most, rows - done);
      await this.#fill(bytes.subarray(0, count * stride), row + done);
      this.#convert(bytes, count, row + done, out.subarray(done * d, (done + count) * d));
    }
    return rows;
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #fill(bytes: Buffer, row: number): Promise<void> {
    const place = this.#layout.start + row * strideOf(this.#layout);
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await this.#file.read(bytes, at, bytes.length - at, place + at);
      at += bytesRead;
      if (bytesRead > 0) continue;
      const where = { file: this.name, byte: place + at };
      throw new VectorIndexError(
        "truncated",
        "it ends here, and was longer before",
        "leave it alone while it is read",
        where,
      );
    }
  }

  #convert(bytes: Buffer<ArrayBuffer>, count: number, firstRow: number, out: Float32Array): void {
    const { d, dtype, name } = this;
    const { headBytes } = this.#layout;
    const stride = strideOf(this.#layout);
    if (headBytes === 0) out.set(numbersIn(dtype, bytes.buffer, 0, count * d));
    for (let i = 0; headBytes > 0 && i < count; i++) {
      const said = bytes.readInt32LE(i * stride);
      if (said !== d) {
        const problem = `it says ${said} dimensions, and the first row ${d}`;
        throw new VectorIndexError("bad-shape", problem, "give rows of one length", { file: name, row: firstRow + i });
      }
      out.set(numbersIn(dtype, bytes.buffer, i * stride + headBytes, d), i * d);
    }
    if (dtype === "i32") checkExact(out, d, firstRow, name);
    if (TYPE_BYTES[dtype] > 1) checkFinite(out, d, firstRow, name);
  }
}

function checkExact(block: Float32Array, d: number, firstRow: number, name: string): void {
  const at = block.findIndex((value) => Math.abs(value) >= MOST_EXACT);
  if (at < 0) return;
  const place = { file: name, row: firstRow + Math.floor(at / d), column: at % d };
  throw new VectorIndexError("too-large", `${block[at]} is not below ${MOST_EXACT}`, "scale all vectors down", place);
}
