import { closeBits, getBits, getGolomb, isBitsOver, openBits, putBits, putGolomb } from "./bits";
import { findContexts, setBounds } from "./contexts";
import { closeModel, modelRun, openModel } from "./model";
import { dequantizeFrame, quantizeFrame, sizesOf } from "./quantize";
import {
  closeEncoder,
  decodeRun,
  encodeRun,
  isDecoderDone,
  openDecoder,
  openEncoder,
  prepareDecoder,
  prepareEncoder,
  wordsAt,
} from "./rans";
import {
  CLASSES,
  KEY_CLASS,
  MAX_FRAMES,
  NO_FRAME,
  rowCount,
  SPANS,
  schedule,
  stepClass,
  stepFrame,
  stepLeft,
  stepRight,
  stepRow,
} from "./schedule";
import { search, searchBytes } from "./search";
import { STATUS_DAMAGED, STATUS_NO_GAIN, STATUS_SHAPE } from "./status";
import { buildTables, clearCounts, dividersOf, getTables, putTables, scaleOf, setScale } from "./tables";
import { getRows, placeTaps, predict, putRows } from "./taps";
import { prepareTokens } from "./tokens";

/**
 * A block: one group of columns (the axes of a vector, or one scalar) over the frames of a chunk.
 *
 *     bits    frames, axes (Golomb 8, 1), sub-bits (4), span (3), key mode (1), partners (2), rows, tables
 *     u32     bytes of raw bits       u32    bytes of words
 *     raw bits                        words, four states first
 *
 * In memory a group is a plane: frames of `strideOf` int32, the axes one after the other, the rest zeros.
 */
export const MAX_AXES: i32 = 3;
export const MAX_PARTNERS: i32 = 2;
/** Rows and tables never take more. */
const HEAD_BYTES: usize = 65_536;
/** What must be readable beyond the last byte of a block. */
export const SLACK_BYTES: usize = 64;
const KEY_FROM_ZERO: u32 = 0;
const KEY_FROM_NEIGHBOUR: u32 = 1;
const ALL_CONTEXTS: u32 = 0xff;

let frames: i32 = 0;
let axes: i32 = 0;
let atoms: i32 = 0;
let stride: i32 = 0;
let sizes: usize = 0;
let predicted: usize = 0;
let codes: usize = 0;
let contexts: usize = 0;
let rest: usize = 0;

/** Values from one frame of a plane to the next. */
export function strideOf(axisCount: i32, atomCount: i32): i32 {
  return (axisCount * atomCount + 15) & ~15;
}

/** Bytes of scratch that coding a block takes, either way. */
export function workBytes(frameCount: i32, axisCount: i32, atomCount: i32): usize {
  const line = <usize>strideOf(axisCount, atomCount);
  const symbols = (<usize>(axisCount * atomCount) * <usize>frameCount) << 1;
  const larger = max(symbols, searchBytes(frameCount, axisCount, atomCount));
  return line * <usize>(frameCount + 1) + line * 9 + larger + 256;
}

/** Room that a coded block needs while it is made. */
export function outBytes(frameCount: i32, axisCount: i32, atomCount: i32): usize {
  return ((<usize>(axisCount * atomCount) * <usize>frameCount) << 2) + ((<usize>atomCount) << 2) + HEAD_BYTES + 256;
}

function open(frameCount: i32, axisCount: i32, atomCount: i32, partners: i32, work: usize): bool {
  if (frameCount < 1 || frameCount > MAX_FRAMES || axisCount < 1 || axisCount > MAX_AXES) return false;
  if (atomCount < 1 || partners < 0 || partners > MAX_PARTNERS) return false;
  frames = frameCount;
  axes = axisCount;
  atoms = atomCount;
  stride = strideOf(axisCount, atomCount);
  const line = <usize>stride;
  sizes = (work + 15) & ~15;
  predicted = sizes + line * <usize>(frames + 1) + 16;
  predicted = (predicted + 15) & ~15;
  codes = predicted + (line << 2);
  contexts = codes + (line << 2);
  rest = (contexts + line + 47) & ~15;
  memory.fill(sizes + line * <usize>frames, 0, line + 16);
  memory.fill(codes, 0, line << 2);
  prepareTokens();
  return true;
}

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
  if (!open(frameCount, axisCount, atomCount, partners, work)) return STATUS_SHAPE;
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

