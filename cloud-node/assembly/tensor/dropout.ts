/**
 * Dropout: which numbers are left out follows from a key and their place alone, so that it is the same in the backward
 * pass, for every number of threads, and when a run goes on.
 *
 *   draw  key | number of the first place | 0: nothing is left out
 */
import { storeLanes } from "./lanes";
import { STRIP, strip } from "./work-area";

/** Multipliers and the addend of `mixWords` in `cloud-node/src/tensor/random.ts`. */
const PLACE: i32 = 0xcc9e2d51;
const MIX: usize = memory.data<u32>([0x1b873593, 0xe6546b64, 0x85ebca6b, 0xc2b2ae35]);

/** Whether a kernel has anything to leave out. */
export function isDrawn(draw: usize): bool {
  return draw != 0 && i32.load(draw, 8) != 0;
}

/**
 * out = x, times 0 or 1 / (1 - rate), for `count` vectors that are `stride` bytes apart. `out` may be `x`.
 *
 * @param place  of the first number, from the first of `draw`
 * @param lanes  places from lane to lane
 * @param step  places from vector to vector
 */
export function dropVectors(
  out: usize,
  x: usize,
  stride: usize,
  count: i32,
  draw: usize,
  rate: f64,
  place: i32,
  lanes: i32,
  step: i32,
): void {
  const key = v128.load32_splat(draw);
  const threshold = i32x4.splat(i32(u32(rate * 4294967296)));
  const grown = f32x4.splat(f32(1 / (1 - rate)));
  const m0 = v128.load32_splat(MIX);
  const added = v128.load32_splat(MIX, 4);
  const m1 = v128.load32_splat(MIX, 8);
  const m2 = v128.load32_splat(MIX, 12);
  const places = i32x4.mul(i32x4(0, 1, 2, 3), i32x4.splat(lanes));
  const steps = i32x4.splat(step * PLACE);
  let at = i32x4.mul(i32x4.add(places, i32x4.splat(place + i32.load(draw, 4))), i32x4.splat(PLACE));
  for (; count > 0; count--) {
    let word = i32x4.add(i32x4.mul(v128.xor(at, key), m0), added);
    word = i32x4.mul(v128.xor(word, i32x4.shr_u(word, 16)), m1);
    word = i32x4.mul(v128.xor(word, i32x4.shr_u(word, 13)), m2);
    word = v128.xor(word, i32x4.shr_u(word, 16));
    v128.store(out, v128.and(f32x4.mul(v128.load(x), grown), i32x4.ge_u(word, threshold)));
    at = i32x4.add(at, steps);
    x += stride;
    out += stride;
  }
}

export function dropout(out: usize, x: usize, residual: usize, draw: usize, count: i32, rate: f64, add: i32): void {
  const base = add ? out : residual;
  for (let start = 0; start < count; start += STRIP) {
    const length = min(STRIP, count - start);
    const offset = usize(start) << 2;
    let from = x + offset;
    if (isDrawn(draw)) {
      dropVectors(strip(0), from, 16, (length + 3) >> 2, draw, rate, start, 1, 4);
      from = strip(0);
    }
    for (let i = 0; i < length; i += 4) {
      const at = usize(i) << 2;
      let value = v128.load(from + at);
      if (base != 0) value = f32x4.add(v128.load(base + offset + at), value);
      storeLanes(out + offset + at, value, length - i);
    }
  }
}
