import { LITE_CHANNEL_BYTES, LITE_SHARED_BYTES } from "./lite-layout";
import { IS_LITE } from "./profile";

/**
 * Where everything lives: the configuration block and the state block of one device.
 *
 * State block (C channels, B = own levels, W1 = A + C - 1 and W2 weights; all little-endian, 4-byte aligned):
 *
 *     offset            size        what
 *     0                 4           dither: state of the shared linear congruential generator
 *     4                 4 x 15      mixing weights, Q20
 *     64                2 x 360     adaptive bits, 12-bit probability and 4-bit age each (table below)
 *     784               2           rows since the reset, up to ROWS_LIMIT
 *     786               2           zero
 *     788 + stride c                channel c:
 *       0               4           last reconstruction r0, in sample units
 *       4               4           slow mean of the history, Q24 history bins
 *       8               4           by how much hold has cost more than the mix of late, 20 to 19, 1/64 bit
 *       12              2 x 2       fast and slow activity, Q8 codes over 2^scale
 *       16              4 x 4       recent loss of each expert, Q16 history bins; wide ones Q20
 *       32              4           only with a stacked expert (up to MAX_STACKED channels): its loss
 *       ...             2 x 4       only wide: loss of the curve, and the slope, Q20 history bins
 *       ...             2 x 8       only with a stacked expert: zero, and its 7 weights, Q2.13
 *       ...             4 V         only with a stacked expert: the last four misses of the mix, as entries
 *       H               V B         history of reconstructions, newest first, history bins from the base: entries of
 *                                   V = 2 bytes, Q8, or wide ones of 4, Q20
 *       H + V B         2 W1        weights over steps, Q2.13, in channel order
 *       ...             2 W2        weights over levels, Q2.13, in channel order
 *       stride - 16     14          line (table below)
 *       stride - 2      2           flags: status, base, last signs, activity scale (channel-flags.ts)
 *     persistent end    32          range coder of the frame in hand: neither hashed nor kept between frames
 *
 * The persistent part is all that two ends must share; saving or restoring a state is a plain copy of it.
 */

/** Most channels of one device. */
export const MAX_CHANNELS: i32 = 16;
/** Largest error bound in sample units, so that the plain bin width 2e + 1 stays below 2^31. */
export const MAX_BOUND: i32 = (1 << 30) - 1;
/** Largest bin width in sample units. */
export const MAX_STEP: i64 = 0x7fffffff;
/** Largest history shift: with it a range of 2^32 samples of bin width 1 is 2^7 history bins. */
export const MAX_HISTORY_SHIFT: i32 = 25;
/** Up to this shift, entries of 16 bits are exact to 1/64 of a bin D; a device with a larger one has wide histories. */
export const NARROW_SHIFT: i32 = 2;
/** Entries of 32 bits are Q20. */
export const WIDE_EXTRA_BITS: i32 = 12;
/** Largest history bin, D << h. */
export const MAX_HISTORY_STEP: i64 = (<i64>1) << 33;
/**
 * Bytes that one channel of one row can cost at the very most: 7 mixed decisions of at most 13.6 bits, 8 more of at most
 * 11.3 bits and 40 raw ones of at most 1.6 bits (docs/design.md, "Room for one row").
 */
export const MAX_CHANNEL_BYTES: i32 = 32;
/** Bytes the range coder may hold back until the end of a frame. */
export const FLUSH_BYTES: i32 = 4;

// Configuration block: taps of this channel count, then 20 bytes per channel.
export const CONFIG_CHANNELS: usize = 0; // u8
export const CONFIG_OWN_STEPS: usize = 1; // u8, A: own differences
export const CONFIG_HAS_LATTICE: usize = 1; // u8, lite profile alone, in its place: not 0 once a channel has had a lattice
export const CONFIG_OWN_LEVELS: usize = 2; // u8, B: own levels; also the length of the history
export const CONFIG_CROSS_LEVELS: usize = 3; // u8, X: levels of each other channel
export const CONFIG_LEVEL_WEIGHTS: usize = 4; // u8, W2: own and cross levels, cut at the cap
export const CONFIG_HISTORY: usize = 5; // u8, H: where a channel's history begins
export const CONFIG_STRIDE: usize = 6; // u16, bytes per channel of the state
const CONFIG_FIRST_CHANNEL: usize = 8;
export const CONFIG_CHANNEL_BYTES: usize = 20;
const CONFIG_WIDTH: usize = CONFIG_FIRST_CHANNEL + 13; // u8, in channel 0's room: 1 for histories of 32 bits
export const CHANNEL_STEP: usize = 0; // i32, D: bin width in sample units
export const CHANNEL_BOUND: usize = 4; // i32, e': largest multiple of the spacing that is <= e
export const CHANNEL_SPACING: usize = 8; // i32, s: lattice spacing, 1 = none
export const CHANNEL_HISTORY_SHIFT: usize = 12; // u8, h: the history counts in bins of D << h
export const CHANNEL_UNIT_BITS: usize = 14; // u8, lite profile alone: log2 of the unit of its moves
export const CHANNEL_GIVEN_BOUND: usize = 16; // i32, e as it was given, for a channel that loses its lattice

