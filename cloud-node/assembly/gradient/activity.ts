/**
 * How likely each coordinate of a matrix is to be sent, from what was sent of the matrix so far.
 *
 *     p(i, j) = density × row(i) × column(j) × context(c)
 *
 * Every factor is what came over what was expected without it, (came + A) / (expected + A): 1 until something is known. All
 * are from this message alone, so that a lost message leaves no trace. A line is coded in blocks of 16; row and density
 * learn after each, columns and contexts at once but for the line under way.
 *
 * @see S. Gelman et al., "Bayesian Data Analysis", 3rd edition, section 2.6: the mean of a Poisson rate under a Gamma prior
 */
export const BLOCK: i32 = 16;
/** Two levels to an octave of probability, from 2^-12 on. */
export const LEVELS: i32 = 24;
const CONTEXTS: i32 = 16;
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
/** Of contexts: factors, and these byte by byte, sixteen first bytes before sixteen second ones. */
const FACTORS: usize = memory.data(16 * 4, 16);
const FACTOR_BYTES: usize = memory.data(16 * 4, 16);
const CAME: usize = memory.data(16 * 4, 16);
const EXPECTED: usize = memory.data(16 * 4, 16);
/** Chances since the factors were found. */
const CHANCES_SINCE: usize = memory.data(16 * 4, 16);
/** Of the block's coordinates: their contexts' factors, their chances. */
const BLOCK_FACTORS: usize = memory.data(16 * 4, 16);
const BLOCK_CHANCES: usize = memory.data(16 * 4, 16);
/** Factors are found anew at a line's beginning, where there were so many coordinates since. */
const FACTORS_EVERY: i32 = 512;

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
let sinceFactors: i32 = 0;

/** Bytes that the columns of a matrix take. */
export function columnBytes(columns: i32): usize {
  return <usize>((columns + BLOCK - 1) & ~(BLOCK - 1)) * 8;
}

/** The middle of a level's probabilities, by which its coder begins. */
export function levelChance(level: i32): f64 {
  const octave = <f64>((level >> 1) + LOWEST_OCTAVE);
  return Math.pow(2, octave) * (level & 1 ? 1.75 : 1.25);
}

/** Whether contexts are all within their range. @param contexts  u8 each */
export function areContexts(contexts: usize, count: i32): bool {
  let all = i8x16.splat(0);
  let i = 0;
  for (; i + 16 <= count; i += 16) all = v128.or(all, v128.load(contexts + i));
  let isWrong = v128.any_true(i8x16.shr_u(all, 4));
  for (; i < count; i++) isWrong = isWrong || <i32>load<u8>(contexts + i) >= CONTEXTS;
  return !isWrong;
}

/** Begin a message: nothing is known of contexts. */
export function openActivity(): void {
  density = FIRST_DENSITY;
  memory.fill(CAME, 0, CONTEXTS * 4);
  memory.fill(EXPECTED, 0, CONTEXTS * 4);
  memory.fill(CHANCES_SINCE, 0, CONTEXTS * 4);
  memory.fill(MASKS, 255, 16 * 4);
  sinceFactors = FACTORS_EVERY;
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
  if (sinceFactors >= FACTORS_EVERY) findFactors();
}

function findFactors(): void {
  sinceFactors = 0;
  for (let context: usize = 0; context < <usize>CONTEXTS; context++) {
    const at = context << 2;
    const since = load<f32>(CHANCES_SINCE + at);
    const expected = load<f32>(EXPECTED + at) + (since > 0 ? since / load<f32>(FACTORS + at) : 0);
    store<f32>(EXPECTED + at, expected);
    store<f32>(CHANCES_SINCE + at, 0);
    const factor = (load<f32>(CAME + at) + PRIOR) / (expected + PRIOR);
    store<f32>(FACTORS + at, factor);
    for (let byte: usize = 0; byte < 4; byte++) {
      store<u8>(FACTOR_BYTES + (byte << 4) + context, load<u8>(FACTORS + at + byte));
    }
  }
}

