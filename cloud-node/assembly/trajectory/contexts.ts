/**
 * The context of a code: how large the codes around it are, in eight classes.
 *
 *     m = |q left| + |q right| + |q of the same atom on the axis before|, at most 255
 *     context = how many of the bounds that divide tables lie below m
 *
 * Bounds are 0, 1, 2, 4, 8, 16, 32, shifted up by what suits the class. Neighbouring contexts whose codes look alike
 * share a table: a bound that divides nothing is never exceeded.
 */
export const CONTEXTS: i32 = 8;
const NEVER: u8 = 255;
const BOUNDS: usize = memory.data(CONTEXTS, 16);

/**
 * Set the bounds.
 *
 * @param scale  0 … 3
 * @param dividers  bit k (1 … 7) set where context k has a table of its own and does not share that of k - 1
 */
export function setBounds(scale: i32, dividers: u32): void {
  let next: usize = 0;
  for (let k = 1; k < CONTEXTS; k++) {
    if (((dividers >> k) & 1) == 0) continue;
    const bound = (k == 1 ? 0 : 1 << (k - 2)) << scale;
    store<u8>(BOUNDS + next, <u8>min(bound, 254));
    next += 1;
  }
  for (; next < <usize>CONTEXTS; next++) store<u8>(BOUNDS + next, NEVER);
}

/**
 * Contexts of `count` codes.
 *
 * @param left, right, before  u8 sizes; readable for 15 bytes beyond `count`
 * @param out  u8, written for up to 15 bytes beyond `count`
 */
export function findContexts(left: usize, right: usize, before: usize, count: i32, out: usize): void {
  if (ASC_FEATURE_SIMD) {
    // One by one: in the loop each would be spread over its lanes anew.
    const a = v128.load8_splat(BOUNDS);
    const b = v128.load8_splat(BOUNDS + 1);
    const c = v128.load8_splat(BOUNDS + 2);
    const d = v128.load8_splat(BOUNDS + 3);
    const e = v128.load8_splat(BOUNDS + 4);
    const f = v128.load8_splat(BOUNDS + 5);
    const g = v128.load8_splat(BOUNDS + 6);
    for (let i: usize = 0; i < <usize>count; i += 16) {
      const both = i8x16.add_sat_u(v128.load(left + i), v128.load(right + i));
      const m = i8x16.add_sat_u(both, v128.load(before + i));
      const low = i8x16.add(i8x16.add(i8x16.gt_u(m, a), i8x16.gt_u(m, b)), i8x16.gt_u(m, c));
      const high = i8x16.add(
        i8x16.add(i8x16.gt_u(m, d), i8x16.gt_u(m, e)),
        i8x16.add(i8x16.gt_u(m, f), i8x16.gt_u(m, g)),
      );
      v128.store(out + i, i8x16.neg(i8x16.add(low, high)));
    }
  } else {
    for (let i: usize = 0; i < <usize>count; i++) {
      const m = min(<u32>load<u8>(left + i) + <u32>load<u8>(right + i) + <u32>load<u8>(before + i), <u32>255);
      let context: u32 = 0;
      for (let k: usize = 0; k < 7; k++) context += <u32>(m > <u32>load<u8>(BOUNDS + k));
      store<u8>(out + i, <u8>context);
    }
  }
}