/** Bytes of one configuration block; those of channels that there are not, at its end, are the caller's once it is filled. */
export const CONFIG_BYTES: i32 = <i32>(CONFIG_FIRST_CHANNEL + CONFIG_CHANNEL_BYTES * MAX_CHANNELS);

// State block, shared part.
export const DITHER: usize = 0;
export const WEIGHTS: usize = 4; // 5 x 3 mixing weights, Q20: of the zero flag, the sign and 3 unary positions
export const BITS_ZERO: usize = WEIGHTS + 4 * 15; // is the code zero? by 10 activity levels x 4 neighbour classes
export const BITS_ZERO_LEVELS: usize = BITS_ZERO + 2 * 40; // 28: by the recent levels
export const BITS_ZERO_HOME: usize = BITS_ZERO_LEVELS + 2 * 28; // by 8 octaves of the fast activity x 4 of the slow mean
export const BITS_SIGN: usize = BITS_ZERO_HOME + 2 * 32; // by 3 signs of the last code x 5 classes of the slow mean
export const BITS_SIGN_LEVELS: usize = BITS_SIGN + 2 * 15; // 16: by the recent levels
export const BITS_SIGN_MOVE: usize = BITS_SIGN_LEVELS + 2 * 16; // by 11 pairs of signs of the last codes x 3 moves
export const BITS_UNARY: usize = BITS_SIGN_MOVE + 2 * 33; // by 10 activity levels x 3 positions
export const BITS_UNARY_LEVELS: usize = BITS_UNARY + 2 * 30; // by 9 classes of the recent levels x 3 of k
export const BITS_UNARY_PLACE: usize = BITS_UNARY_LEVELS + 2 * 27; // by 4 places of the level before the last x 4 positions
export const BITS_LOW: usize = BITS_UNARY_PLACE + 2 * 16; // by 4 activity levels x (unary part was zero or not)
export const BITS_STATUS_CHANGED: usize = BITS_LOW + 2 * 8; // 3, by the previous status
export const BITS_STATUS_CHOICE: usize = BITS_STATUS_CHANGED + 2 * 3; // 3, by the previous status
export const BITS_ESCAPE: usize = BITS_STATUS_CHOICE + 2 * 3; // 5: the length of an escape, bit by bit
// Lines (lines.ts). A magnitude's bits are its length in unary, then the first bit below the leading one by that length.
export const BITS_LINE_MODE: usize = BITS_ESCAPE + 2 * 5; // 4: are these samples on lines? by the same of before
export const BITS_LINE_GOES_ON: usize = BITS_LINE_MODE + 2 * 4; // 1
export const BITS_LINE_REACHES: usize = BITS_LINE_GOES_ON + 2; // 4: does it reach the block's end? by the rows left
export const BITS_LINE_ROWS: usize = BITS_LINE_REACHES + 2 * 4; // 11 + 10, and the second bit below the leading one: 9 x 2
export const BITS_LINE_MOVED: usize = BITS_LINE_ROWS + 2 * 39; // 5 classes: is the value anything but zero?
export const BITS_LINE_SIGN: usize = BITS_LINE_MOVED + 2 * 5; // start or slope, by the last sign of 3
export const BITS_LINE_VALUE: usize = BITS_LINE_SIGN + 2 * 6; // 5 classes x (5 + 4)
export const ROWS: usize = BITS_LINE_VALUE + 2 * 45; // u16: the age of what the predictors have learned
const SHARED_BYTES: usize = IS_LITE ? LITE_SHARED_BYTES : (ROWS + 2 + 3) & ~3;
/** Rows are counted up to here. */
export const ROWS_LIMIT: i32 = 2048;

