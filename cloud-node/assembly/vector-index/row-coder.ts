/**
 * Rows to codes and back. A row is x = mean + P^T (c + r), c its anchor, r the residual; the code stands for u, and
 * x^ = mean + P^T (c + a u). Of several gains, by which r is divided before its levels are chosen, the one is kept
 * whose u points nearest to r; a = <r, u> / <u, u> is then the best scale.
 *
 * In dimension j, u_j = weight_j * level_j; weight_j is its standard deviation times the unit of its levels, and 0
 * without bits.
 */
import { fromHalf, LARGEST_HALF, toHalf } from "./half-floats";
import { levelsOf } from "./levels";
import { blockBits, codedBlocks, paddedD, plainBlocks } from "./model-shape";
import { rotate, rotateBack, rotationScratchBytes, total } from "./rotation";
import { decodeLevels, packRow } from "./row-code";
import { buildTrellisTables, findBins, searchTrellis, TRELLIS_TABLE_BYTES } from "./trellis";

/** What the residuals of a row are divided by, in units of their own root mean square. */
const GAINS: usize = memory.data<f32>([0.94, 1.0, 1.06, 1.13, 0.88, 1.22], 16);
const GAIN_COUNT: i32 = 6;

let d: i32 = 0;
let codeBytes: i32 = 0;
let termUnit: f32 = 1;
let mean: usize = 0;
let rotation: usize = 0;
let anchors: usize = 0;
let deviations: usize = 0;
let weights: usize = 0;

let tables: usize = 0;
let offsets: usize = 0;
let decisions: usize = 0;
let inputs: usize = 0;
let numbers: usize = 0;
let levels: usize = 0;
let kept: usize = 0;
let residual: usize = 0;
let scaled: usize = 0;
let space: usize = 0;

/** Bytes that `setCoder` needs for itself, the shape as set. */
export function coderScratchBytes(): i32 {
  return TRELLIS_TABLE_BYTES + paddedD * (4 + 1 + 1 + 1 + 1 + 3 + 4 + 4) + rotationScratchBytes();
}

/**
 * Describe the model; its shape is set already. All arrays stay the caller's, unchanged, 16-byte aligned.
 *
 * @param means       (D) f32
 * @param standard    (D) f32: standard deviations, > 0
 * @param scratch     coderScratchBytes(), 16-byte aligned
 */
export function setCoder(
  dimensions: i32,
  bytes: i32,
  unit: f32,
  means: usize,
  matrix: usize,
  references: usize,
  standard: usize,
  weighted: usize,
  scratch: usize,
): void {
  d = dimensions;
  codeBytes = bytes;
  termUnit = unit;
  mean = means;
  rotation = matrix;
  anchors = references;
  deviations = standard;
  weights = weighted;
  const D = <usize>paddedD;
  tables = scratch;
  offsets = tables + TRELLIS_TABLE_BYTES;
  residual = offsets + 4 * D;
  scaled = residual + 4 * D;
  decisions = scaled + 4 * D;
  inputs = decisions + D;
  numbers = inputs + D;
  levels = numbers + D;
  kept = levels + D;
  space = kept + 3 * D;
  buildTrellisTables(tables);
}

/**
 * Code rows.
 *
 * @param rows     (count, d) f32
 * @param rotated  (count, D) f32, overwritten
 * @param lists    (count) u32, the anchor of each, < m
 * @param codes    (count, codeBytes), overwritten
 * @param scales   (count) u16: a, as a half
 * @param terms    (count) u16: a^2 |u|^2 + 2 a <c, u>, as a half of the unit, |u| in the d dimensions of rows
 * @param errors   (count) f32: squared distance of the row and what its code stands for
 */
export function encodeRows(
  rows: usize,
  count: i32,
  rotated: usize,
  lists: usize,
  codes: usize,
  scales: usize,
  terms: usize,
  errors: usize,
): void {
  rotate(rows, count, d, mean, rotation, rotated, space);
  const stride = paddedD << 2;
  for (let i = 0; i < count; i++) {
    const anchor = anchors + <usize>load<u32>(lists + (i << 2)) * stride;
    encodeRow(
      rotated + i * stride,
      anchor,
      codes + i * codeBytes,
      scales + (i << 1),
      terms + (i << 1),
      errors + (i << 2),
    );
  }
}

