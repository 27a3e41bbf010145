import { hasBase } from "./channel-flags";
import { frameBegin, frameEnd, replayQuietRow } from "./codec";
import { baseBin } from "./keyframe";
import {
  CHANNEL_BOUND,
  CHANNEL_SPACING,
  CODER_BLOCK_ROWS,
  CODER_FLAGS,
  CODER_ROWS,
  CONFIG_CHANNELS,
  channelConfig,
  channelState,
  coderOf,
  configuredBytes,
  FRAME_LINES,
  flagsOf,
  LAST,
  LINE_BLOCK_ROWS,
  widestBytes,
} from "./layout";
import { followPlan, PLAN_CURSOR, PLAN_ENTRY_BYTES, PLAN_FIRST, PLAN_LINE_BYTES, PLAN_MODE } from "./line-plan";
import { planBytes, planLines } from "./line-planner";
import { coderSpent, fillPrices, PRICE_BYTES, priceMode } from "./line-prices";
import { writeLines } from "./line-ways";
import { isLineMode, lineOf } from "./lines";
import { isOnLattice } from "./quantizer";
import { coderBegin } from "./range-coder";
import { beginRow, codeChannel } from "./row-coder";
import { STATUS_OFF_LATTICE } from "./status";

/**
 * An encoder that sees a whole frame before it codes it, and so may leave it out, code it plainly, or put channels on
 * lines, whichever is smallest. It decides block by block: every way is coded for trial from a copy of the state.
 *
 * Its memory is the caller's: two states, what each channel would cost, a plan, and the planner's own.
 */
/** How lines are found: each as long as it can be, or all together as cheap as they can be. */
export const EFFORT_GREEDY: i32 = 1;
export const EFFORT_PROGRAMME: i32 = 2;
/** Ways kept by the programme; more than one because where a line ends decides how well the next one starts. */
export const WAYS: i32 = 4;

/**
 * Lines must save this part of a block, since models that rest on lines predict the worse for it: without it vibration at
 * coarse bounds costs more, and with twice as much a handheld sensor does (with
 * 63 and 5 below, `npm run bench -- codec --data DIR` before and after).
 */
const LEAST_GAIN_SHIFT: i64 = 6;
/** Where greedy lines, and those of one way per node, are dearer than prediction by this part, several ways will not help. */
const HOPELESS_SHIFT: i64 = 2;

/** A channel is tried both ways where the planned gain, 1/256 bit, is within this and a part of its plain cost. */
export const CLOSE: i32 = 2048;
export const CLOSE_SHIFT: i32 = 4;

// The frame in hand
let config: usize = 0;
let state: usize = 0;
let samplesAt: usize = 0;
let channels: i32 = 0;
let ways: i32 = 0;
// Its scratch
let frameStart: usize = 0; // the state before the frame
let blockStart: usize = 0; // and before the block
let costs: usize = 0; // i64 per channel: what the rows coded last cost
let gains: usize = 0; // i64 per channel: what lines would save
let plan: usize = 0;
let prices: usize = 0;
let work: usize = 0;

/** Bytes of scratch that encoding a frame of this many rows takes, a multiple of 8. */
export function lookaheadBytes(rows: i32, ofChannels: i32, effort: i32): i32 {
  const blockRows = min(rows, <i32>LINE_BLOCK_ROWS);
  const copies = 2 * align(widestBytes(ofChannels)) + 16 * ofChannels;
  const plans = <i32>(PLAN_ENTRY_BYTES + PLAN_LINE_BYTES * <usize>blockRows) * ofChannels;
  // The last part takes a row of samples too
  const work = max(<i32>planBytes(blockRows, max(waysOf(effort), 1)), align(4 * ofChannels));
  return align(copies + plans) + align(<i32>PRICE_BYTES) + work;
}

function waysOf(effort: i32): i32 {
  return effort == EFFORT_GREEDY ? 0 : WAYS;
}

/** Up to a multiple of 8. */
export function align(bytes: i32): i32 {
  return (bytes + 7) & ~7;
}

