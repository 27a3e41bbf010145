import { constants, gzipSync, zstdCompressSync } from "node:zlib";

/**
 * What anyone would do without a codec: round to the grid of 2 eps, take differences, and compress the bytes by
 * significance, channel after channel.
 *
 * @param values  shape (rows, channels)
 * @param eps  per channel, > 0
 * @returns bits per sample by name
 */
export function deltaPeers(values: Float32Array, channels: number, eps: readonly number[]): Record<string, number> {
  const rows = values.length / channels;
  const planes = new Uint8Array(values.length * 4);
  let plane = 0;
  for (let c = 0; c < channels; c++) {
    const step = 2 * (eps[c] ?? 1);
    let last = 0;
    for (let t = 0; t < rows; t++) {
      const bin = Math.round((values[t * channels + c] ?? 0) / step);
      const delta = bin - last;
      const zigzag = delta < 0 ? -2 * delta - 1 : 2 * delta;
      for (let byte = 0; byte < 4; byte++) planes[plane + byte * rows + t] = zigzag / 2 ** (8 * byte);
      last = bin;
    }
    plane += 4 * rows;
  }
  const zstd = zstdCompressSync(planes, { params: { [constants.ZSTD_c_compressionLevel]: 19 } });
  const gzip = gzipSync(planes, { level: 9 });
  return { zstd: (8 * zstd.length) / values.length, gzip: (8 * gzip.length) / values.length };
}