function encodeRow(z: usize, anchor: usize, code: usize, scale: usize, term: usize, error: usize): void {
  const size = paddedD << 2;
  const coded = (plainBlocks + codedBlocks) << 6;
  let squares = f32x4.splat(0);
  let scaledSquares = f32x4.splat(0);
  for (let j = 0; j < size; j += 16) {
    const r = f32x4.sub(v128.load(z + j), v128.load(anchor + j));
    const y = f32x4.div(r, v128.load(deviations + j));
    v128.store(residual + j, r);
    v128.store(scaled + j, y);
    squares = f32x4.add(squares, f32x4.mul(r, r));
    if (j < coded) scaledSquares = f32x4.add(scaledSquares, f32x4.mul(y, y));
  }
  const gain = sqrt(total(scaledSquares) / <f32>max(coded >> 2, 1));

  let best: f32 = -1;
  let a: f32 = 0;
  let norm: f32 = 0;
  const spare = <usize>paddedD;
  for (let i = 0; i < GAIN_COUNT; i++) {
    chooseLevels(gain > 0 ? 1 / (gain * load<f32>(GAINS + (i << 2))) : 0);
    const along = weighLevels(residual);
    const ownNorm = levelNorm();
    // Not the square of what is a square already: small and large rows would have none.
    const ownScale = ownNorm > 0 ? along / ownNorm : 0;
    const closeness = along * ownScale;
    if (closeness > best) {
      best = closeness;
      a = ownScale;
      norm = ownNorm;
      memory.copy(kept, levels, spare);
      memory.copy(kept + spare, inputs, spare);
      memory.copy(kept + 2 * spare, numbers, spare);
    }
  }
  packRow(kept + spare, kept + 2 * spare, kept, code);
  memory.copy(levels, kept, spare);

  const half = toHalf(max(min(a, LARGEST_HALF), -LARGEST_HALF));
  store<u16>(scale, half);
  const stored = fromHalf(half);
  const t = (stored * stored * (norm - paddingNorm()) + 2 * stored * weighLevels(anchor)) / termUnit;
  store<u16>(term, toHalf(max(min(t, LARGEST_HALF), -LARGEST_HALF)));
  store<f32>(error, max(0, total(squares) - 2 * stored * weighLevels(residual) + stored * stored * norm));
}

/** Levels, inputs and numbers of the scaled residual times a factor. */
function chooseLevels(factor: f32): void {
  const plain = <usize>(plainBlocks << 4);
  if (plain > 0) roundPlain(factor);
  let at = plain;
  for (let t = 0; t < codedBlocks; t++) {
    findBins(scaled + (at << 2), 16, factor, blockBits(plainBlocks + t), offsets + ((at - plain) << 2));
    at += 16;
  }
  searchTrellis(tables, offsets, codedBlocks << 4, decisions, inputs, numbers);
  for (let t = 0; t < codedBlocks; t++) {
    const bits = blockBits(plainBlocks + t);
    v128.store(levels + plain + (t << 4), levelsOf(v128.load(numbers + (t << 4)), bits));
  }
}

/** The plain blocks' levels: uniform, one for each unit. */
function roundPlain(factor: f32): void {
  for (let j: usize = 0; j < (<usize>plainBlocks) << 4; j++) {
    const unit = load<f32>(weights + (j << 2)) / load<f32>(deviations + (j << 2));
    const level = nearest((load<f32>(scaled + (j << 2)) * factor) / unit);
    store<i8>(levels + j, <i8>max<f32>(-127, min<f32>(127, level)));
  }
}

/** <x, u> of the levels. */
function weighLevels(x: usize): f32 {
  let sum = f32x4.splat(0);
  for (let j: usize = 0; j < (<usize>(plainBlocks + codedBlocks)) << 4; j += 4) {
    sum = f32x4.add(sum, f32x4.mul(v128.load(x + (j << 2)), levelValues(j)));
  }
  return total(sum);
}

/** <u, u> of the levels. */
function levelNorm(): f32 {
  let sum = f32x4.splat(0);
  for (let j: usize = 0; j < (<usize>(plainBlocks + codedBlocks)) << 4; j += 4) {
    const u = levelValues(j);
    sum = f32x4.add(sum, f32x4.mul(u, u));
  }
  return total(sum);
}

/** What of <u, u> lies outside the d dimensions of rows: it is in no decoded row, and so in no distance. */
function paddingNorm(): f32 {
  let norm: f32 = 0;
  for (let column = d; column < paddedD; column++) {
    let sum: f32 = 0;
    let at = rotation + (column << 2);
    for (let j = 0; j < (plainBlocks + codedBlocks) << 4; j++) {
      sum += load<f32>(at) * load<f32>(weights + (j << 2)) * <f32>load<i8>(levels + j);
      at += paddedD << 2;
    }
    norm += sum * sum;
  }
  return norm;
}

/** u in four dimensions. */
function levelValues(j: usize): v128 {
  const wide = i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(levels + j)));
  return f32x4.mul(f32x4.convert_i32x4_s(wide), v128.load(weights + (j << 2)));
}

/**
 * What the codes stand for.
 *
 * @param lists   (count) u32, < m
 * @param codes   (count, codeBytes), 7 readable bytes behind them
 * @param scales  (count) u16
 * @param rows    (count, D) f32, overwritten: the first d numbers of each are x^
 */
export function decodeRows(count: i32, lists: usize, codes: usize, scales: usize, rows: usize): void {
  const stride = paddedD << 2;
  for (let i = 0; i < count; i++) {
    decodeLevels(codes + i * codeBytes, levels);
    const scale = f32x4.splat(fromHalf(load<u16>(scales + (i << 1))));
    const anchor = anchors + <usize>load<u32>(lists + (i << 2)) * stride;
    memory.copy(scaled, anchor, stride);
    for (let j: usize = 0; j < (<usize>(plainBlocks + codedBlocks)) << 4; j += 4) {
      const at = scaled + (j << 2);
      v128.store(at, f32x4.add(v128.load(at), f32x4.mul(scale, levelValues(j))));
    }
    rotateBack(scaled, d, mean, rotation, rows + i * stride);
  }
}