/** Lay out the caller's scratch for blocks of so many rows. */
function layOut(scratch: usize, blockRows: i32): void {
  const copy = <usize>align(widestBytes(channels));
  frameStart = scratch;
  blockStart = frameStart + copy;
  costs = blockStart + copy;
  gains = costs + 8 * <usize>channels;
  plan = gains + 8 * <usize>channels;
  const plans = (PLAN_ENTRY_BYTES + PLAN_LINE_BYTES * <usize>blockRows) * <usize>channels;
  prices = (plan + plans + 7) & ~7;
  work = prices + <usize>align(<i32>PRICE_BYTES);
}

/** Copy the whole state of a device, the frame in hand included. */
export function copyState(cfg: usize, from: usize, to: usize): void {
  const bytes = configuredBytes(cfg);
  for (let i: usize = 0; i < bytes; i += 4) store<u32>(to + i, load<u32>(from + i));
}

function rowAt(row: i32): usize {
  return samplesAt + ((<usize>(row * channels)) << 2);
}

/**
 * Encode rows of valid samples as one frame.
 *
 * @param samples  i32 (rows, C), rows >= 1
 * @param effort   EFFORT_GREEDY or EFFORT_PROGRAMME
 * @param out      caller-owned, `capacity` bytes
 * @param scratch  lookaheadBytes(rows, C, effort), 8-byte aligned, overwritten
 * @returns payload bytes (whether it has lines or is quiet, the coder tells), or STATUS_OUTPUT_FULL or
 *          STATUS_OFF_LATTICE with nothing changed
 */
export function encodeFrame(
  cfg: usize,
  st: usize,
  samples: usize,
  rows: i32,
  effort: i32,
  out: usize,
  capacity: i32,
  scratch: usize,
): i32 {
  ways = waysOf(effort);
  config = cfg;
  state = st;
  samplesAt = samples;
  channels = <i32>load<u8>(cfg, CONFIG_CHANNELS);
  layOut(scratch, min(rows, <i32>LINE_BLOCK_ROWS));
  if (!areOnLattice(rows)) return STATUS_OFF_LATTICE;
  copyState(config, st, frameStart);
  if (isForeseen(rows)) return 0;
  const isOneBlock = rows <= <i32>LINE_BLOCK_ROWS;
  const bytes = isOneBlock ? encodeOneBlock(rows, out, capacity) : encodeBlocks(rows, out, capacity);
  if (bytes < 0) copyState(config, frameStart, st);
  return bytes;
}

/** Does the last frame that was encoded have lines? */
export function frameHasLines(cfg: usize, st: usize): bool {
  return load<u8>(coderOf(cfg, st), CODER_FLAGS) == FRAME_LINES;
}

/** Are all samples of channels with lattices on them? */
function areOnLattice(rows: i32): bool {
  for (let c = 0; c < channels; c++) {
    const spacing = load<i32>(channelConfig(config, c), CHANNEL_SPACING);
    if (spacing == 1) continue;
    const channel = channelState(config, state, c);
    const at = (<usize>c) << 2;
    const origin = hasBase(flagsOf(config, channel)) ? load<i32>(channel, LAST) : load<i32>(rowAt(0) + at);
    for (let row = 0; row < rows; row++) {
      if (!isOnLattice(load<i32>(rowAt(row) + at), origin, spacing)) return false;
    }
  }
  return true;
}

/** Advance by quiet rows as long as each sample stays within its bound. @returns whether all did */
function isForeseen(rows: i32): bool {
  for (let row = 0; row < rows; row++) {
    if (replayQuietRow(config, state, work) < 0) return false;
    for (let c = 0; c < channels; c++) {
      const at = (<usize>c) << 2;
      const miss = <i64>load<i32>(rowAt(row) + at) - load<i32>(work + at);
      const bound = <i64>load<i32>(channelConfig(config, c), CHANNEL_BOUND);
      if (miss > bound || miss < -bound) return false;
    }
  }
  return true;
}

