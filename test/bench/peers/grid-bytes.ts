import {
  brotliCompressSync,
  brotliDecompressSync,
  constants,
  gunzipSync,
  gzipSync,
  zstdCompressSync,
  zstdDecompressSync,
} from "node:zlib";
import { fromBins, gridStep, innerBound, toBins, unzigzag, zigzag } from "./grid.ts";
import type { Compressor, Peer, SignalShape } from "./peer.ts";

/** A compressor of bytes that anyone has. */
interface ByteCompressor {
  readonly compress: (bytes: Uint8Array) => Uint8Array;
  readonly decompress: (bytes: Uint8Array) => Uint8Array;
}

const ZSTD_LEVEL = 19;
const GZIP_LEVEL = 9;

/** Every one at its strongest usual setting. */
export const BYTE_COMPRESSORS = {
  zstd: {
    compress: (bytes) => zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL } }),
    decompress: (bytes) => zstdDecompressSync(bytes),
  },
  gzip: {
    compress: (bytes) => gzipSync(bytes, { level: GZIP_LEVEL }),
    decompress: (bytes) => gunzipSync(bytes),
  },
  brotli: {
    compress: (bytes) =>
      brotliCompressSync(bytes, {
        params: {
          [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
          [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
          [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
        },
      }),
    decompress: (bytes) => brotliDecompressSync(bytes),
  },
} as const satisfies Record<string, ByteCompressor>;

/** How the zigzag codes of all channels become bytes. */
interface ByteLayout {
  readonly name: string;
  readonly write: (columns: readonly Uint32Array[]) => Uint8Array;
  readonly read: (bytes: Uint8Array, channels: number, rows: number) => Uint32Array[];
}

/** What a grid value is told from: the one before it in its channel, or the channel's first one. */
type Reference = "last" | "first";

/** Where a channel's grid begins: at `origins`, or this many eps above the smallest value. */
type GridStart = "origin" | number;

/** Which side of a grid line a resting level falls on decides much where the grid is coarse. */
const GRID_STARTS: readonly GridStart[] = ["origin", 0, 0.5, 1, 1.5];

/** One way from samples to bytes. */
interface GridSetting {
  readonly reference: Reference;
  readonly layout: ByteLayout;
  readonly start: GridStart;
}

/**
 * What anyone would do without a codec: round to the grid of 2 eps, take differences, and compress the bytes. The better
 * of two layouts: bytes by significance, and integers of as many bytes as each needs.
 */
export function gridDifferences(name: string, compressor: ByteCompressor): Peer {
  const compressors = [BY_SIGNIFICANCE, BY_LENGTH].map((layout) =>
    gridCompressor(compressor, { reference: "last", layout, start: "origin" }),
  );
  return { name, hasLookahead: false, compressors };
}

/**
 * The same without differences: a level that returns is the same bytes again, which suits a compressor where few levels
 * are in use. Levels are counted from the channel's first one, so that most of them need one byte. The best of three
 * layouts, row by row being the third, and of five places for the grid to begin.
 */
export function gridLevels(name: string, compressor: ByteCompressor): Peer {
  const compressors = [BY_SIGNIFICANCE, BY_LENGTH, BY_ROW].flatMap((layout) =>
    GRID_STARTS.map((start) => gridCompressor(compressor, { reference: "first", layout, start })),
  );
  return { name, hasLookahead: false, compressors };
}

function gridCompressor({ compress, decompress }: ByteCompressor, setting: GridSetting): Compressor {
  const { layout, start, reference } = setting;
  return {
    setting: `${layout.name}, ${start === "origin" ? "grid from the origin" : `grid from ${start} eps above the least`}`,
    encode: (columns, shape) => compress(layout.write(toCodes(columns, shape, setting))),
    decode(bytes, shape) {
      const codes = layout.read(decompress(bytes), shape.eps.length, shape.rows);
      return codes.map((column, c) => {
        let from = 0;
        const bins = Int32Array.from(column, (code, t) => {
          const bin = from + unzigzag(code);
          if (reference === "last" || t === 0) from = bin;
          return bin;
        });
        return fromBins(bins, gridStep(shape.eps[c] ?? 0), startOf(shape, c, start));
      });
    },
  };
}

function toCodes(
  columns: readonly Float64Array[],
  shape: SignalShape,
  { reference, start }: GridSetting,
): Uint32Array[] {
  return columns.map((values, c) => {
    let from = 0;
    return Uint32Array.from(toBins(values, gridStep(shape.eps[c] ?? 0), startOf(shape, c, start)), (bin, t) => {
      const code = zigzag(bin - from);
      if (reference === "last" || t === 0) from = bin;
      return code;
    });
  });
}

function startOf({ eps, origins, least }: SignalShape, c: number, start: GridStart): number {
  return start === "origin" ? (origins[c] ?? 0) : (least[c] ?? 0) + start * innerBound(eps[c] ?? 0);
}

/** Channel after channel, of each the lowest bytes of all rows, then the next higher ones: four planes. */
const BY_SIGNIFICANCE: ByteLayout = {
  name: "bytes by significance",
  write(columns) {
    const rows = columns[0]?.length ?? 0;
    const bytes = new Uint8Array(4 * rows * columns.length);
    columns.forEach((column, c) => {
      for (let plane = 0; plane < 4; plane++) {
        const at = (4 * c + plane) * rows;
        for (let t = 0; t < rows; t++) bytes[at + t] = (column[t] as number) >>> (8 * plane);
      }
    });
    return bytes;
  },
  read(bytes, channels, rows) {
    return Array.from({ length: channels }, (_, c) => {
      const plane = (index: number, t: number) => bytes[(4 * c + index) * rows + t] ?? 0;
      return Uint32Array.from(
        { length: rows },
        (_, t) => plane(0, t) | (plane(1, t) << 8) | (plane(2, t) << 16) | (plane(3, t) << 24),
      );
    });
  },
};

/** Channel after channel, of as many bytes as each code needs. */
const BY_LENGTH: ByteLayout = {
  name: "integers by length",
  write(columns) {
    const codes = new CodeWriter(columns.reduce((sum, column) => sum + column.length, 0));
    for (const column of columns) for (const code of column) codes.write(code);
    return codes.finish();
  },
  read(bytes, channels, rows) {
    const codes = new CodeReader(bytes);
    return Array.from({ length: channels }, () => Uint32Array.from({ length: rows }, () => codes.read()));
  },
};

/** The same, row after row: what stands together in time stands together. */
const BY_ROW: ByteLayout = {
  name: "rows of integers by length",
  write(columns) {
    const rows = columns[0]?.length ?? 0;
    const codes = new CodeWriter(rows * columns.length);
    for (let t = 0; t < rows; t++) for (const column of columns) codes.write(column[t] as number);
    return codes.finish();
  },
  read(bytes, channels, rows) {
    const codes = new CodeReader(bytes);
    const columns = Array.from({ length: channels }, () => new Uint32Array(rows));
    for (let t = 0; t < rows; t++) for (const column of columns) column[t] = codes.read();
    return columns;
  },
};

const CODE_BYTES = 5;

/** Seven bits a byte, the lowest first, the top bit set where more follow. */
class CodeWriter {
  readonly #bytes: Uint8Array;
  #at = 0;

  /** @param most  codes that there may be */
  constructor(most: number) {
    this.#bytes = new Uint8Array(CODE_BYTES * most);
  }

  write(code: number): void {
    let rest = code;
    for (; rest >= 128; rest >>>= 7) this.#bytes[this.#at++] = 128 | (rest & 127);
    this.#bytes[this.#at++] = rest;
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }
}

class CodeReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  read(): number {
    let code = 0;
    let scale = 1;
    let byte = this.#bytes[this.#at++] ?? 0;
    for (; byte >= 128; byte = this.#bytes[this.#at++] ?? 0) {
      code += (byte & 127) * scale;
      scale *= 128;
    }
    return code + byte * scale;
  }
}