// State block, one channel.
export const LAST: usize = 0;
export const MEAN: usize = 4;
export const HOLD_EXCESS: usize = 8;
export const ACTIVITY_FAST: usize = 12;
export const ACTIVITY_SLOW: usize = 14;
export const LOSSES: usize = 16;
const EXPERTS: i32 = 4;
const EXPERTS_END: i32 = <i32>LOSSES + 4 * EXPERTS;
export const STACKED_MISSES_COUNT: i32 = 4;
const STACKED_WEIGHTS_SLOTS: i32 = 8; // 7 weights behind 2 bytes that make words of the second and the third
/** Most channels that pay for a stacked expert. */
const MAX_STACKED: i32 = 5;
/** Rows of a block in a frame with lines: what an encoder plans at a time, and the longest line written at once. */
export const LINE_BLOCK_ROWS: u32 = 2048;
/** Bytes of a channel's line, which end where its flags begin. */
export const LINE_BYTES: usize = 14;
export const LINE_FROM: usize = 0; // i32: value at index 0
export const LINE_TO: usize = 4; // i32: value at index `span`
export const LINE_INDEX: usize = 8; // u16: index of the next sample
export const LINE_LEFT: usize = 10; // u16: samples that it still has in this block
export const LINE_SHAPE: usize = 12; // u16: last sign << 13 | on << 12 | mode << 11 | span
const FLAGS_BYTES: usize = 2;

// Transient part: the range coder.
export const CODER_LOW: usize = 0; // u32
export const CODER_HIGH: usize = 4; // u32
export const CODER_CODE: usize = 8; // u32: the decoder's window
export const CODER_START: usize = 8; // u32: the encoder's first output byte; shares the decoder's place
export const CODER_POSITION: usize = 12; // u32: next byte
export const CODER_END: usize = 16; // u32: one past the last byte
export const CODER_MODE: usize = 20; // u8: MODE_*
export const CODER_FLAGS: usize = 21; // u8: FRAME_*
export const CODER_LOUD: usize = 22; // u8: not 0 once anything but a zero residual or a line going on was coded
export const CODER_SINGLE: usize = 23; // u8: 1 when the decoder's input is one byte
export const CODER_ROWS: usize = 24; // u32: rows that are left in a frame with lines
export const CODER_BLOCK_ROWS: usize = 28; // u32: rows that are left in its block
export const CODER_HOME: usize = 28; // u32, in its place in the lite profile: home of the state (lite-layout.ts)
export const TRANSIENT_BYTES: usize = 32;

/** What a frame may contain; never both. */
export const FRAME_EVENTS: u32 = 1;
export const FRAME_LINES: u32 = 2;

/** 1 where a history shift asks for wide histories, which the whole device then has; 0 elsewhere. */
export function widthFor(historyShift: i32): i32 {
  return i32(historyShift > NARROW_SHIFT);
}

/**
 * The width in a module of one device, which is told so (`--use ONE_DEVICE=1`). Firmware whose histories are all narrow has
 * it as a constant, which takes the other width out of everything.
 */
export let wide: i32 = 0;

/** Have histories entries of 32 bits? 1 or 0. */
export function widthOf(cfg: usize): i32 {
  return isDefined(ONE_DEVICE) ? wide : load<u8>(cfg, CONFIG_WIDTH);
}

/** log2 of the bytes of an entry. */
export function entryShift(cfg: usize): usize {
  return widthOf(cfg) + 1;
}

/** Bits of fraction that entries have beyond Q8. */
export function extraBits(cfg: usize): i32 {
  return WIDE_EXTRA_BITS * widthOf(cfg);
}

/** Configure for histories of this width. */
export function setWidth(cfg: usize, width: i32): void {
  const channels = <i32>load<u8>(cfg, CONFIG_CHANNELS);
  const history = historyOffset(channels, width);
  const weights = load<u8>(cfg, CONFIG_OWN_STEPS) + channels - 1 + load<u8>(cfg, CONFIG_LEVEL_WEIGHTS);
  if (isDefined(ONE_DEVICE)) wide = width;
  else store<u8>(cfg, <u8>width, CONFIG_WIDTH);
  store<u8>(cfg, <u8>history, CONFIG_HISTORY);
  store<u16>(cfg, <u16>strideOf(history, load<u8>(cfg, CONFIG_OWN_LEVELS), weights, width), CONFIG_STRIDE);
}

/** Where a channel's history begins (H): behind the stacked expert, if there is one. */
export function historyOffset(channels: i32, width: i32): i32 {
  const experts = EXPERTS_END + 8 * width; // one loss more, and the slope
  return channels > MAX_STACKED
    ? experts
    : experts + 4 + 2 * STACKED_WEIGHTS_SLOTS + (STACKED_MISSES_COUNT << (width + 1));
}

/** Own differences of each channel (A in design): more where there are few channels to pay for. */
export function ownSteps(channels: i32): i32 {
  return channels <= 3 ? 12 : channels <= 5 ? 8 : 4;
}

/** Longest history of a channel. */
export const MAX_OWN_LEVELS: i32 = 48;

/** Own levels of each channel (B), which is also the length of its history, up to MAX_OWN_LEVELS. */
export function ownLevels(channels: i32): i32 {
  return channels <= 2 ? MAX_OWN_LEVELS : channels == 3 ? 32 : channels <= 5 ? 16 : 12;
}

