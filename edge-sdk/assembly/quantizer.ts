import { divide, saturate } from "./fixed-point";

/**
 * The quantizer: a residual to an integer code and a code back to an offset, by mode.
 *
 * Error-bounded modes, bin width D = 2e' + s (e' a multiple of the lattice spacing s, s = 1 without a lattice):
 *
 *     dense    |q| = floor((|d| + e') / D)      offset = q D                  bins centred on multiples of D
 *     sparse   |q| = ceil(|d| / D), 0 if |d| <= e'   offset = sign (|q| D - e')   bins moved e' towards zero
 *
 * Both leave |d - offset| <= e' for every d that is a multiple of s; docs/design.md has the proof. Sparse suits a
 * signal that rests: what leaves the band lands in the middle of the next one and stays there longer.
 *
 * Modes that bound no single error, for what is summed up afterwards; dense is the first of the same kind:
 *
 *     |q| = min(floor((|d| + a) / D), limit)      dense       a = e'
 *                                                 stochastic  a drawn evenly from 0 ... D - 1: q D is d on average
 *                                                 top-k       a = D - T: nothing below the threshold T has a code
 */

/** Code of a residual. Range: |d| < 2^33, 0 <= bound < 2^30, 1 <= step < 2^31; |code| < 2^32. */
export function quantize(d: i64, step: i64, bound: i64, isSparse: bool): i64 {
  const size = d < 0 ? -d : d;
  if (size <= bound) return 0;
  const code = <i64>divide(<u64>(size + (isSparse ? step - 1 : bound)), <u64>step);
  return d < 0 ? -code : code;
}

/** Offset of a code. Range: |code| <= 2^32 - 1, so |offset| < 2^63 - 2^32. */
export function dequantize(code: i64, step: i64, bound: i64, isSparse: bool): i64 {
  const inward = isSparse ? (code > 0 ? bound : code < 0 ? -bound : 0) : 0;
  return code * step - inward;
}

/**
 * Snap an int32 prediction to the lattice through `origin`: the nearest point, or its neighbour towards the origin
 * where the nearest lies outside int32.
 */
export function snapToLattice(prediction: i32, origin: i32, spacing: i32): i32 {
  if (spacing == 1) return prediction;
  const wide = <i64>prediction - origin;
  const away = (wide < 0 ? -wide : wide) + (spacing >> 1);
  const points = <i64>divide(<u64>away, spacing);
  return saturateOnLattice(<i64>origin + (wide < 0 ? -points : points) * spacing, spacing);
}

/**
 * Bring a reconstruction back into int32 by whole lattice steps: the last point inside. A sample on the same lattice is
 * inside too, so this never moves away from it.
 */
export function saturateOnLattice(value: i64, spacing: i64): i32 {
  if (value == <i64>saturate(value)) return <i32>value;
  const excess = value > 0 ? value - i32.MAX_VALUE : <i64>i32.MIN_VALUE - value;
  const inward = <i64>divide(<u64>(excess + spacing - 1), <u64>spacing) * spacing;
  return saturate(value > 0 ? value - inward : value + inward);
}

/** Is the sample on the lattice through `origin`? */
export function isOnLattice(sample: i32, origin: i32, spacing: i32): bool {
  const away = sample < origin ? <u32>origin - <u32>sample : <u32>sample - <u32>origin;
  return away % <u32>spacing == 0;
}

/** Code of a residual by its mode's `a`, here `offset`. Range: |d| < 2^62, 1 <= step < 2^62, |offset| < 2^62, 1 <= limit. */
export function quantizeFrom(d: i64, step: i64, offset: i64, limit: i64): i64 {
  const size = (d < 0 ? -d : d) + offset;
  if (size < step) return 0;
  const code = min<i64>(<i64>divide(<u64>size, <u64>step), limit);
  return d < 0 ? -code : code;
}

/** `a` of the dense mode where nothing is on a lattice: e' is half a step. */
export function halfStepOffset(step: i64): i64 {
  return step >> 1;
}

/** `a` of the stochastic mode. @param draw  32 bits drawn evenly; range: 1 <= step < 2^31 */
export function stochasticOffset(step: i64, draw: u32): i64 {
  return (step * <i64>draw) >> 32;
}

/** `a` of the top-k mode. Range: 0 <= threshold. */
export function thresholdOffset(step: i64, threshold: i64): i64 {
  return step - threshold;
}
