import { getBits, getGolomb, putBits, putGolomb } from "./bits";
import { MAX_ROWS, MAX_TAPS, ownOffset, ownTapsOf } from "./schedule";

/**
 * The linear predictor of a frame: own taps r_k (r_0 the nearest) and partners' taps p_j, all reconstructions.
 *
 *     P = r_0 + ((2^(s-1) + sum c_k (r_k - r_0) + sum e_j p_j) >> s)      modulo 2^32
 *
 * Kept as one sum over all taps, with -sum c_k for r_0: modulo 2^32 that is the same, and a wild coefficient costs
 * bits, never the bound.
 */
/** Frames of the nearer partner (velocities of positions, forces of velocities), and of the other. */
const NEAR_OFFSETS: i32 = 4;
const FAR_OFFSETS: i32 = 3;
/** Coefficients are some hundreds to thousands: bits of a small one. */
const COEFFICIENT_ORDER: u32 = 9;

const COEFFICIENTS: usize = memory.data(MAX_ROWS * MAX_TAPS * 4, 16);
const SHIFTS: usize = memory.data(MAX_ROWS * 4, 16);
const TAP_AT: usize = memory.data(MAX_TAPS * 4, 16);
const TAP_COEFFICIENT: usize = memory.data(MAX_TAPS * 4, 16);
const KEPT: usize = memory.data(MAX_ROWS * (MAX_TAPS + 1) * 4, 16);

/** How many taps a row has with this many partners. */
export function tapsOf(row: i32, partners: i32): i32 {
  return ownTapsOf(row) + (partners > 0 ? NEAR_OFFSETS : 0) + (partners > 1 ? FAR_OFFSETS : 0);
}

/** 0, -1, 1, -2. */
function partnerOffset(i: i32): i32 {
  return i == 0 ? 0 : i == 1 ? -1 : i == 2 ? 1 : -2;
}

/** Whether a tap is a partner's next frame: the last frame of a chunk has none, and finds its own in that place. */
export function isAhead(row: i32, tap: i32): bool {
  const i = tap - ownTapsOf(row);
  return i >= 0 && partnerOffset(i < NEAR_OFFSETS ? i : i - NEAR_OFFSETS) > 0;
}

export function coefficientOf(row: i32, tap: i32): i32 {
  return load<i32>(COEFFICIENTS + ((<usize>(row * MAX_TAPS + tap)) << 2));
}

/** Range: every int32 will do. Tap 0 is what `closeRow` makes of the others. */
export function setCoefficient(row: i32, tap: i32, value: i32): void {
  store<i32>(COEFFICIENTS + ((<usize>(row * MAX_TAPS + tap)) << 2), value);
}

export function shiftOf(row: i32): i32 {
  return load<i32>(SHIFTS + ((<usize>row) << 2));
}

/** Set the shift, 1 … 15, and the coefficient of the nearest tap: own ones add up to nothing. */
export function closeRow(row: i32, shift: i32): void {
  store<i32>(SHIFTS + ((<usize>row) << 2), shift);
  let sum = 0;
  for (let tap = 1; tap < ownTapsOf(row); tap++) sum += coefficientOf(row, tap);
  setCoefficient(row, 0, -sum);
}

/**
 * Where a row's taps are in memory for one frame.
 *
 * @param plane  fixed-point values, frames of `stride` values
 * @param near, far  the same of the partners; 0 for none
 * @returns how many there are; `tapAddress` gives them
 */
export function placeTaps(row: i32, frame: i32, frames: i32, stride: i32, plane: usize, near: usize, far: usize): i32 {
  const own = ownTapsOf(row);
  const bytes = (<usize>stride) << 2;
  for (let tap = 0; tap < own; tap++) setTap(tap, plane + bytes * <usize>(frame + ownOffset(row, tap)));
  let taps = own;
  if (near != 0) taps = placePartner(taps, NEAR_OFFSETS, frame, frames, bytes, near);
  if (far != 0) taps = placePartner(taps, FAR_OFFSETS, frame, frames, bytes, far);
  return taps;
}

function placePartner(from: i32, count: i32, frame: i32, frames: i32, bytes: usize, plane: usize): i32 {
  for (let i = 0; i < count; i++) {
    const other = min(max(frame + partnerOffset(i), 0), frames - 1);
    setTap(from + i, plane + bytes * <usize>other);
  }
  return from + count;
}

function setTap(tap: i32, at: usize): void {
  store<usize>(TAP_AT + ((<usize>tap) << 2), at);
}

/** Address of a tap's frame, after `placeTaps`. */
export function tapAddress(tap: i32): usize {
  return load<usize>(TAP_AT + ((<usize>tap) << 2));
}

