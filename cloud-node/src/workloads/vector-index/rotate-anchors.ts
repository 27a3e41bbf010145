import type { IndexModel } from "./model.ts";
import type { TrainingCore } from "./training-core.ts";

/** Largest power of two that a float16 goes well beyond. */
const HALF_EXPONENT = 15;

/**
 * Take anchors to rotated space, and round each value to a float16 times a power of two, as the file keeps it.
 *
 * @param anchors  shape (m, D), mean taken off
 * @param rotation  shape (D, D)
 */
export function rotateAnchors(
  core: TrainingCore,
  anchors: Float32Array,
  rotation: Float32Array,
  D: number,
): { anchors: Float32Array; anchorExponent: number } {
  const rotated = rotate(core, anchors, rotation, D);
  const largest = rotated.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const anchorExponent = largest === 0 ? 0 : Math.ceil(Math.log2(largest)) - HALF_EXPONENT;
  const scale = 2 ** anchorExponent;
  return { anchors: rotated.map((value) => Math.f16round(value / scale) * scale), anchorExponent };
}

/** A model's anchors in the space of the vectors, mean taken off: shape (m, D). */
export function rotateBack(core: TrainingCore, { anchors, rotation, paddedD: D }: IndexModel): Float32Array {
  const transposed = rotation.map((_, at) => rotation[(at % D) * D + Math.floor(at / D)] ?? 0);
  return rotate(core, anchors, transposed, D);
}

function rotate(core: TrainingCore, rows: Float32Array, matrix: Float32Array, D: number): Float32Array {
  const start = core.mark();
  const by = core.place(matrix);
  const from = core.place(rows);
  const out = core.reserve(4 * rows.length);
  core.calls.rotateRows(from, rows.length / D, D, by, out);
  const rotated = core.floats(out, rows.length).slice();
  core.release(start);
  return rotated;
}