/** Levels taken from each other channel (X), at most B. */
export function crossLevels(channels: i32): i32 {
  return channels <= 3 ? 32 : channels <= 6 ? 4 : 2;
}

/** Weights over levels: own and cross, cut at a cap. */
export function levelWeights(channels: i32): i32 {
  const cap = channels <= 3 ? 96 : channels <= 6 ? 32 : 28;
  return min(ownLevels(channels) + (channels - 1) * crossLevels(channels), cap);
}

/** Bytes of one channel's state, a multiple of 4. */
export function channelStride(channels: i32, width: i32): i32 {
  if (IS_LITE) return <i32>LITE_CHANNEL_BYTES;
  const weights = ownSteps(channels) + channels - 1 + levelWeights(channels);
  return strideOf(historyOffset(channels, width), ownLevels(channels), weights, width);
}

function strideOf(history: i32, levels: i32, weights: i32, width: i32): i32 {
  return (history + (levels << (width + 1)) + 2 * weights + <i32>(LINE_BYTES + FLAGS_BYTES) + 3) & ~3;
}

/**
 * Bytes that both ends share and that a keyframe or snapshot copies, a multiple of 4.
 *
 * @param historyShift  the largest of the device's channels, which decides whether histories are wide
 */
export function persistentBytes(channels: i32, historyShift: i32): i32 {
  return <i32>SHARED_BYTES + channels * channelStride(channels, widthFor(historyShift));
}

/** Bytes of the whole state block, a multiple of 4. @param historyShift  as above */
export function stateBytes(channels: i32, historyShift: i32): i32 {
  return persistentBytes(channels, historyShift) + <i32>TRANSIENT_BYTES;
}

/** Bytes of the state block of the configured device. */
export function configuredBytes(cfg: usize): usize {
  return coderOf(cfg, 0) + TRANSIENT_BYTES;
}

/** Bytes of a state block for any history shifts. */
export function widestBytes(channels: i32): i32 {
  return stateBytes(channels, MAX_HISTORY_SHIFT);
}

/** Address of channel c's configuration. */
export function channelConfig(cfg: usize, c: i32): usize {
  return cfg + CONFIG_FIRST_CHANNEL + CONFIG_CHANNEL_BYTES * <usize>c;
}

/** Address of channel c's state. */
export function channelState(cfg: usize, st: usize, c: i32): usize {
  if (IS_LITE) return st + SHARED_BYTES + LITE_CHANNEL_BYTES * <usize>c;
  return st + SHARED_BYTES + <usize>load<u16>(cfg, CONFIG_STRIDE) * <usize>c;
}

/** The same of the stacked expert. */
export let stacked: u32 = 0;

/** The channel count is there. */
export function setStacked(channels: i32): void {
  if (isDefined(ONE_DEVICE)) stacked = u32(channels <= MAX_STACKED);
}

/** Does a channel have a stacked expert? */
export function hasStacked(cfg: usize): bool {
  return isDefined(ONE_DEVICE) ? stacked != 0 : <i32>load<u8>(cfg, CONFIG_CHANNELS) <= MAX_STACKED;
}

/** Experts of each channel, 4 to 6: as many losses stand at LOSSES. */
export function expertsOf(cfg: usize): i32 {
  return EXPERTS + i32(hasStacked(cfg)) + widthOf(cfg);
}

/** Address of a channel's slope; of wide histories only. */
export function slopeOf(cfg: usize, channel: usize): usize {
  return channel + LOSSES + ((<usize>expertsOf(cfg)) << 2);
}

/** Address of the last misses of a channel's mix, entries of a history; with a stacked expert only. */
export function stackedMissesOf(cfg: usize, channel: usize): usize {
  return historyOf(cfg, channel) - ((<usize>STACKED_MISSES_COUNT) << entryShift(cfg));
}

/** Address of the weights of a channel's stacked expert; the second is at a multiple of 4. */
export function stackedWeightsOf(cfg: usize, channel: usize): usize {
  return stackedMissesOf(cfg, channel) - 2 * (STACKED_WEIGHTS_SLOTS - 1);
}

/** Address of channel state's history. */
export function historyOf(cfg: usize, channel: usize): usize {
  return channel + <usize>load<u8>(cfg, CONFIG_HISTORY);
}

/** Address of channel state's flag byte. */
export function flagsOf(cfg: usize, channel: usize): usize {
  return channel + <usize>load<u16>(cfg, CONFIG_STRIDE) - FLAGS_BYTES;
}

/** Address of the frame's range coder. */
export function coderOf(cfg: usize, st: usize): usize {
  return channelState(cfg, st, load<u8>(cfg, CONFIG_CHANNELS));
}
