import { fitRows, priceOfRows } from "./fit";
import { quantizeFrame } from "./quantize";
import { CLASSES, rowCount, schedule, stepClass, stepFrame, stepRow } from "./schedule";
import { clearCounts, priceOf, tableAt } from "./tables";
import { keepRows, placeTaps, predict, resetRows, restoreRows } from "./taps";
import { rawBitsOf, tokenOf } from "./tokens";

/**
 * Find the span and the coefficients of a chunk: code a sample of its atoms in every way, and take the cheapest.
 */
/** Atoms looked at: enough for the fit, and little beside a chunk. */
const SAMPLED: i32 = 128;
/** Spans are tried from 1 up until one costs this much more than the best so far. */
const PATIENCE: f64 = 1.03;
/**
 * Spans tried are 2^0 and 2^1, though a block may say up to 2^4: what lies between frames far apart is a smooth curve,
 * whose errors lean with the forces, and energies then change more (`npm run bench -- trajectory`).
 */
const SPANS_TRIED: i32 = 2;
/** Fits of a span: on the source, then on what came of the fit before. */
const FITS: i32 = 3;
/**
 * Where a value takes few bits, errors stay with their atoms for many frames. Another fit then has to be so much cheaper
 * than an integral, whose errors do not come to lean with the forces.
 */
const FEW_BITS: f64 = 0.125;
const INTEGRAL_WORTH: f64 = 1.1;
/** Later fits do not make up for a first that costs so many times the best so far. */
const HOPE: f64 = 1.5;

let frames: i32 = 0;
let stride: i32 = 0;
let subBits: i32 = 0;
let source: usize = 0;
let back: usize = 0;
let near: usize = 0;
let far: usize = 0;
let row0: usize = 0;
let codes: usize = 0;
let sizes: usize = 0;
/** Values of the chunk for one of the sample. */
let weight: f64 = 1;
/** Price of the rows that are kept. */
let least: f64 = Infinity;

function sampleStride(axes: i32, atoms: i32): i32 {
  return (axes * min(atoms, SAMPLED) + 15) & ~15;
}

/** Bytes of scratch that a search takes. */
export function searchBytes(count: i32, axes: i32, atoms: i32): usize {
  const line = <usize>sampleStride(axes, atoms);
  return line * <usize>count * 16 + line * 9 + 64;
}

/**
 * Leave the best span's schedule and its rows in place.
 *
 * @param plane  fixed-point values, frames of `planeStride`
 * @param nearPlane, farPlane  reconstructions of partners; 0 for none
 * @param work  `searchBytes` of scratch, aligned to 16
 * @returns the span, as its power of two
 */
export function search(
  count: i32,
  axes: i32,
  atoms: i32,
  planeStride: i32,
  bits: i32,
  plane: usize,
  nearPlane: usize,
  farPlane: usize,
  work: usize,
): i32 {
  frames = count;
  subBits = bits;
  stride = sampleStride(axes, atoms);
  weight = <f64>atoms / <f64>min(atoms, SAMPLED);
  const bytes = (<usize>(stride * count)) << 2;
  source = work;
  back = source + bytes;
  near = nearPlane != 0 ? back + bytes : 0;
  far = farPlane != 0 ? back + 2 * bytes : 0;
  row0 = back + 3 * bytes;
  codes = row0 + ((<usize>stride) << 2);
  sizes = codes + ((<usize>stride) << 2);
  gather(plane, source, axes, atoms, planeStride);
  if (near != 0) gather(nearPlane, near, axes, atoms, planeStride);
  if (far != 0) gather(farPlane, far, axes, atoms, planeStride);
  return choose();
}

function gather(from: usize, to: usize, axes: i32, atoms: i32, planeStride: i32): void {
  const sampled = min(atoms, SAMPLED);
  memory.fill(to, 0, (<usize>(stride * frames)) << 2);
  for (let frame = 0; frame < frames; frame++) {
    let out = to + ((<usize>(frame * stride)) << 2);
    for (let axis = 0; axis < axes; axis++) {
      const line = from + ((<usize>(frame * planeStride + axis * atoms)) << 2);
      for (let i = 0; i < sampled; i++) {
        const atom = <usize>((<u64>i * atoms) / sampled);
        store<i32>(out, load<i32>(line + (atom << 2)));
        out += 4;
      }
    }
  }
}

function choose(): i32 {
  const noise = subBits > 0 ? <f64>((<u64>1) << (2 * subBits)) / 12.0 : 0;
  let best = 0;
  schedule(frames, 1);
  resetRows(rowCount());
  least = Infinity;
  priceRows();
  if (near != 0) {
    fitRows(frames, stride, source, source, near, far, noise, true);
    const price = priceRows();
    if (price == least && price < FEW_BITS * weight * <f64>(stride * frames)) least /= INTEGRAL_WORTH;
  }
  for (let power = 0; power < SPANS_TRIED; power++) {
    const span = 1 << power;
    if (power > 0 && span >= frames) break;
    schedule(frames, span);
    let leastOfSpan: f64 = Infinity;
    for (let fit = 0; fit < FITS; fit++) {
      fitRows(frames, stride, source, fit == 0 ? source : back, near, far, fit == 0 ? noise : 0, false);
      const before = least;
      leastOfSpan = min(leastOfSpan, priceRows());
      if (least < before) best = power;
      if (leastOfSpan > least * HOPE) break;
    }
    if (leastOfSpan > least * PATIENCE) break;
  }
  schedule(frames, 1 << best);
  restoreRows();
  return best;
}

/** Price the rows as they are, and keep the cheapest so far. @returns bits of the chunk, nearly */
function priceRows(): f64 {
  const price = priceOfSample();
  if (price < least) {
    least = price;
    keepRows();
  }
  return price;
}

/** Code the sample with the rows as they are. @returns bits of the chunk, nearly */
function priceOfSample(): f64 {
  memory.copy(back, source, (<usize>(stride * frames)) << 2);
  clearCounts();
  memory.fill(row0, 0, (<usize>stride) << 2);
  quantizeFrame(back, row0, codes, sizes, stride, subBits);
  let raw: u64 = 0;
  for (let step = 1; step < frames; step++) {
    const frame = stepFrame(step);
    const taps = placeTaps(stepRow(step), frame, frames, stride, back, near, far);
    predict(stepRow(step), taps, stride, row0);
    quantizeFrame(back + ((<usize>(frame * stride)) << 2), row0, codes, sizes, stride, subBits);
    const table = tableAt(stepClass(step), 0);
    for (let i: usize = 0; i < (<usize>stride) << 2; i += 4) {
      const token = tokenOf(load<u32>(codes + i));
      raw += rawBitsOf(token);
      const at = table + ((<usize>token) << 2);
      store<u32>(at, load<u32>(at) + 1);
    }
  }
  let price = <f64>raw;
  for (let kind = 1; kind < CLASSES; kind++) price += priceOf(tableAt(kind, 0));
  return price * weight + priceOfRows();
}
