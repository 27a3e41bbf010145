/**
 * Distances between vectors, in doubles: what every shortcut is held against.
 *
 *   queries   doubles, (4, d)        rows   float32, (rows, d)        out   doubles, (rows, 4)
 *
 * The host lays them out in memory from `heapStart()` on, each on 16 bytes; d is a multiple of 4, what is added to reach
 * it is 0 in all of them. A row is made doubles once for four queries.
 */

/** Where the host may begin to write. */
export function heapStart(): usize {
  return (__heap_base + 15) & ~15;
}

/** Squared distances of every row from four queries. */
export function squaredDistances(queries: usize, rows: usize, count: i32, d: i32, out: usize): void {
  const stride = (<usize>d) << 3;
  const rowBytes = (<usize>d) << 2;
  for (let i = 0; i < count; i++) {
    const row = rows + <usize>i * rowBytes;
    let a = f64x2.splat(0);
    let b = f64x2.splat(0);
    let c = f64x2.splat(0);
    let e = f64x2.splat(0);
    for (let at: usize = 0; at < rowBytes; at += 8) {
      const x = f64x2.promote_low_f32x4(v128.load64_zero(row + at));
      const query = queries + (at << 1);
      const u = f64x2.sub(x, v128.load(query));
      const v = f64x2.sub(x, v128.load(query + stride));
      const w = f64x2.sub(x, v128.load(query + 2 * stride));
      const y = f64x2.sub(x, v128.load(query + 3 * stride));
      a = f64x2.add(a, f64x2.mul(u, u));
      b = f64x2.add(b, f64x2.mul(v, v));
      c = f64x2.add(c, f64x2.mul(w, w));
      e = f64x2.add(e, f64x2.mul(y, y));
    }
    storeSums(out + ((<usize>i) << 5), a, b, c, e);
  }
}

/** Inner products of every row with four queries, negated, so that the smallest is the nearest. */
export function negatedProducts(queries: usize, rows: usize, count: i32, d: i32, out: usize): void {
  const stride = (<usize>d) << 3;
  const rowBytes = (<usize>d) << 2;
  for (let i = 0; i < count; i++) {
    const row = rows + <usize>i * rowBytes;
    let a = f64x2.splat(0);
    let b = f64x2.splat(0);
    let c = f64x2.splat(0);
    let e = f64x2.splat(0);
    for (let at: usize = 0; at < rowBytes; at += 8) {
      const x = f64x2.promote_low_f32x4(v128.load64_zero(row + at));
      const query = queries + (at << 1);
      a = f64x2.sub(a, f64x2.mul(x, v128.load(query)));
      b = f64x2.sub(b, f64x2.mul(x, v128.load(query + stride)));
      c = f64x2.sub(c, f64x2.mul(x, v128.load(query + 2 * stride)));
      e = f64x2.sub(e, f64x2.mul(x, v128.load(query + 3 * stride)));
    }
    storeSums(out + ((<usize>i) << 5), a, b, c, e);
  }
}

function storeSums(out: usize, a: v128, b: v128, c: v128, e: v128): void {
  store<f64>(out, f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1));
  store<f64>(out, f64x2.extract_lane(b, 0) + f64x2.extract_lane(b, 1), 8);
  store<f64>(out, f64x2.extract_lane(c, 0) + f64x2.extract_lane(c, 1), 16);
  store<f64>(out, f64x2.extract_lane(e, 0) + f64x2.extract_lane(e, 1), 24);
}
