/**
 * A bound is kept this much below eps, relatively, so that the rounding of float64 in a decoder cannot pass it. Values of
 * float32 at bounds of use lie below 2^24 bins, where that rounding is a thousand times smaller.
 */
const MARGIN = 1e-7;

/** The bound that a peer works with. */
export function innerBound(eps: number): number {
  return eps * (1 - MARGIN);
}

/** The widest grid on which rounding to nearest stays within eps. */
export function gridStep(eps: number): number {
  return 2 * innerBound(eps);
}

/** Round each value to the nearest of origin + step Z. */
export function toBins(values: Float64Array, step: number, origin: number): Int32Array {
  return Int32Array.from(values, (value) => Math.round((value - origin) / step));
}

/** The values that bins stand for. */
export function fromBins(bins: Int32Array, step: number, origin: number): Float64Array {
  return Float64Array.from(bins, (bin) => origin + bin * step);
}

/** 0, −1, 1, −2, 2 … to 0, 1, 2, 3, 4 …; every int32 to a uint32. */
export function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0;
}

export function unzigzag(code: number): number {
  return (code >>> 1) ^ -(code & 1);
}
