import { MAX_TAPS, ownTapsOf, rowCount, stepFrame, stepRow } from "./schedule";
import { closeRow, coefficientOf, isAhead, placeTaps, setCoefficient, tapAddress } from "./taps";

/**
 * Coefficients by least squares, on sampled values.
 *
 * Regressors are the differences r_k - r_0 of own taps and the values of partners; the target is x - r_0. What will be
 * there to predict from are reconstructions, which differ from the source by up to half a step. A first fit therefore
 * corrects the normal equations of the source for white noise of variance n = step^2 / 12 in every own tap:
 *
 *     A_jk += n,  A_kk += 2 n,  B_k += n          (own taps; noise of r_0 is in all differences, and in the target)
 *
 * A later fit takes the reconstructions that the first one's coefficients led to, and corrects nothing. Partners are
 * always reconstructions.
 *
 * An integral, the other kind of fit, has two own taps and what partners have up to the frame: positions summed up from
 * velocities, where frames are so near in time that this says nearly all. More of its own would bring back errors of
 * before, and what lies ahead fails the last frame, which has nothing there; either way errors come to lean with the
 * forces, and energies change (`npm run bench -- trajectory`).
 */
/** Samples of a row: many more than there are coefficients. */
const SAMPLES: i32 = 1024;
/** Keeps equations solvable whose regressors are the same. */
const RIDGE: f64 = 1e-7;
const MOST_SHIFT: i32 = 15;
const MOST_COEFFICIENT: f64 = 1073741824.0;
/** Own taps of an integral: the second, finer than any partner's, makes up for how those were rounded. */
const INTEGRAL_TAPS: i32 = 2;

/** Samples that are added to the equations at once: sums stay in registers meanwhile. */
const BATCH: i32 = 64;
const LINE_BYTES: usize = MAX_TAPS * 8;

/** Lower triangle of the products of regressors; the line behind them has their products with the target. */
const A: usize = memory.data(MAX_TAPS * MAX_TAPS * 8, 16);
/** Of each sample of a batch the regressors, then the target. */
const D: usize = memory.data(BATCH * MAX_TAPS * 8, 16);
/** Right side, then solution. */
const B: usize = memory.data(MAX_TAPS * 8, 16);

/**
 * Fit all rows of the schedule.
 *
 * @param source  sampled fixed-point values, frames of `stride`
 * @param plane  what own taps are taken from: `source`, or its reconstructions
 * @param noise  variance of own taps to correct for, in units squared
 * @param isIntegral  for groups with partners
 */
export function fitRows(
  frames: i32,
  stride: i32,
  source: usize,
  plane: usize,
  near: usize,
  far: usize,
  noise: f64,
  isIntegral: bool,
): void {
  for (let row = 0; row < rowCount(); row++) fitRow(row, frames, stride, source, plane, near, far, noise, isIntegral);
}

function fitRow(
  row: i32,
  frames: i32,
  stride: i32,
  source: usize,
  plane: usize,
  near: usize,
  far: usize,
  noise: f64,
  isIntegral: bool,
): void {
  const own = isIntegral ? min(INTEGRAL_TAPS, ownTapsOf(row)) : ownTapsOf(row);
  const left = isIntegral ? leftOut(row) : 0;
  let uses = 0;
  for (let step = 1; step < frames; step++) uses += <i32>(stepRow(step) == row);
  const skip = max(1, (uses * stride) / SAMPLES);
  memory.fill(A, 0, MAX_TAPS * MAX_TAPS * 8);
  let unknowns = 0;
  let largest: u32 = 0;
  let samples = 0;
  let held = 0;
  let first = 0;
  for (let step = 1; step < frames; step++) {
    if (stepRow(step) != row) continue;
    const frame = stepFrame(step);
    const taps = placeTaps(row, frame, frames, stride, plane, near, far);
    unknowns = taps - 1;
    const target = source + ((<usize>(frame * stride)) << 2);
    let i = first;
    for (; i < stride; i += skip) {
      const y = takeSample(row, taps, left, target, (<usize>i) << 2, D + <usize>held * LINE_BYTES);
      largest = max(largest, <u32>abs(y));
      samples += 1;
      held += 1;
      if (held < BATCH) continue;
      addBatch(BATCH, unknowns);
      held = 0;
    }
    first = i - stride;
  }
  addBatch(held, unknowns);
  memory.copy(B, A + <usize>unknowns * LINE_BYTES, LINE_BYTES);
  correct(own - 1, noise * <f64>samples);
  const shift = max(1, min(MOST_SHIFT, <i32>clz(largest) - 4));
  solve(unknowns, <f64>(1 << shift));
  for (let k = 0; k < unknowns; k++) setCoefficient(row, k + 1, <i32>load<f64>(B + ((<usize>k) << 3)));
  closeRow(row, shift);
}

/** Taps that an integral is without, a bit for each. */
function leftOut(row: i32): u32 {
  let taps: u32 = 0;
  for (let tap = INTEGRAL_TAPS; tap < MAX_TAPS; tap++) {
    if (tap < ownTapsOf(row) || isAhead(row, tap)) taps |= 1 << tap;
  }
  return taps;
}

