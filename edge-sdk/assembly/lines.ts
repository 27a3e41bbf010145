import { keepSign } from "./channel-flags";
import { floorDivide, saturate, signOf } from "./fixed-point";
import {
  CHANNEL_BOUND,
  CHANNEL_HISTORY_SHIFT,
  CHANNEL_SPACING,
  CHANNEL_STEP,
  CODER_BLOCK_ROWS,
  CODER_LOUD,
  CODER_MODE,
  CODER_ROWS,
  CONFIG_CHANNELS,
  channelConfig,
  channelState,
  flagsOf,
  LAST,
  LINE_BLOCK_ROWS,
  LINE_BYTES,
  LINE_FROM,
  LINE_INDEX,
  LINE_LEFT,
  LINE_SHAPE,
  LINE_TO,
} from "./layout";
import { codeRows, codeValue, goesOnBit, modeBit, slopeClass, startClass } from "./line-code";
import { planNextLine, plannedMode, plannedRows, plannedRowsOfOpen, plannedSlope, plannedStart } from "./line-plan";
import { codeBit } from "./mixed-bit";
import { followMove } from "./predictors";
import { saturateOnLattice, snapToLattice } from "./quantizer";
import { MODE_REPLAY } from "./range-coder";

/**
 * Line mode: in a frame with lines, a channel's samples are either predicted as ever or lie on straight lines from one
 * value of a grid to another. A line that reaches the end of its block stays open and may go on in the next one.
 *
 *     r(i) = from + s floor((to - from) i / (s span) + 1/2)      i = 0, 1, ...; span = rows of the line - 1
 *     from = r + half the slope of the line before + start . grid,      to = from + slope . grid
 *
 * with s the spacing of the channel's lattice, which from, to and the grid keep to.
 *
 * While a channel is on a line nothing is predicted and its models rest; its history goes on. A long frame is coded in
 * blocks. A frame without lines closes all that are open.
 */
/** A line ends with this index, wherever that is. */
export const LAST_LINE_INDEX: u32 = 65535;

const SPAN: u32 = 0x7ff;
/** The channel's samples of the running or last block are on lines. */
const MODE: u32 = 1 << 11;
/** A line is under way. */
const ON: u32 = 1 << 12;
const SIGN_AT: u32 = 13;

/**
 * Grid of a line's values: 4/5 of the bound in steps of the channel's lattice, and at least one, so that some point of it
 * is near every sample. Range: 1 .. 2^31 - 1.
 */
export function lineGrid(config: usize): i32 {
  const spacing = load<i32>(config, CHANNEL_SPACING);
  const points = <u32>(load<i32>(config, CHANNEL_BOUND) / spacing);
  return spacing * max<i32>(<i32>((points << 2) / 5), 1);
}

/** Address of the line of the channel whose flags are at `flags`. */
export function lineOf(flags: usize): usize {
  return flags - LINE_BYTES;
}

/** Is a line under way? */
export function isOnLine(line: usize): bool {
  return (load<u16>(line, LINE_SHAPE) & ON) != 0;
}

/** Are the channel's samples of this block on lines? */
export function isLineMode(line: usize): bool {
  return (load<u16>(line, LINE_SHAPE) & MODE) != 0;
}

/** Sign of the value coded last: 0 none, 1 negative, 2 positive. */
export function lineSign(line: usize): usize {
  return <usize>load<u16>(line, LINE_SHAPE) >> SIGN_AT;
}

/** Predict the channel from here on. A frame in which that ends a line must not be left out. */
export function closeLine(line: usize, coder: usize): void {
  const shape = load<u16>(line, LINE_SHAPE);
  if (shape & ON) store<u8>(coder, 1, CODER_LOUD);
  store<u16>(line, shape & ~(MODE | ON | SPAN), LINE_SHAPE);
}

/** Value of a line at an index. Range: |to - from| < 2^32, so all stays below 2^50. */
export function lineValue(config: usize, line: usize, index: u32): i32 {
  const spacing = <i64>load<i32>(config, CHANNEL_SPACING);
  const from = load<i32>(line, LINE_FROM);
  const span = max<i64>(load<u16>(line, LINE_SHAPE) & SPAN, 1);
  const rise = (<i64>load<i32>(line, LINE_TO) - from) * <i64>index;
  return saturateOnLattice(from + spacing * floorDivide(2 * rise + spacing * span, 2 * spacing * span), spacing);
}

/** Begin a row of a frame with lines; a block begins with its header. @returns false where no encoder wrote this */
export function beginLineRow(cfg: usize, st: usize, coder: usize): bool {
  let after = load<u32>(coder, CODER_BLOCK_ROWS) - 1;
  if (after == u32.MAX_VALUE) {
    const left = load<u32>(coder, CODER_ROWS);
    const rows = min(left, LINE_BLOCK_ROWS);
    if (rows == 0 || !codeBlock(cfg, st, coder, rows)) return false;
    store<u32>(coder, left - rows, CODER_ROWS);
    after = rows - 1;
  }
  store<u32>(coder, after, CODER_BLOCK_ROWS);
  return true;
}