/** Code rows as the coder and the plan say. @returns what they cost, and in `costs` each channel's part */
function codeRows(from: i32, to: i32): i64 {
  const coder = coderOf(config, state);
  const before = coderSpent(coder);
  for (let c = 0; c < channels; c++) store<i64>(costs + ((<usize>c) << 3), 0);
  for (let row = from; row < to; row++) {
    beginRow(config, state);
    let nonZero = 0;
    let spent = coderSpent(coder);
    for (let c = 0; c < channels; c++) {
      nonZero += codeChannel(config, state, c, nonZero, rowAt(row), 0);
      const now = coderSpent(coder);
      const at = costs + ((<usize>c) << 3);
      store<i64>(at, load<i64>(at) + now - spent);
      spent = now;
    }
  }
  return coderSpent(coder) - before;
}

/** Code a block from its start under the plan's modes. @returns what it costs */
function tryPlan(from: i32, to: i32): i64 {
  copyState(config, blockStart, state);
  for (let c = 0; c < channels; c++) store<u32>(entryOf(c), load<u32>(entryOf(c), PLAN_FIRST), PLAN_CURSOR);
  followPlan(plan);
  const cost = codeRows(from, to);
  followPlan(0);
  return cost;
}

/** About what the base of channel c costs, 1/256 bit: it is not the lines' to save. */
function baseCost(c: i32, row: i32): i64 {
  const bin = baseBin(channelConfig(config, c), load<i32>(rowAt(row) + ((<usize>c) << 2)));
  return (72 - clz<i64>((bin < 0 ? -bin : bin) + 1)) << 8;
}

function entryOf(c: i32): usize {
  return plan + PLAN_ENTRY_BYTES * <usize>c;
}

/** Plan no channel on lines. */
function predictAll(): void {
  for (let c = 0; c < channels; c++) store<u32>(entryOf(c), 0, PLAN_MODE);
}

function toggle(c: i32): void {
  store<u32>(entryOf(c), 1 - load<u32>(entryOf(c), PLAN_MODE), PLAN_MODE);
}

/**
 * Plan the lines of all channels from the block's start, and choose those that the estimate says gain.
 *
 * @returns whether lines are worth a trial
 */
function planBlock(from: i32, rows: i32): bool {
  fillPrices(blockStart, prices);
  let end = plan + (PLAN_ENTRY_BYTES + PLAN_LINE_BYTES * <usize>rows) * <usize>channels;
  let before: usize = 0;
  let isWorthIt = false;
  for (let c = 0; c < channels; c++) {
    const entry = entryOf(c);
    store<u32>(entry, 0, PLAN_MODE);
    store<i64>(gains + ((<usize>c) << 3), i64.MIN_VALUE);
    const flags = flagsOf(config, channelState(config, blockStart, c));
    const firstRow = hasBase(flags) ? 0 : 1;
    const context = ((<usize>isLineMode(lineOf(flags))) << 1) | before;
    before = <usize>isLineMode(lineOf(flags));
    const plain = load<i64>(costs + ((<usize>c) << 3)) - (firstRow ? baseCost(c, from) : 0);
    const most = plain + CLOSE + (plain >> HOPELESS_SHIFT);
    let cost = planChannel(c, from, rows, firstRow, 0);
    // Greedy lines tell most channels that are hopeful; the rest are asked with one way per node
    if (ways > 0 && cost > most) cost = planChannel(c, from, rows, firstRow, 1);
    if (cost > most) continue;
    if (ways > 0) cost = planChannel(c, from, rows, firstRow, ways);
    const gain = plain - cost - priceMode(blockStart, context, true) + priceMode(blockStart, context, false);
    store<i64>(gains + ((<usize>c) << 3), gain);
    end = writeLines(entry, end);
    store<u32>(entry, <u32>end, PLAN_FIRST);
    if (gain > 0) store<u32>(entry, 1, PLAN_MODE);
    isWorthIt = isWorthIt || gain > 0 || isClose(c);
  }
  return isWorthIt;
}

/** Plan the lines of channel c from the block's start. @returns what they cost */
function planChannel(c: i32, from: i32, rows: i32, firstRow: i32, waysKept: i32): i64 {
  return planLines(config, blockStart, c, rowAt(from), channels, rows, firstRow, waysKept, prices, work);
}