function isUsed(kind: i32): bool {
  for (let step = 0; step < frames; step++) if (stepClass(step) == kind) return true;
  return false;
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

function findRunContexts(step: i32, axis: i32): void {
  const nothing = sizes + <usize>(stride * frames);
  const from = <usize>(axis * atoms);
  const left = stepLeft(step);
  const right = stepRight(step);
  const own = sizes + <usize>(stepFrame(step) * stride);
  findContexts(
    left == NO_FRAME ? nothing : sizes + <usize>(left * stride) + from,
    right == NO_FRAME ? nothing : sizes + <usize>(right * stride) + from,
    axis == 0 ? nothing : own + from - <usize>atoms,
    atoms,
    contexts,
  );
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

/**
 * Decode a block into a plane.
 *
 * @param at  the block; 64 readable bytes lie beyond its `bytes`
 * @param plane  overwritten; partly where the block is damaged
 * @param near, far  planes of the partners that it was coded with
 * @returns 0, STATUS_DAMAGED, STATUS_SHAPE
 */
export function decodeBlock(
  at: usize,
  bytes: usize,
  frameCount: i32,
  axisCount: i32,
  atomCount: i32,
  plane: usize,
  near: usize,
  far: usize,
  work: usize,
): i32 {
  const partners = <i32>(near != 0) + <i32>(far != 0);
  if (!open(frameCount, axisCount, atomCount, partners, work)) return STATUS_SHAPE;
  openBits(at, at + bytes);
  if (getGolomb(8) != <u32>frames || getGolomb(1) != <u32>axes) return STATUS_DAMAGED;
  const subBits = <i32>getBits(4);
  const power = <i32>getBits(3);
  const key = getBits(1);
  if (subBits > 8 || power >= SPANS || <i32>getBits(2) != partners) return STATUS_DAMAGED;
  schedule(frames, 1 << power);
  getRows(rowCount(), partners);
  for (let kind = 0; kind < CLASSES; kind++) {
    if (!isUsed(kind)) continue;
    if (getTables(kind) < 0) return STATUS_DAMAGED;
    prepareDecoder(kind);
  }
  if (isBitsOver()) return STATUS_DAMAGED;
  const lengths = closeBits();
  if (lengths + 8 > at + bytes) return STATUS_DAMAGED;
  const rawBytes = <u64>load<u32>(lengths);
  const wordBytes = <u64>load<u32>(lengths, 4);
  if (wordBytes < 16 || <u64>(lengths + 8 - at) + rawBytes + wordBytes != <u64>bytes) return STATUS_DAMAGED;
  const words = lengths + 8 + <usize>rawBytes;
  const wordsEnd = words + <usize>wordBytes;
  openDecoder(words, lengths + 8);
  for (let step = 0; step < frames; step++) {
    if (!decodeFrame(step, subBits, key, plane, near, far, wordsEnd, words)) return STATUS_DAMAGED;
  }
  return isDecoderDone(wordsEnd, words) ? 0 : STATUS_DAMAGED;
}

function decodeFrame(
  step: i32,
  subBits: i32,
  key: u32,
  plane: usize,
  near: usize,
  far: usize,
  wordsEnd: usize,
  rawEnd: usize,
): bool {
  const frame = stepFrame(step);
  const kind = stepClass(step);
  const at = plane + ((<usize>(frame * stride)) << 2);
  const size = sizes + <usize>(frame * stride);
  setBounds(scaleOf(kind), dividersOf(kind));
  for (let axis = 0; axis < axes; axis++) {
    findRunContexts(step, axis);
    const from = codes + ((<usize>(axis * atoms)) << 2);
    if (!decodeRun(kind, contexts, atoms, from, wordsEnd, rawEnd)) return false;
    sizesOf(from, size + <usize>(axis * atoms), atoms);
  }
  if (kind == KEY_CLASS) {
    memory.fill(at, 0, (<usize>stride) << 2);
    dequantizeKey(at, subBits, key);
    return true;
  }
  const row = stepRow(step);
  const taps = placeTaps(row, frame, frames, stride, plane, near, far);
  predict(row, taps, stride, predicted);
  dequantizeFrame(at, predicted, codes, stride, subBits);
  return true;
}

function dequantizeKey(values: usize, subBits: i32, key: u32): void {
  let before = 0;
  for (let i: usize = 0; i < (<usize>(axes * atoms)) << 2; i += 4) {
    const z = load<u32>(codes + i);
    const back = before + ((<i32>(z >> 1) ^ -(<i32>(z & 1))) << subBits);
    store<i32>(values + i, back);
    if (key == KEY_FROM_NEIGHBOUR) before = back;
  }
}
