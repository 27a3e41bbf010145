import type { RerankKind } from "./search-segment.ts";

/** In front of every row: what its numbers are multiplied by, in float32. */
const SCALE_BYTES = 4;
const LARGEST_I8 = 127;
/** The largest power of two in half precision is 2^15: numbers are brought below it, and so far up that few underflow. */
const HALF_EXPONENT = 15;

/** Bytes of one row of the finer tier: a scale, and d numbers. */
export function rerankBytes(kind: RerankKind, d: number): number {
  return SCALE_BYTES + (kind === "i8" ? d : 2 * d);
}

/**
 * Keep a vector as it can be ranked again by: |x - x'| is at most half a 127th (i8), or 2^-11 (f16) of its largest number.
 *
 * @param row  shape (d), finite
 * @param out  `rerankBytes` long
 */
export function packRerank(kind: RerankKind, row: Float32Array, out: Uint8Array): void {
  let largest = 0;
  for (const value of row) largest = Math.max(largest, Math.abs(value));
  const scale = Math.fround(kind === "i8" ? largest / LARGEST_I8 : 2 ** (exponentOf(largest) + 1 - HALF_EXPONENT));
  const view = new DataView(out.buffer, out.byteOffset, out.length);
  view.setFloat32(0, scale, true);
  for (const [j, value] of row.entries()) {
    const level = scale === 0 ? 0 : value / scale;
    if (kind === "i8") view.setInt8(SCALE_BYTES + j, Math.max(-LARGEST_I8, Math.min(LARGEST_I8, Math.round(level))));
    else view.setFloat16(SCALE_BYTES + 2 * j, level, true);
  }
}

/** The other way. @param out  shape (d), overwritten */
export function unpackRerank(kind: RerankKind, bytes: Uint8Array, out: Float32Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const scale = view.getFloat32(0, true);
  if (kind === "i8") {
    const levels = new Int8Array(bytes.buffer, bytes.byteOffset + SCALE_BYTES, out.length);
    for (let j = 0; j < out.length; j++) out[j] = scale * (levels[j] ?? 0);
  } else {
    for (let j = 0; j < out.length; j++) out[j] = scale * view.getFloat16(SCALE_BYTES + 2 * j, true);
  }
}

/** floor(log2): no less than that of the smallest scale in float32. */
function exponentOf(value: number): number {
  return value === 0 ? 0 : Math.max(Math.floor(Math.log2(value)), -126 + HALF_EXPONENT);
}

/** How far a row of the finer tier may be from the vector that it was made of. @param row  what `unpackRerank` made of it */
export function rerankError(kind: RerankKind, bytes: Uint8Array, row: Float32Array): number {
  if (kind === "f16") return 2 ** -11 * Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
  const scale = new DataView(bytes.buffer, bytes.byteOffset, SCALE_BYTES).getFloat32(0, true);
  return (scale / 2) * Math.sqrt(row.length);
}
