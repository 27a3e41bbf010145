import { closeBits, isBitsOver, openBits, putBits, putGolomb } from "./bits";
import {
  atoms,
  axes,
  codes,
  contexts,
  findRunContexts,
  frames,
  HEAD_BYTES,
  isUsed,
  KEY_FROM_NEIGHBOUR,
  KEY_FROM_ZERO,
  openBlock,
  outBytes,
  predicted,
  rest,
  sizes,
  stride,
} from "./block-layout";
import { setBounds } from "./contexts";
import { closeModel, modelRun, openModel } from "./model";
import { quantizeFrame, sizesOf } from "./quantize";
import { closeEncoder, encodeRun, openEncoder, prepareEncoder, wordsAt } from "./rans";
import { CLASSES, rowCount, stepClass, stepFrame, stepRow } from "./schedule";
import { search } from "./search";
import { STATUS_NO_GAIN, STATUS_SHAPE } from "./status";
import { buildTables, clearCounts, putTables, scaleOf, setScale } from "./tables";
import { placeTaps, predict, putRows } from "./taps";

const ALL_CONTEXTS: u32 = 0xff;

/**
 * Code a plane; it holds the reconstructions afterwards.
 *
 * @param near, far  planes of partners, as a decoder will have them: their number is how many are not 0
 * @param work  `workBytes` of scratch
 * @param out  `outBytes` of room
 * @returns bytes of the block, STATUS_NO_GAIN (the plane is spoilt then), STATUS_SHAPE
 */
export function encodeBlock(
  frameCount: i32,
  axisCount: i32,
  atomCount: i32,
  subBits: i32,
  plane: usize,
  near: usize,
  far: usize,
  work: usize,
  out: usize,
): i32 {
  const partners = <i32>(near != 0) + <i32>(far != 0);
  if (!openBlock(frameCount, axisCount, atomCount, partners, work)) return STATUS_SHAPE;
  const end = out + outBytes(frames, axes, atoms);
  const power = search(frames, axes, atoms, stride, subBits, plane, near, far, rest);
  const key = keyMode(plane, subBits);
  const rawFrom = out + HEAD_BYTES;
  const rawEnd = modelFrames(subBits, key, plane, near, far, rawFrom, end);
  if (rawEnd == 0) return STATUS_NO_GAIN;
  for (let kind = 0; kind < CLASSES; kind++) {
    if (!isUsed(kind)) continue;
    buildTables(kind);
    prepareEncoder(kind);
  }
  openBits(out, out + HEAD_BYTES);
  putGolomb(frames, 8);
  putGolomb(axes, 1);
  putBits(subBits, 4);
  putBits(power, 3);
  putBits(key, 1);
  putBits(partners, 2);
  putRows(rowCount(), partners);
  for (let kind = 0; kind < CLASSES; kind++) if (isUsed(kind)) putTables(kind);
  if (isBitsOver()) return STATUS_NO_GAIN;
  const lengths = closeBits();
  const wordsFrom = encodeFrames(end, rawEnd);
  if (wordsFrom == 0) return STATUS_NO_GAIN;
  store<u32>(lengths, <u32>(rawEnd - rawFrom));
  store<u32>(lengths, <u32>(end - wordsFrom), 4);
  const raw = lengths + 8;
  memory.copy(raw, rawFrom, rawEnd - rawFrom);
  const words = raw + (rawEnd - rawFrom);
  memory.copy(words, wordsFrom, end - wordsFrom);
  return <i32>(words + (end - wordsFrom) - out);
}

/** Is a value of the first frame nearer to the one before than to zero? */
function keyMode(plane: usize, subBits: i32): u32 {
  let fromZero: u64 = 0;
  let fromNeighbour: u64 = 0;
  let before = 0;
  for (let i = 0; i < axes * atoms; i++) {
    const value = load<i32>(plane + ((<usize>i) << 2));
    fromZero += 32 - clz<u32>(<u32>abs(value) >> subBits);
    fromNeighbour += 32 - clz<u32>(<u32>abs(value - before) >> subBits);
    before = value;
  }
  return fromNeighbour < fromZero ? KEY_FROM_NEIGHBOUR : KEY_FROM_ZERO;
}

/** Quantize all frames in the order of coding, count their tokens and write their raw bits. @returns their end, or 0 */
function modelFrames(subBits: i32, key: u32, plane: usize, near: usize, far: usize, rawFrom: usize, end: usize): usize {
  clearCounts();
  for (let kind = 0; kind < CLASSES; kind++) setScale(kind, 0);
  let raw = rawFrom;
  let symbols = rest;
  openModel();
  let scaled: u32 = 0;
  for (let step = 0; step < frames; step++) {
    const frame = stepFrame(step);
    const at = plane + ((<usize>(frame * stride)) << 2);
    const size = sizes + <usize>(frame * stride);
    if (step == 0) {
      quantizeKey(at, subBits, key);
      sizesOf(codes, size, stride);
    } else {
      const row = stepRow(step);
      const taps = placeTaps(row, frame, frames, stride, plane, near, far);
      predict(row, taps, stride, predicted);
      quantizeFrame(at, predicted, codes, size, stride, subBits);
    }
    const kind = stepClass(step);
    if (((scaled >> kind) & 1) == 0) {
      setScale(kind, suitableScale(size));
      scaled |= 1 << kind;
    }
    setBounds(scaleOf(kind), ALL_CONTEXTS);
    for (let axis = 0; axis < axes; axis++) {
      if (raw + ((<usize>atoms) << 2) + 64 > end) return 0;
      findRunContexts(step, axis);
      raw = modelRun(kind, codes + ((<usize>(axis * atoms)) << 2), contexts, atoms, symbols, raw);
      symbols += (<usize>atoms) << 1;
    }
  }
  return closeModel(raw);
}

/** Contexts that spread over the codes of a frame: their mean size decides. */
function suitableScale(size: usize): i32 {
  let sum: u32 = 0;
  for (let i = 0; i < axes * atoms; i++) sum += load<u8>(size + i);
  const mean = sum / <u32>(axes * atoms);
  return mean < 4 ? 0 : mean < 8 ? 1 : mean < 16 ? 2 : 3;
}

/** The first frame: every value from zero, or from the reconstruction before it. */
function quantizeKey(values: usize, subBits: i32, key: u32): void {
  const half = subBits > 0 ? 1 << (subBits - 1) : 0;
  let before = 0;
  for (let i: usize = 0; i < (<usize>(axes * atoms)) << 2; i += 4) {
    const q = (load<i32>(values + i) - before + half) >> subBits;
    const back = before + (q << subBits);
    store<i32>(values + i, back);
    store<i32>(codes + i, (q << 1) ^ (q >> 31));
    if (key == KEY_FROM_NEIGHBOUR) before = back;
  }
}

/** Entropy-code all symbols, last to first, downwards from `end`. @returns where they begin, or 0 */
function encodeFrames(end: usize, least: usize): usize {
  openEncoder(end);
  let symbols = rest + ((<usize>(axes * atoms) * <usize>frames) << 1);
  for (let step = frames - 1; step >= 0; step--) {
    for (let axis = axes - 1; axis >= 0; axis--) {
      if (wordsAt() < least + ((<usize>atoms) << 1) + 64) return 0;
      symbols -= (<usize>atoms) << 1;
      encodeRun(stepClass(step), symbols, atoms);
    }
  }
  return closeEncoder();
}
