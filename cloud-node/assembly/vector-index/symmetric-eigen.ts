/**
 * All eigenvalues and eigenvectors of a symmetric matrix, in double precision.
 *
 * Reflections bring A to a tridiagonal T, A = Q T Qᵀ; implicit QL steps with shifts then turn T into its eigenvalues.
 * Eigenvectors are kept as rows, so that every reflection and every rotation runs along memory.
 *
 * @see Bowdler, Martin, Reinsch and Wilkinson 1968, "The QR and QL algorithms for symmetric matrices"; Golub and
 *      Van Loan 2013, "Matrix Computations", sections 8.3.1 and 8.3.3
 */

/** Far more than a value has ever taken. */
const MAX_STEPS: i32 = 60;
const EPSILON: f64 = 2.220446049250313e-16;

/**
 * @param a  f64, shape (n, n), symmetric, n even; destroyed
 * @param n  ≥ 2
 * @param values  f64, shape (n): eigenvalues, in no order
 * @param vectors  f64, shape (n, n): row i is the eigenvector of value i
 * @param work  f64, shape (4 n)
 * @returns 0, or -1 if it did not converge
 */
export function symmetricEigen(a: usize, n: i32, values: usize, vectors: usize, work: usize): i32 {
  const bytes: usize = (<usize>n) << 3;
  const beside: usize = work + bytes;
  reduceToTridiagonal(a, n, values, beside, work, work + 2 * bytes, work + 3 * bytes);
  accumulate(a, n, work, vectors);
  return solveTridiagonal(n, values, beside, vectors);
}

function entry(a: usize, n: i32, i: i32, j: i32): usize {
  return a + ((<usize>i * n + j) << 3);
}

/** <x, y> from element `from` on, both aligned as rows are. */
function dot(x: usize, y: usize, from: i32, n: i32): f64 {
  let sum: f64 = 0;
  let j: i32 = from;
  if ((j & 1) !== 0) {
    sum = load<f64>(x + ((<usize>j) << 3)) * load<f64>(y + ((<usize>j) << 3));
    j++;
  }
  let pairs: v128 = f64x2.splat(0);
  for (; j < n; j += 2) {
    const at: usize = (<usize>j) << 3;
    pairs = f64x2.add(pairs, f64x2.mul(v128.load(x + at), v128.load(y + at)));
  }
  return sum + f64x2.extract_lane(pairs, 0) + f64x2.extract_lane(pairs, 1);
}

/** y += factor x from element `from` on. */
function addScaled(y: usize, x: usize, factor: f64, from: i32, n: i32): void {
  let j: i32 = from;
  if ((j & 1) !== 0) {
    const at: usize = (<usize>j) << 3;
    store<f64>(y + at, load<f64>(y + at) + factor * load<f64>(x + at));
    j++;
  }
  const factors: v128 = f64x2.splat(factor);
  for (; j < n; j += 2) {
    const at: usize = (<usize>j) << 3;
    v128.store(y + at, f64x2.add(v128.load(y + at), f64x2.mul(factors, v128.load(x + at))));
  }
}

/**
 * Step k reflects what is right of and below (k, k) by H = I − beta v vᵀ, so that row k is left with one entry beside
 * its diagonal. v takes the place of row k right of the diagonal, and beta is kept for `accumulate`.
 */
function reduceToTridiagonal(a: usize, n: i32, diagonal: usize, beside: usize, betas: usize, p: usize, v: usize): void {
  for (let k: i32 = 0; k < n - 1; k++) {
    const row: usize = entry(a, n, k, 0);
    const first: usize = (<usize>(k + 1)) << 3;
    store<f64>(diagonal + ((<usize>k) << 3), load<f64>(row + ((<usize>k) << 3)));
    const length: f64 = Math.sqrt(dot(row, row, k + 1, n));
    const head: f64 = load<f64>(row + first);
    const alpha: f64 = head > 0 ? -length : length;
    store<f64>(beside + ((<usize>k) << 3), alpha);
    store<f64>(row + first, head - alpha);
    const norm: f64 = dot(row, row, k + 1, n);
    const beta: f64 = norm > 0 ? 2 / norm : 0;
    store<f64>(betas + ((<usize>k) << 3), beta);
    if (beta === 0) continue;
    memory.copy(v, row, (<usize>n) << 3);
    for (let i: i32 = k + 1; i < n; i++) {
      store<f64>(p + ((<usize>i) << 3), beta * dot(entry(a, n, i, 0), v, k + 1, n));
    }
    addScaled(p, v, -0.5 * beta * dot(p, v, k + 1, n), k + 1, n);
    for (let i: i32 = k + 1; i < n; i++) {
      const target: usize = entry(a, n, i, 0);
      addScaled(target, p, -load<f64>(v + ((<usize>i) << 3)), k + 1, n);
      addScaled(target, v, -load<f64>(p + ((<usize>i) << 3)), k + 1, n);
    }
  }
  const last: usize = (<usize>(n - 1)) << 3;
  store<f64>(diagonal + last, load<f64>(entry(a, n, n - 1, n - 1)));
  store<f64>(beside + last, 0);
}