/**
 * Predict `count` values of a frame whose taps are placed.
 *
 * @param count  a multiple of 16
 * @param out  int32, may lie where none of the taps is
 */
export function predict(row: i32, taps: i32, count: i32, out: usize): void {
  for (let tap = 0; tap < taps; tap++) {
    store<i32>(TAP_COEFFICIENT + ((<usize>tap) << 2), coefficientOf(row, tap));
  }
  const shift = shiftOf(row);
  const half = 1 << (shift - 1);
  const last = (<usize>taps) << 2;
  for (let o: usize = 0; o < (<usize>count) << 2; o += 64) {
    if (ASC_FEATURE_SIMD) predictSixteen(o, last, half, shift, out + o);
    else for (let at = o; at < o + 64; at += 4) store<i32>(out + at, predictOne(at, last, half, shift));
  }
}

/** Sixteen values whose sums stay in registers from tap to tap. */
function predictSixteen(offset: usize, last: usize, half: i32, shift: i32, out: usize): void {
  let a = i32x4.splat(half);
  let b = a;
  let c = a;
  let d = a;
  for (let tap: usize = 0; tap < last; tap += 4) {
    const weight = v128.load32_splat(TAP_COEFFICIENT + tap);
    const at = load<usize>(TAP_AT + tap) + offset;
    a = i32x4.add(a, i32x4.mul(weight, v128.load(at)));
    b = i32x4.add(b, i32x4.mul(weight, v128.load(at, 16)));
    c = i32x4.add(c, i32x4.mul(weight, v128.load(at, 32)));
    d = i32x4.add(d, i32x4.mul(weight, v128.load(at, 48)));
  }
  const nearest = load<usize>(TAP_AT) + offset;
  v128.store(out, i32x4.add(v128.load(nearest), i32x4.shr_s(a, shift)));
  v128.store(out, i32x4.add(v128.load(nearest, 16), i32x4.shr_s(b, shift)), 16);
  v128.store(out, i32x4.add(v128.load(nearest, 32), i32x4.shr_s(c, shift)), 32);
  v128.store(out, i32x4.add(v128.load(nearest, 48), i32x4.shr_s(d, shift)), 48);
}

function predictOne(offset: usize, last: usize, half: i32, shift: i32): i32 {
  let sum = half;
  for (let tap: usize = 0; tap < last; tap += 4) {
    sum += load<i32>(TAP_COEFFICIENT + tap) * load<i32>(load<usize>(TAP_AT + tap) + offset);
  }
  return load<i32>(load<usize>(TAP_AT) + offset) + (sum >> shift);
}

/** Make every row of a schedule repeat the nearest frame: the start of a fit. */
export function resetRows(rows: i32): void {
  memory.fill(COEFFICIENTS, 0, <usize>rows * MAX_TAPS * 4);
  for (let row = 0; row < rows; row++) closeRow(row, 1);
}

/** Put the rows aside, for `restoreRows` to bring back. */
export function keepRows(): void {
  memory.copy(KEPT, COEFFICIENTS, MAX_ROWS * MAX_TAPS * 4);
  memory.copy(KEPT + MAX_ROWS * MAX_TAPS * 4, SHIFTS, MAX_ROWS * 4);
}

export function restoreRows(): void {
  memory.copy(COEFFICIENTS, KEPT, MAX_ROWS * MAX_TAPS * 4);
  memory.copy(SHIFTS, KEPT + MAX_ROWS * MAX_TAPS * 4, MAX_ROWS * 4);
}

/** Write the coefficients of all rows; a row that only repeats takes one bit. */
export function putRows(rows: i32, partners: i32): void {
  for (let row = 0; row < rows; row++) {
    const taps = tapsOf(row, partners);
    let isUsed: u32 = 0;
    for (let tap = 1; tap < taps; tap++) isUsed |= <u32>(coefficientOf(row, tap) != 0);
    putBits(isUsed, 1);
    if (isUsed == 0) continue;
    putBits(shiftOf(row), 4);
    for (let tap = 1; tap < taps; tap++) {
      const coefficient = coefficientOf(row, tap);
      putGolomb((coefficient << 1) ^ (coefficient >> 31), COEFFICIENT_ORDER);
    }
  }
}

/** Read them. */
export function getRows(rows: i32, partners: i32): void {
  resetRows(rows);
  for (let row = 0; row < rows; row++) {
    if (getBits(1) == 0) continue;
    const shift = max<i32>(1, getBits(4));
    const taps = tapsOf(row, partners);
    for (let tap = 1; tap < taps; tap++) {
      const z = getGolomb(COEFFICIENT_ORDER);
      setCoefficient(row, tap, <i32>(z >> 1) ^ -(<i32>(z & 1)));
    }
    closeRow(row, shift);
  }
}
