import {
  brotliCompressSync,
  brotliDecompressSync,
  constants,
  gunzipSync,
  gzipSync,
  zstdCompressSync,
  zstdDecompressSync,
} from "node:zlib";
import { fromBins, gridStep, toBins, unzigzag, zigzag } from "./grid.ts";
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

/**
 * What anyone would do without a codec: round to the grid of 2 eps, take differences, and compress the bytes. The better
 * of two layouts: bytes by significance, and integers of as many bytes as each needs.
 */
export function gridDelta(name: string, { compress, decompress }: ByteCompressor): Peer {
  const compressors = [BY_SIGNIFICANCE, BY_LENGTH].map(
    (layout): Compressor => ({
      setting: layout.name,
      encode: (columns, shape) => compress(layout.write(differences(columns, shape))),
      decode: (bytes, shape) => {
        const codes = layout.read(decompress(bytes), shape.eps.length, shape.rows);
        return codes.map((column, c) => {
          let bin = 0;
          const bins = Int32Array.from(column, (code) => {
            bin += unzigzag(code);
            return bin;
          });
          return fromBins(bins, gridStep(shape.eps[c] ?? 0), shape.origins[c] ?? 0);
        });
      },
    }),
  );
  return { name, hasLookahead: false, compressors };
}

function differences(columns: readonly Float64Array[], { eps, origins }: SignalShape): Uint32Array[] {
  return columns.map((values, c) => {
    let last = 0;
    return Uint32Array.from(toBins(values, gridStep(eps[c] ?? 0), origins[c] ?? 0), (bin) => {
      const code = zigzag(bin - last);
      last = bin;
      return code;
    });
  });
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

/** Channel after channel, seven bits a byte, the lowest first, the top bit set where more follow. */
const BY_LENGTH: ByteLayout = {
  name: "integers by length",
  write(columns) {
    const bytes = new Uint8Array(5 * columns.reduce((sum, column) => sum + column.length, 0));
    let at = 0;
    for (const column of columns) {
      for (let code of column) {
        for (; code >= 128; code >>>= 7) bytes[at++] = 128 | (code & 127);
        bytes[at++] = code;
      }
    }
    return bytes.subarray(0, at);
  },
  read(bytes, channels, rows) {
    let at = 0;
    return Array.from({ length: channels }, () =>
      Uint32Array.from({ length: rows }, () => {
        let code = 0;
        let shift = 1;
        let byte = bytes[at++] ?? 0;
        for (; byte >= 128; byte = bytes[at++] ?? 0) {
          code += (byte & 127) * shift;
          shift *= 128;
        }
        return code + byte * shift;
      }),
    );
  },
};