/** Qᵀ, by rows: the reflections one after the other, the last first, as those have touched the fewest rows. */
function accumulate(a: usize, n: i32, betas: usize, vectors: usize): void {
  memory.fill(vectors, 0, (<usize>n * n) << 3);
  for (let i: i32 = 0; i < n; i++) store<f64>(entry(vectors, n, i, i), 1);
  for (let k: i32 = n - 2; k >= 0; k--) {
    const beta: f64 = load<f64>(betas + ((<usize>k) << 3));
    if (beta === 0) continue;
    const v: usize = entry(a, n, k, 0);
    for (let i: i32 = k + 1; i < n; i++) {
      const row: usize = entry(vectors, n, i, 0);
      addScaled(row, v, -beta * dot(row, v, k + 1, n), k + 1, n);
    }
  }
}

function solveTridiagonal(n: i32, d: usize, e: usize, vectors: usize): i32 {
  const negligible: f64 = EPSILON * largestEntry(n, d, e);
  for (let l: i32 = 0; l < n; l++) {
    for (let step: i32 = 0; ; step++) {
      const end: i32 = endOfBlock(l, n, e, negligible);
      if (end === l) break;
      if (step === MAX_STEPS) return -1;
      sweep(l, end, n, d, e, vectors);
    }
  }
  return 0;
}

function largestEntry(n: i32, d: usize, e: usize): f64 {
  let largest: f64 = 0;
  for (let i: i32 = 0; i < n; i++) {
    const at: usize = (<usize>i) << 3;
    largest = max(largest, max(Math.abs(load<f64>(d + at)), Math.abs(load<f64>(e + at))));
  }
  return largest;
}

/**
 * Where the block that begins at l is cut off by an entry too small to matter; by the size of the matrix and not of
 * its neighbours, which are noise themselves where the matrix lacks rank.
 */
function endOfBlock(l: i32, n: i32, e: usize, negligible: f64): i32 {
  let end: i32 = l;
  while (end < n - 1 && Math.abs(load<f64>(e + ((<usize>end) << 3))) > negligible) end++;
  return end;
}

/** One implicit QL step on the block l … end: a rotation for each pair of neighbours, from the end on. */
function sweep(l: i32, end: i32, n: i32, d: usize, e: usize, vectors: usize): void {
  const top: usize = (<usize>l) << 3;
  const slope: f64 = (load<f64>(d + top, 8) - load<f64>(d + top)) / (2 * load<f64>(e + top));
  const root: f64 = Math.sqrt(slope * slope + 1);
  const shift: f64 = load<f64>(d + top) - load<f64>(e + top) / (slope + (slope < 0 ? -root : root));
  let g: f64 = load<f64>(d + ((<usize>end) << 3)) - shift;
  let s: f64 = 1;
  let c: f64 = 1;
  let p: f64 = 0;
  for (let i: i32 = end - 1; i >= l; i--) {
    const at: usize = (<usize>i) << 3;
    const f: f64 = s * load<f64>(e + at);
    const b: f64 = c * load<f64>(e + at);
    const r: f64 = Math.sqrt(f * f + g * g);
    store<f64>(e + at, r, 8);
    if (r === 0) {
      store<f64>(d + at, load<f64>(d + at, 8) - p, 8);
      store<f64>(e + ((<usize>end) << 3), 0);
      return;
    }
    s = f / r;
    c = g / r;
    g = load<f64>(d + at, 8) - p;
    const t: f64 = (load<f64>(d + at) - g) * s + 2 * c * b;
    p = s * t;
    store<f64>(d + at, g + p, 8);
    g = c * t - b;
    rotate(entry(vectors, n, i, 0), entry(vectors, n, i + 1, 0), c, s, n);
  }
  store<f64>(d + top, load<f64>(d + top) - p);
  store<f64>(e + top, g);
  store<f64>(e + ((<usize>end) << 3), 0);
}

function rotate(x: usize, y: usize, c: f64, s: f64, n: i32): void {
  const cosine: v128 = f64x2.splat(c);
  const sine: v128 = f64x2.splat(s);
  for (let j: i32 = 0; j < n; j += 2) {
    const at: usize = (<usize>j) << 3;
    const xs: v128 = v128.load(x + at);
    const ys: v128 = v128.load(y + at);
    v128.store(y + at, f64x2.add(f64x2.mul(sine, xs), f64x2.mul(cosine, ys)));
    v128.store(x + at, f64x2.sub(f64x2.mul(cosine, xs), f64x2.mul(sine, ys)));
  }
}