/**
 * Find the levels of up to 16 coordinates of a line, from `column` on.
 *
 * @param contexts  of these coordinates, u8 each, 0 … 15, readable for a whole block; 0: there are none
 */
export function openBlock(column: i32, count: i32, contexts: usize): void {
  const came = columnsCame + ((<usize>column) << 2);
  const expected = columnsExpected + ((<usize>column) << 2);
  const mask = MASKS + ((<usize>(BLOCK - count)) << 2);
  if (contexts != 0) spreadFactors(contexts);
  const prior = f32x4.splat(PRIOR);
  const shared = f32x4.splat(density * row);
  let sum = f32x4.splat(0);
  let levels0 = i32x4.splat(0);
  let levels1 = levels0;
  let levels2 = levels0;
  let levels3 = levels0;
  for (let o: usize = 0; o < 64; o += 16) {
    let base = shared;
    if (contexts != 0) base = f32x4.mul(base, v128.load(BLOCK_FACTORS + o));
    const seen = v128.load(expected + o);
    let chance = base;
    if (hasColumns) {
      chance = f32x4.mul(base, f32x4.div(f32x4.add(v128.load(came + o), prior), f32x4.add(seen, prior)));
      v128.store(expected + o, f32x4.add(seen, base));
    }
    if (contexts != 0) v128.store(BLOCK_CHANCES + o, chance);
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

/** Look the factors of sixteen contexts up at once, byte by byte, and put their bytes together again. */
function spreadFactors(contexts: usize): void {
  const context = v128.load(contexts);
  const a = i8x16.swizzle(v128.load(FACTOR_BYTES), context);
  const b = i8x16.swizzle(v128.load(FACTOR_BYTES, 16), context);
  const c = i8x16.swizzle(v128.load(FACTOR_BYTES, 32), context);
  const d = i8x16.swizzle(v128.load(FACTOR_BYTES, 48), context);
  const ab = i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const cd = i8x16.shuffle(c, d, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const abHigh = i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  const cdHigh = i8x16.shuffle(c, d, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  v128.store(BLOCK_FACTORS, i16x8.shuffle(ab, cd, 0, 8, 1, 9, 2, 10, 3, 11));
  v128.store(BLOCK_FACTORS, i16x8.shuffle(ab, cd, 4, 12, 5, 13, 6, 14, 7, 15), 16);
  v128.store(BLOCK_FACTORS, i16x8.shuffle(abHigh, cdHigh, 0, 8, 1, 9, 2, 10, 3, 11), 32);
  v128.store(BLOCK_FACTORS, i16x8.shuffle(abHigh, cdHigh, 4, 12, 5, 13, 6, 14, 7, 15), 48);
}

/** A coordinate of the line was sent. @param context  0 where there are none */
export function noteSent(column: i32, context: u32): void {
  const came = columnsCame + ((<usize>column) << 2);
  store<f32>(came, load<f32>(came) + 1);
  const at = CAME + ((<usize>context) << 2);
  store<f32>(at, load<f32>(at) + 1);
}

/** End a block, of which `sent` coordinates were sent. */
export function closeBlock(sent: i32, count: i32, contexts: usize): void {
  if (contexts != 0) expectContexts(contexts, count);
  rowCame += <f32>sent;
  rowExpected += blockSum / row;
  densityCame += <f32>sent;
  densityExpected += blockSum / density;
  row = (rowCame + PRIOR) / (rowExpected + PRIOR);
  density = densityCame / densityExpected;
}

function expectContexts(contexts: usize, count: i32): void {
  sinceFactors += count;
  for (let lane = 0; lane < count; lane++) {
    const at = CHANCES_SINCE + ((<usize>load<u8>(contexts + lane)) << 2);
    store<f32>(at, load<f32>(at) + load<f32>(BLOCK_CHANCES + ((<usize>lane) << 2)));
  }
}
