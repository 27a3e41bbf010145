/** IEEE 754 half precision, by its bits. */

/** 2^112: what the exponent of a half is short of, in a float's bits. */
const REBIAS: f32 = 5.192296858534828e33;

/** The largest that is finite. */
export const LARGEST_HALF: f32 = 65504;

/** The nearest half, ties to even; infinity beyond 65519. */
export function toHalf(x: f32): u16 {
  const sign = (reinterpret<u32>(x) >> 16) & 0x8000;
  const size = abs(x);
  if (size >= 65520) return <u16>(sign | 0x7c00);
  // Below 2^-14 a half has a fixed step, which is that of floats around 0.5: the addition rounds.
  if (size < 6.103515625e-5) return <u16>(sign | (reinterpret<u32>(size + 0.5) - reinterpret<u32>(<f32>0.5)));
  const bits = reinterpret<u32>(size) - (112 << 23);
  return <u16>(sign | ((bits + 0xfff + ((bits >> 13) & 1)) >> 13));
}

/** A half that is finite. */
export function fromHalf(half: u16): f32 {
  const size = reinterpret<f32>((<u32>half & 0x7fff) << 13) * REBIAS;
  return half & 0x8000 ? -size : size;
}
