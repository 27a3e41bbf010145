import { findContexts } from "./contexts";
import { MAX_FRAMES, NO_FRAME, stepClass, stepFrame, stepLeft, stepRight } from "./schedule";
import { searchBytes } from "./search";
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
export const HEAD_BYTES: usize = 65_536;
/** What must be readable beyond the last byte of a block. */
export const SLACK_BYTES: usize = 64;
export const KEY_FROM_ZERO: u32 = 0;
export const KEY_FROM_NEIGHBOUR: u32 = 1;

export let frames: i32 = 0;
export let axes: i32 = 0;
export let atoms: i32 = 0;
export let stride: i32 = 0;
export let sizes: usize = 0;
export let predicted: usize = 0;
export let codes: usize = 0;
export let contexts: usize = 0;
export let rest: usize = 0;

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

/** Lay out the scratch of a block. @returns whether there is such a block */
export function openBlock(frameCount: i32, axisCount: i32, atomCount: i32, partners: i32, work: usize): bool {
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

/** Whether a step of the schedule is of a class. */
export function isUsed(kind: i32): bool {
  for (let step = 0; step < frames; step++) if (stepClass(step) == kind) return true;
  return false;
}

/** Contexts of the codes of an axis of a step. */
export function findRunContexts(step: i32, axis: i32): void {
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
