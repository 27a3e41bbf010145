import { closeBits, getBits, getGolomb, isBitsOver, openBits } from "./bits";
import {
  atoms,
  axes,
  codes,
  contexts,
  findRunContexts,
  frames,
  isUsed,
  KEY_FROM_NEIGHBOUR,
  openBlock,
  predicted,
  sizes,
  stride,
} from "./block-layout";
import { setBounds } from "./contexts";
import { dequantizeFrame, isDequantized, sizesOf } from "./quantize";
import { decodeRun, isDecoderDone, openDecoder, prepareDecoder } from "./rans";
import { CLASSES, KEY_CLASS, rowCount, SPANS, schedule, stepClass, stepFrame, stepRow } from "./schedule";
import { STATUS_DAMAGED, STATUS_SHAPE } from "./status";
import { dividersOf, getTables, scaleOf } from "./tables";
import { getRows, placeTaps, predict } from "./taps";

let plane: usize = 0;
let near: usize = 0;
let far: usize = 0;
let subBits: i32 = 0;
let key: u32 = 0;
/** Whether frames are compared with those of the plane, and not written to it. */
let isCheck: bool = false;

/**
 * Decode a block into a plane.
 *
 * @param at  the block; 64 readable bytes lie beyond its `bytes`
 * @param to  the plane: overwritten; partly where the block is damaged
 * @param nearPlane, farPlane  planes of the partners that it was coded with
 * @returns 0, STATUS_DAMAGED, STATUS_SHAPE
 */
export function decodeBlock(
  at: usize,
  bytes: usize,
  frameCount: i32,
  axisCount: i32,
  atomCount: i32,
  to: usize,
  nearPlane: usize,
  farPlane: usize,
  work: usize,
): i32 {
  isCheck = false;
  return takeBlock(at, bytes, frameCount, axisCount, atomCount, to, nearPlane, farPlane, work);
}

/**
 * Decode a block beside the plane that it should decode to. Each frame is compared before any other is predicted from it:
 * as long as all are alike, the plane is the decoder's own.
 *
 * @param known  the plane: only read; the rest as for `decodeBlock`
 * @returns 0, STATUS_DAMAGED where the block is damaged or decodes to anything else, STATUS_SHAPE
 */
export function checkBlock(
  at: usize,
  bytes: usize,
  frameCount: i32,
  axisCount: i32,
  atomCount: i32,
  known: usize,
  nearPlane: usize,
  farPlane: usize,
  work: usize,
): i32 {
  isCheck = true;
  return takeBlock(at, bytes, frameCount, axisCount, atomCount, known, nearPlane, farPlane, work);
}

function takeBlock(
  at: usize,
  bytes: usize,
  frameCount: i32,
  axisCount: i32,
  atomCount: i32,
  to: usize,
  nearPlane: usize,
  farPlane: usize,
  work: usize,
): i32 {
  const partners = <i32>(nearPlane != 0) + <i32>(farPlane != 0);
  if (!openBlock(frameCount, axisCount, atomCount, partners, work)) return STATUS_SHAPE;
  plane = to;
  near = nearPlane;
  far = farPlane;
  openBits(at, at + bytes);
  if (getGolomb(8) != <u32>frames || getGolomb(1) != <u32>axes) return STATUS_DAMAGED;
  subBits = <i32>getBits(4);
  const power = <i32>getBits(3);
  key = getBits(1);
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
    if (!takeFrame(step, wordsEnd, words)) return STATUS_DAMAGED;
  }
  return isDecoderDone(wordsEnd, words) ? 0 : STATUS_DAMAGED;
}

function takeFrame(step: i32, wordsEnd: usize, rawEnd: usize): bool {
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
  if (kind == KEY_CLASS) return takeKey(at);
  const row = stepRow(step);
  const taps = placeTaps(row, frame, frames, stride, plane, near, far);
  predict(row, taps, stride, predicted);
  if (isCheck) return isDequantized(at, predicted, codes, stride, subBits);
  dequantizeFrame(at, predicted, codes, stride, subBits);
  return true;
}

/** The first frame: every value from zero, or from the one before it; zeros behind them. */
function takeKey(values: usize): bool {
  let before = 0;
  for (let i: usize = 0; i < (<usize>stride) << 2; i += 4) {
    const isRest = i >= (<usize>(axes * atoms)) << 2;
    const z = load<u32>(codes + i);
    const back = isRest ? 0 : before + ((<i32>(z >> 1) ^ -(<i32>(z & 1))) << subBits);
    if (!isCheck) store<i32>(values + i, back);
    else if (load<i32>(values + i) != back) return false;
    if (key == KEY_FROM_NEIGHBOUR) before = back;
  }
  return true;
}
