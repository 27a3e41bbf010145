/**
 * The closed loop's quantizer, on whole frames: steps of 2^S units around the prediction.
 *
 *     q = (X - P + 2^(S-1)) >> S      R = P + (q << S)      |X - R| <= 2^(S-1), modulo 2^32
 *
 * S = 0 is exact. Codes are kept as zigzag(q), and min(|q|, 255) besides: what the contexts look at.
 *
 * edge-sdk's quantizer is not used: it divides by a step of any width in 64 bits, a value at a time, for devices whose
 * unit is given by their sensor. Here the unit is chosen so that the step is a power of two: four values at once, and
 * sums that may wrap.
 */

/**
 * Quantize a frame in place.
 *
 * @param values  X, replaced by R
 * @param predicted  P
 * @param codes  zigzag(q)
 * @param sizes  u8
 * @param count  a multiple of 16
 */
export function quantizeFrame(
  values: usize,
  predicted: usize,
  codes: usize,
  sizes: usize,
  count: i32,
  subBits: i32,
): void {
  const half = subBits > 0 ? 1 << (subBits - 1) : 0;
  if (ASC_FEATURE_SIMD) {
    for (let i: usize = 0; i < <usize>count; i += 16) {
      const o = i << 2;
      const a = quantizeQuad(values + o, predicted + o, codes + o, half, subBits);
      const b = quantizeQuad(values + o + 16, predicted + o + 16, codes + o + 16, half, subBits);
      const c = quantizeQuad(values + o + 32, predicted + o + 32, codes + o + 32, half, subBits);
      const d = quantizeQuad(values + o + 48, predicted + o + 48, codes + o + 48, half, subBits);
      storeSizes(sizes + i, a, b, c, d);
    }
  } else {
    for (let i: usize = 0; i < <usize>count; i++) {
      const o = i << 2;
      const p = load<i32>(predicted + o);
      const q = (load<i32>(values + o) - p + half) >> subBits;
      store<i32>(values + o, p + (q << subBits));
      store<i32>(codes + o, (q << 1) ^ (q >> 31));
      store<u8>(sizes + i, sizeOf(q));
    }
  }
}

/** |q| of four codes. */
function quantizeQuad(values: usize, predicted: usize, codes: usize, half: i32, subBits: i32): v128 {
  const p = v128.load(predicted);
  const q = i32x4.shr_s(i32x4.add(i32x4.sub(v128.load(values), p), i32x4.splat(half)), subBits);
  v128.store(values, i32x4.add(p, i32x4.shl(q, subBits)));
  v128.store(codes, v128.xor(i32x4.shl(q, 1), i32x4.shr_s(q, 31)));
  return i32x4.abs(q);
}

function storeSizes(at: usize, a: v128, b: v128, c: v128, d: v128): void {
  v128.store(at, i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d)));
}

/** As the two narrowings above have it: -2^31 has no size. */
function sizeOf(q: i32): u8 {
  const size = q < 0 ? -q : q;
  return <u8>(size < 0 ? 0 : size > 255 ? 255 : size);
}

/** The way back: `predicted` and codes to R, written to `values`. */
export function dequantizeFrame(values: usize, predicted: usize, codes: usize, count: i32, subBits: i32): void {
  if (ASC_FEATURE_SIMD) {
    for (let o: usize = 0; o < (<usize>count) << 2; o += 16) {
      v128.store(values + o, dequantizeQuad(predicted + o, codes + o, subBits));
    }
  } else {
    for (let o: usize = 0; o < (<usize>count) << 2; o += 4) {
      store<i32>(values + o, dequantizeOne(predicted + o, codes + o, subBits));
    }
  }
}

/** Whether that is what `values` are. @param count  a multiple of 16 */
export function isDequantized(values: usize, predicted: usize, codes: usize, count: i32, subBits: i32): bool {
  if (ASC_FEATURE_SIMD) {
    let different = i32x4.splat(0);
    for (let o: usize = 0; o < (<usize>count) << 2; o += 16) {
      const back = dequantizeQuad(predicted + o, codes + o, subBits);
      different = v128.or(different, v128.xor(back, v128.load(values + o)));
    }
    return !v128.any_true(different);
  }
  let different = 0;
  for (let o: usize = 0; o < (<usize>count) << 2; o += 4) {
    different |= dequantizeOne(predicted + o, codes + o, subBits) ^ load<i32>(values + o);
  }
  return different == 0;
}

function dequantizeQuad(predicted: usize, codes: usize, subBits: i32): v128 {
  const z = v128.load(codes);
  const q = v128.xor(i32x4.shr_u(z, 1), i32x4.neg(v128.and(z, i32x4.splat(1))));
  return i32x4.add(v128.load(predicted), i32x4.shl(q, subBits));
}

function dequantizeOne(predicted: usize, codes: usize, subBits: i32): i32 {
  const z = load<u32>(codes);
  return load<i32>(predicted) + ((<i32>(z >> 1) ^ -(<i32>(z & 1))) << subBits);
}

/** Sizes of codes that were read. */
export function sizesOf(codes: usize, sizes: usize, count: i32): void {
  let i = 0;
  if (ASC_FEATURE_SIMD) {
    for (; i + 16 <= count; i += 16) {
      const at = codes + ((<usize>i) << 2);
      storeSizes(sizes + i, sizeQuad(at), sizeQuad(at + 16), sizeQuad(at + 32), sizeQuad(at + 48));
    }
  }
  for (; i < count; i++) {
    const z = load<u32>(codes + ((<usize>i) << 2));
    store<u8>(sizes + i, sizeOf(<i32>(z >> 1) ^ -(<i32>(z & 1))));
  }
}

function sizeQuad(at: usize): v128 {
  const z = v128.load(at);
  return i32x4.abs(v128.xor(i32x4.shr_u(z, 1), i32x4.neg(v128.and(z, i32x4.splat(1)))));
}
