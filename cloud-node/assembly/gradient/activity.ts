/**
 * How likely each coordinate of a matrix is to be sent, from what was sent of the matrix so far.
 *
 *     p(i, j) = density × row(i) × column(j)
 *
 * Every factor is what came over what was expected without it, (came + A) / (expected + A): 1 until something is known. All
 * are from this message alone, so that a lost message leaves no trace. A line is coded in blocks of 16; row and density
 * learn after each, columns from line to line.
 *
 * @see S. Gelman et al., "Bayesian Data Analysis", 3rd edition, section 2.6: the mean of a Poisson rate under a Gamma prior
 */
export const BLOCK: i32 = 16;
/** Two levels to an octave of probability, from 2^-12 on. */
export const LEVELS: i32 = 24;
const LOWEST_OCTAVE: i32 = -12;
const EXPONENT_BIAS: i32 = 127;
/** Two levels to an octave: the exponent and one bit of the mantissa. */
const LEVEL_SHIFT: i32 = 22;
/** So much has to come before half of a deviation is believed. */
const PRIOR: f32 = 1.5;
const FIRST_DENSITY: f32 = 0.03;
/** What a tensor's density begins with, in events. */
const DENSITY_PRIOR: f32 = 2;

/** Levels of the block, one byte each. */
export const BLOCK_LEVELS: usize = memory.data(16, 16);
const MASKS: usize = memory.data(2 * 16 * 4, 16);

let columnsCame: usize = 0;
let columnsExpected: usize = 0;
let density: f32 = FIRST_DENSITY;
let densityCame: f32 = 0;
let densityExpected: f32 = 0;
let hasColumns: bool = false;
let row: f32 = 1;
let rowCame: f32 = 0;
let rowExpected: f32 = 0;
let blockSum: f32 = 0;

/** Bytes that the columns of a matrix take. */
export function columnBytes(columns: i32): usize {
  return <usize>((columns + BLOCK - 1) & ~(BLOCK - 1)) * 8;
}

/** The middle of a level's probabilities, by which its coder begins. */
export function levelChance(level: i32): f64 {
  const octave = <f64>((level >> 1) + LOWEST_OCTAVE);
  return Math.pow(2, octave) * (level & 1 ? 1.75 : 1.25);
}

/** Begin a message. */
export function openActivity(): void {
  density = FIRST_DENSITY;
  memory.fill(MASKS, 255, 16 * 4);
}

/** Begin a matrix; `work` has `columnBytes` of it. A matrix of one line has no columns to learn from. */
export function openMatrix(work: usize, lines: i32, columns: i32): void {
  const bytes = columnBytes(columns);
  columnsCame = work;
  columnsExpected = work + (bytes >> 1);
  memory.fill(work, 0, bytes);
  hasColumns = lines > 1;
  densityCame = DENSITY_PRIOR;
  densityExpected = DENSITY_PRIOR / density;
}

export function openActivityLine(): void {
  row = 1;
  rowCame = 0;
  rowExpected = 0;
}

/** Find the levels of up to 16 coordinates of a line, from `column` on. */
export function openBlock(column: i32, count: i32): void {
  const came = columnsCame + ((<usize>column) << 2);
  const expected = columnsExpected + ((<usize>column) << 2);
  const mask = MASKS + ((<usize>(BLOCK - count)) << 2);
  const prior = f32x4.splat(PRIOR);
  const shared = f32x4.splat(density * row);
  let sum = f32x4.splat(0);
  let levels0 = i32x4.splat(0);
  let levels1 = levels0;
  let levels2 = levels0;
  let levels3 = levels0;
  for (let o: usize = 0; o < 64; o += 16) {
    const seen = v128.load(expected + o);
    let chance = shared;
    if (hasColumns) {
      chance = f32x4.mul(shared, f32x4.div(f32x4.add(v128.load(came + o), prior), f32x4.add(seen, prior)));
      v128.store(expected + o, f32x4.add(seen, shared));
    }
    sum = f32x4.add(sum, v128.and(chance, v128.load(mask + o)));
    levels0 = levels1;
    levels1 = levels2;
    levels2 = levels3;
    levels3 = i32x4.sub(i32x4.shr_u(chance, LEVEL_SHIFT), i32x4.splat(2 * (EXPONENT_BIAS + LOWEST_OCTAVE)));
  }
  const most = i8x16.splat(<i8>(LEVELS - 1));
  const low = i16x8.narrow_i32x4_s(levels0, levels1);
  const high = i16x8.narrow_i32x4_s(levels2, levels3);
  v128.store(BLOCK_LEVELS, i8x16.min_u(i8x16.narrow_i16x8_u(low, high), most));
  blockSum =
    f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1) + (f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3));
}

/** A coordinate of the line was sent. */
export function noteSent(column: i32): void {
  const came = columnsCame + ((<usize>column) << 2);
  store<f32>(came, load<f32>(came) + 1);
}

/** Coordinates of a block were sent: those whose codes, i16, are not 0. @returns how many */
export function noteSentBlock(codes: usize, column: i32, count: i32): i32 {
  if (count < BLOCK) return noteSentLanes(codes, column, count);
  const came = columnsCame + ((<usize>column) << 2);
  const low = i16x8.ne(v128.load(codes), i16x8.splat(0));
  const high = i16x8.ne(v128.load(codes, 16), i16x8.splat(0));
  addCame(came, i32x4.extend_low_i16x8_s(low));
  addCame(came + 16, i32x4.extend_high_i16x8_s(low));
  addCame(came + 32, i32x4.extend_low_i16x8_s(high));
  addCame(came + 48, i32x4.extend_high_i16x8_s(high));
  return <i32>(popcnt<u32>(i16x8.bitmask(low)) + popcnt<u32>(i16x8.bitmask(high)));
}

function noteSentLanes(codes: usize, column: i32, count: i32): i32 {
  let sent = 0;
  for (let lane = 0; lane < count; lane++) {
    if (load<i16>(codes + ((<usize>lane) << 1)) == 0) continue;
    noteSent(column + lane);
    sent += 1;
  }
  return sent;
}

function addCame(at: usize, isSent: v128): void {
  v128.store(at, f32x4.add(v128.load(at), v128.and(isSent, f32x4.splat(1))));
}

/** End a block, of which `sent` coordinates were sent. */
export function closeBlock(sent: i32): void {
  rowCame += <f32>sent;
  rowExpected += blockSum / row;
  densityCame += <f32>sent;
  densityExpected += blockSum / density;
  row = (rowCame + PRIOR) / (rowExpected + PRIOR);
  density = densityCame / densityExpected;
}