/** Is the estimate too near to decide? `costs` holds the plain ones. */
function isClose(c: i32): bool {
  const gain = load<i64>(gains + ((<usize>c) << 3));
  if (gain == i64.MIN_VALUE) return false;
  const margin = <i64>CLOSE + (load<i64>(costs + ((<usize>c) << 3)) >> CLOSE_SHIFT);
  return gain <= margin && gain >= -margin;
}

/**
 * Choose the modes of a block by trial. `costs` holds the plain ones.
 *
 * @param plainCost  of the block without lines
 * @returns whether lines gain, in which case the block is coded under the plan
 */
function chooseModes(from: i32, rows: i32, plainCost: i64): bool {
  if (!planBlock(from, rows)) return false;
  let close: u32 = 0;
  let lines: u32 = 0;
  for (let c = 0; c < channels; c++) {
    close |= u32(isClose(c)) << c;
    lines |= load<u32>(entryOf(c), PLAN_MODE) << c;
  }
  let best = plainCost - (plainCost >> LEAST_GAIN_SHIFT);
  let isLast = false;
  if (lines) {
    const cost = tryPlan(from, from + rows);
    isLast = cost < best;
    if (isLast) best = cost;
    else {
      predictAll();
      // What was just tried need not be tried again
      if ((lines & (lines - 1)) == 0) close &= ~lines;
      lines = 0;
    }
  }
  for (let c = 0; c < channels; c++) {
    if (((close >> c) & 1) == 0) continue;
    if (lines == (<u32>1) << c) continue; // without it there are none
    toggle(c);
    const cost = tryPlan(from, from + rows);
    isLast = cost < best;
    if (isLast) {
      best = cost;
      lines ^= (<u32>1) << c;
    } else toggle(c);
  }
  if (lines == 0) return false;
  if (!isLast) tryPlan(from, from + rows);
  return true;
}

/** Encode the frame from its start without lines. @returns what its samples cost */
function codePlainly(rows: i32, out: usize, capacity: i32): i64 {
  copyState(config, frameStart, state);
  frameBegin(config, state, false, out, capacity);
  return codeRows(0, rows);
}

/** Encode a frame that is one block. */
function encodeOneBlock(rows: i32, out: usize, capacity: i32): i32 {
  const plainCost = codePlainly(rows, out, capacity);
  // The plain frame is done, unless lines might gain
  copyState(config, frameStart, blockStart);
  beginWithLines(blockStart, rows, out, capacity);
  if (!chooseModes(0, rows, plainCost) && frameHasLines(config, state)) codePlainly(rows, out, capacity);
  return frameEnd(config, state);
}

/** Encode a frame of several blocks, with lines or, if that is no larger, without, which is the quicker one to repeat. */
function encodeBlocks(rows: i32, out: usize, capacity: i32): i32 {
  codePlainly(rows, out, capacity);
  const plainBytes = frameEnd(config, state);
  const bytes = encodeWithLines(rows, out, capacity);
  if (bytes >= 0 && (plainBytes < 0 || plainBytes > bytes)) return bytes;
  codePlainly(rows, out, capacity);
  return frameEnd(config, state);
}

function encodeWithLines(rows: i32, out: usize, capacity: i32): i32 {
  copyState(config, frameStart, state);
  beginWithLines(state, rows, out, capacity);
  for (let from = 0; from < rows; ) {
    const to = min(from + <i32>LINE_BLOCK_ROWS, rows);
    copyState(config, state, blockStart);
    predictAll();
    const plainCost = tryPlan(from, to);
    if (!chooseModes(from, to - from, plainCost)) {
      predictAll();
      tryPlan(from, to);
    }
    from = to;
  }
  return frameEnd(config, state);
}

function beginWithLines(st: usize, rows: i32, out: usize, capacity: i32): void {
  const coder = coderOf(config, st);
  coderBegin(coder, FRAME_LINES, out, capacity);
  store<u32>(coder, rows, CODER_ROWS);
  store<u32>(coder, 0, CODER_BLOCK_ROWS);
}