/** Code a block's header: which channels are on lines, and which open line goes on. @returns false if corrupt */
function codeBlock(cfg: usize, st: usize, coder: usize, rows: u32): bool {
  const channels = <i32>load<u8>(cfg, CONFIG_CHANNELS);
  let before: u32 = 0;
  for (let c = 0; c < channels; c++) {
    const line = lineOf(flagsOf(cfg, channelState(cfg, st, c)));
    const shape = load<u16>(line, LINE_SHAPE);
    let next = shape & ~(MODE | ON | SPAN);
    before = u32(codeBit(st, coder, modeBit(st, ((shape & MODE) >> 10) | before), plannedMode(c)));
    if (before) {
      next |= MODE | (shape & SPAN);
      if (shape & ON) {
        const wanted = plannedRowsOfOpen(c);
        if (codeBit(st, coder, goesOnBit(st), wanted > 0)) {
          const coded = codeRows(st, coder, rows, false, wanted);
          if (coded == 0 || load<u16>(line, LINE_INDEX) + coded > LAST_LINE_INDEX + 1) return false;
          store<u16>(line, <u16>coded, LINE_LEFT);
          next |= ON;
        }
      }
    }
    store<u16>(line, <u16>next, LINE_SHAPE);
  }
  return true;
}

/**
 * How far beyond its last value a line points, half of what it would: where the next one is expected to start. The whole
 * slope, 2 (to - from) + span below, serves curves better and steps worse (`npm run bench -- codec --data DIR` before and
 * after).
 */
export function extension(from: i32, to: i32, span: u32): i64 {
  return span == 0 ? 0 : floorDivide(<i64>to - from + span, 2 * <i64>span);
}

/**
 * Where a line is expected to start: on the lattice, and inside int32, as its start is, so that the step between them fits
 * 32 bits.
 */
export function expectedStart(config: usize, last: i32, beyond: i64): i32 {
  return snapToLattice(saturate(last + beyond), last, load<i32>(config, CHANNEL_SPACING));
}

/** The extension of the channel's last line, 0 where its last sample was predicted. */
export function extensionOf(line: usize): i64 {
  return extension(load<i32>(line, LINE_FROM), load<i32>(line, LINE_TO), load<u16>(line, LINE_SHAPE) & SPAN);
}

/** Code a new line of channel c. @returns false if corrupt */
function codeLine(st: usize, coder: usize, c: i32, config: usize, line: usize, last: i32): bool {
  planNextLine(c);
  const rows = codeRows(st, coder, load<u32>(coder, CODER_BLOCK_ROWS) + 1, true, plannedRows());
  if (rows == 0) return false;
  const grid = <i64>lineGrid(config);
  const base = <i64>expectedStart(config, last, extensionOf(line));
  const start = codeValue(st, coder, lineSign(line), startClass(rows), false, plannedStart(base, grid));
  let sign = signOf(start);
  // |start|, |slope| <= 2^32 and grid < 2^31: sums stay within 2^63
  const from = base + start * grid;
  if (from != <i64>saturate(from)) return false;
  let to = from;
  if (rows > 1) {
    const slope = codeValue(st, coder, sign, slopeClass(rows), true, plannedSlope(grid));
    sign = signOf(slope);
    to += slope * grid;
  }
  if (to != <i64>saturate(to)) return false;
  store<i32>(line, <i32>from, LINE_FROM);
  store<i32>(line, <i32>to, LINE_TO);
  store<u16>(line, 0, LINE_INDEX);
  store<u16>(line, <u16>rows, LINE_LEFT);
  store<u16>(line, <u16>((sign << SIGN_AT) | ON | MODE | (rows - 1)), LINE_SHAPE);
  return true;
}

/** Code one sample of channel c, which is on lines. @returns false if corrupt */
export function codeLineSample(cfg: usize, st: usize, coder: usize, c: i32): bool {
  const channel = channelState(cfg, st, c);
  const config = channelConfig(cfg, c);
  const flags = flagsOf(cfg, channel);
  const line = lineOf(flags);
  const last = load<i32>(channel, LAST);
  if (!isOnLine(line) && !codeLine(st, coder, c, config, line, last)) return false;
  const index = <u32>load<u16>(line, LINE_INDEX);
  const reconstruction = lineValue(config, line, index);
  let hasEnded = index == LAST_LINE_INDEX;
  if (load<u8>(coder, CODER_MODE) != MODE_REPLAY) {
    const left = load<u16>(line, LINE_LEFT) - 1;
    store<u16>(line, left, LINE_LEFT);
    hasEnded = hasEnded || (left == 0 && load<u32>(coder, CODER_BLOCK_ROWS) > 0);
  }
  store<u16>(line, <u16>(index + 1), LINE_INDEX);
  if (hasEnded) store<u16>(line, load<u16>(line, LINE_SHAPE) & ~ON, LINE_SHAPE);
  store<i32>(channel, reconstruction, LAST);
  const historyShift = <i64>load<u8>(config, CHANNEL_HISTORY_SHIFT);
  followMove(cfg, st, channel, <i64>reconstruction - last, (<i64>load<i32>(config, CHANNEL_STEP)) << historyShift);
  keepSign(flags, 0);
  return true;
}