/** Regressors and target of one sample; what is left out is 0. @returns the target */
function takeSample(row: i32, taps: i32, left: u32, target: usize, offset: usize, out: usize): i32 {
  const own = ownTapsOf(row);
  const base = load<i32>(tapAddress(0) + offset);
  for (let tap = 1; tap < taps; tap++) {
    const value = load<i32>(tapAddress(tap) + offset);
    const regressor = tap < own ? value - base : value;
    store<f64>(out + ((<usize>(tap - 1)) << 3), (left >> tap) & 1 ? 0 : <f64>regressor);
  }
  const y = load<i32>(target + offset) - base;
  store<f64>(out + ((<usize>(taps - 1)) << 3), <f64>y);
  return y;
}

/** Add samples to the equations, each sum in their order. */
function addBatch(count: i32, unknowns: i32): void {
  for (let j = 0; j <= unknowns; j++) {
    const line = A + <usize>j * LINE_BYTES;
    // Whole vectors: what is beyond the triangle is not looked at.
    for (let k = 0; k <= j; k += 8) addProducts(count, (<usize>j) << 3, (<usize>k) << 3, line + ((<usize>k) << 3));
  }
}

/** Eight sums of the products of column j with columns k …; j and k in bytes. */
function addProducts(count: i32, j: usize, k: usize, sums: usize): void {
  const end = D + <usize>count * LINE_BYTES;
  if (ASC_FEATURE_SIMD) {
    let a = v128.load(sums);
    let b = v128.load(sums, 16);
    let c = v128.load(sums, 32);
    let d = v128.load(sums, 48);
    for (let sample = D; sample < end; sample += LINE_BYTES) {
      const x = v128.load64_splat(sample + j);
      const others = sample + k;
      a = f64x2.add(a, f64x2.mul(x, v128.load(others)));
      b = f64x2.add(b, f64x2.mul(x, v128.load(others, 16)));
      c = f64x2.add(c, f64x2.mul(x, v128.load(others, 32)));
      d = f64x2.add(d, f64x2.mul(x, v128.load(others, 48)));
    }
    v128.store(sums, a);
    v128.store(sums, b, 16);
    v128.store(sums, c, 32);
    v128.store(sums, d, 48);
  } else {
    for (let o: usize = 0; o < 64; o += 8) {
      let sum = load<f64>(sums + o);
      for (let sample = D; sample < end; sample += LINE_BYTES) {
        sum += load<f64>(sample + j) * load<f64>(sample + k + o);
      }
      store<f64>(sums + o, sum);
    }
  }
}

function correct(own: i32, noise: f64): void {
  for (let j = 0; j < own; j++) {
    for (let k = 0; k <= j; k++) {
      const at = A + ((<usize>(j * MAX_TAPS + k)) << 3);
      store<f64>(at, load<f64>(at) + (j == k ? 2.0 * noise : noise));
    }
    const at = B + ((<usize>j) << 3);
    store<f64>(at, load<f64>(at) + noise);
  }
}

/**
 * Cholesky in place, on the lower triangle; what cannot be told apart gets nothing. B becomes the solution times `scale`
 * in whole numbers, rounded from the last to the first: each makes up for what rounding took behind it.
 */
function solve(n: i32, scale: f64): void {
  for (let j = 0; j < n; j++) {
    const diagonal = entry(j, j);
    let pivot = diagonal * (1.0 + RIDGE);
    for (let k = 0; k < j; k++) pivot -= entry(j, k) * entry(j, k);
    const root = pivot > diagonal * (RIDGE * 0.01) && pivot > 0 ? sqrt<f64>(pivot) : 0;
    setEntry(j, j, root);
    for (let i = j + 1; i < n; i++) {
      let sum = entry(i, j);
      for (let k = 0; k < j; k++) sum -= entry(i, k) * entry(j, k);
      setEntry(i, j, root > 0 ? sum / root : 0);
    }
  }
  for (let j = 0; j < n; j++) {
    let sum = load<f64>(B + ((<usize>j) << 3));
    for (let k = 0; k < j; k++) sum -= entry(j, k) * load<f64>(B + ((<usize>k) << 3));
    store<f64>(B + ((<usize>j) << 3), entry(j, j) > 0 ? sum / entry(j, j) : 0);
  }
  for (let j = n - 1; j >= 0; j--) {
    let sum = scale * load<f64>(B + ((<usize>j) << 3));
    for (let i = j + 1; i < n; i++) sum -= entry(i, j) * load<f64>(B + ((<usize>i) << 3));
    const whole = entry(j, j) > 0 ? nearest(sum / entry(j, j)) : 0;
    store<f64>(B + ((<usize>j) << 3), abs(whole) < MOST_COEFFICIENT ? whole : 0);
  }
}

function entry(row: i32, column: i32): f64 {
  return load<f64>(A + ((<usize>(row * MAX_TAPS + column)) << 3));
}

function setEntry(row: i32, column: i32, value: f64): void {
  store<f64>(A + ((<usize>(row * MAX_TAPS + column)) << 3), value);
}

/** Bits that the rows take in a block, nearly. */
export function priceOfRows(): f64 {
  let coefficients = 0;
  for (let row = 0; row < rowCount(); row++) {
    for (let tap = 1; tap < MAX_TAPS; tap++) coefficients += <i32>(coefficientOf(row, tap) != 0);
  }
  return <f64>(rowCount() * 5 + coefficients * 14);
}
