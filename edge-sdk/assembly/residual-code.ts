import { activityQuarters, fastOctave } from "./activity";
import { freshBit } from "./adaptive-bit";
import { lastSigns } from "./channel-flags";
import { clampTo } from "./fixed-point";
import { entryAt, meanOf } from "./history";
import {
  BITS_ESCAPE,
  BITS_LOW,
  BITS_SIGN,
  BITS_SIGN_LEVELS,
  BITS_SIGN_MOVE,
  BITS_STATUS_CHANGED,
  BITS_STATUS_CHOICE,
  BITS_UNARY,
  BITS_UNARY_LEVELS,
  BITS_UNARY_PLACE,
  BITS_ZERO,
  BITS_ZERO_HOME,
  BITS_ZERO_LEVELS,
  hasStacked,
  historyOf,
  WEIGHTS,
} from "./layout";
import { codeBit, codeMixed } from "./mixed-bit";
import { codeRaw, decodes } from "./range-coder";
import { collectCandidates, keepSide, placeContext, signContext, unaryContext, zeroContext } from "./recent-levels";
import { FIRST_RUNS, FIRST_RUNS_COUNT } from "./tables";

/**
 * How a residual's code is spelled in adaptive bits. The channel's recent activity A (Q8 codes) picks one of 10 levels:
 *
 *     zero? -> sign -> u = (|q| - 1) >> k in unary -> k low bits
 *                      at u = 5: length of u - 4 in 5 bits, then its bits below the leading one
 *
 * with k = max(0, floor(log2 A + 3/4)) <= 30, so that u stays short; one less, if not 0, where few channels have long
 * histories, so that u says more of what those foresee. Each of the first three kinds of decision is mixed from three
 * contexts: what the channel does, where it was, and where its slow mean or the prediction lies.
 */
/** Every mixing weight starts at a quarter: inputs that say the same should not add up to more than they say. */
const FIRST_WEIGHT: i32 = 1 << 18;
const MIX_BYTES: usize = 12;
const SIGN_WEIGHTS: usize = MIX_BYTES;
const UNARY_WEIGHTS: usize = 2 * MIX_BYTES;

const UNARY_POSITIONS: i32 = 3;
const ESCAPE: u32 = 5;
/** Where the mixed adaptive bits of each context begin, counted as codeMixed takes them. */
const ZERO: i32 = <i32>(BITS_ZERO >> 1);
const ZERO_LEVELS: i32 = <i32>(BITS_ZERO_LEVELS >> 1);
const ZERO_HOME: i32 = <i32>(BITS_ZERO_HOME >> 1);
const SIGN: i32 = <i32>(BITS_SIGN >> 1);
const SIGN_LEVELS: i32 = <i32>(BITS_SIGN_LEVELS >> 1);
const SIGN_MOVE: i32 = <i32>(BITS_SIGN_MOVE >> 1);
const UNARY: i32 = <i32>(BITS_UNARY >> 1);
const UNARY_LEVELS: i32 = <i32>(BITS_UNARY_LEVELS >> 1);
const UNARY_PLACE: i32 = <i32>(BITS_UNARY_PLACE >> 1);
/** How far the slow mean is looked at, Q8 history bins, or Q8 bins D where those are coarser than an entry, and at most how far its distance is shifted: beyond every threshold. */
const HOME_LIMIT: i32 = 4096;
const HOME_SHIFT_LIMIT: i32 = 14;
/** An encoder writes up to 31 bits below the leading one of an escape: |q| - 1 < 2^32 - 1. */
const ESCAPE_LENGTH_BITS: i32 = 5;
const LARGEST_CODE: u64 = 0xffffffff;

/** What `codeResidual` returns for a code that no encoder writes. */
export const CORRUPT_CODE: i64 = i64.MIN_VALUE;

/**
 * First probabilities (of 4096) of all adaptive bits in the order of layout.ts: runs of (count, probability). "Not zero"
 * starts at m / (1 + m) with m = 0.06 x 2^(0.6 level) up to level 5 and 0.06 x 2^(0.6 (level + 2)) beyond, within 0.02..0.95, and at 0.17 in its other contexts; then even
 * signs, 0.4 to go on in unary, 0.45 for the top low bit, 0.05 for a change of status, and even escapes.
 */
export function resetBits(st: usize): void {
  for (let at = st + WEIGHTS; at < st + BITS_ZERO; at += 4) store<i32>(at, FIRST_WEIGHT);
  let at = st + BITS_ZERO;
  for (let run = 0; run < FIRST_RUNS_COUNT; run++) {
    const pair = (<usize>run) << 2;
    const bit = freshBit(load<u16>(pair, FIRST_RUNS + 2));
    for (let left = <i32>load<u16>(pair, FIRST_RUNS); left > 0; left--) {
      store<u16>(at, bit);
      at += 2;
    }
  }
}

/** Context of the zero flag: how many of the channels already coded in this row were not zero. */
function neighbourClass(c: i32, nonZeroBefore: i32): i32 {
  if (c == 0) return 3;
  return nonZeroBefore == 0 ? 0 : nonZeroBefore * 2 <= c ? 1 : 2;
}

/**
 * Code one residual code; a decoder ignores `code` and returns what it read.
 *
 * @returns the code, |code| < 2^32, or CORRUPT_CODE
 */
export function codeResidual(
  cfg: usize,
  st: usize,
  coder: usize,
  channel: usize,
  flags: usize,
  c: i32,
  nonZeroBefore: i32,
  move: i32,
  octaves: i32,
  code: i64,
): i64 {
  const quarters = activityQuarters(channel, flags);
  const octave = max<i32>((quarters + 3) >> 2, 0);
  const k = octave - i32(octave > 0 && hasStacked(cfg));
  const level = octave
    ? 6 + i32(((quarters + 3) & 3) >= 2) + (octave >= 2 ? 2 : 0)
    : max<i32>(((quarters + 20) * 19) >> 6, 0); // quarters <= 0: at most 5

  const foreseen = entryAt(cfg, historyOf(cfg, channel), 0) + move;
  collectCandidates(cfg, channel, foreseen, octaves);
  const fine = max<i32>(-octaves, 0);
  const away = clampTo((meanOf(cfg, channel) - foreseen) >> fine, HOME_LIMIT);
  const home = away << min(max<i32>(octaves, 0), HOME_SHIFT_LIMIT);
  const far = home < 0 ? -home : home;
  const calm = ZERO + level * 4 + neighbourClass(c, nonZeroBefore);
  const quiet = ZERO_HOME + fastOctave(channel, flags) * 4 + i32(far >= 64) + i32(far >= 192) + i32(far >= 512);
  if (!codeMixed(st, coder, st + WEIGHTS, calm, ZERO_LEVELS + zeroContext(), quiet, code != 0)) return 0;

  const signs = lastSigns(flags);
  const homeClass = i32(home > 640) + i32(home > 128) + i32(home >= -128) + i32(home >= -640);
  const homeward = SIGN + (signs & 3) * 5 + homeClass;
  const onward = SIGN_MOVE + signs * 3 + i32(move >> fine > 32) + i32(move >> fine >= -32);
  const weights = st + WEIGHTS + SIGN_WEIGHTS;
  const isNegative = codeMixed(st, coder, weights, homeward, SIGN_LEVELS + signContext(), onward, code < 0);
  keepSide(isNegative, k);
  const rest = <u32>((code < 0 ? -code : code) - 1);

  let prefix = <u64>codeUnary(st, coder, level, k, rest >> k);
  if (prefix == ESCAPE) prefix += codeEscape(st, coder, (rest >> k) - ESCAPE);
  let size = prefix;
  if (k) {
    const lowBit = st + BITS_LOW + ((<usize>((level - 6) * 2 + i32(prefix > 0))) << 1);
    const top = codeBit(st, coder, lowBit, ((rest >> (k - 1)) & 1) != 0);
    const low = (u32(top) << (k - 1)) | codeRaw(coder, k - 1, rest);
    size = prefix * ((<u64>1) << k) + low;
  }
  size += 1;
  if (decodes & u32(size > LARGEST_CODE)) return CORRUPT_CODE;
  return isNegative ? -(<i64>size) : <i64>size;
}

/** min(value, ESCAPE) ones, and a zero unless the escape was reached. */
function codeUnary(st: usize, coder: usize, level: i32, k: i32, value: u32): u32 {
  let i: u32 = 0;
  for (; i < ESCAPE; i++) {
    const position = min<u32>(i, UNARY_POSITIONS - 1);
    const weights = st + WEIGHTS + UNARY_WEIGHTS + MIX_BYTES * <usize>position;
    const unary = UNARY + level * UNARY_POSITIONS + <i32>position;
    const levels = UNARY_LEVELS + unaryContext(i) * 3 + min<i32>(k, 2);
    const place = UNARY_PLACE + placeContext(i) * 4 + min<i32>(i, 3);
    if (!codeMixed(st, coder, weights, unary, levels, place, value > i)) break;
  }
  return i;
}

/** The part of a unary count beyond the escape: bit length of value + 1, then its bits. */
function codeEscape(st: usize, coder: usize, value: u32): u64 {
  const bits = 31 - clz<u32>(value + 1);
  let length: i32 = 0;
  for (let i = 0; i < ESCAPE_LENGTH_BITS; i++) {
    const bit = codeBit(
      st,
      coder,
      st + BITS_ESCAPE + ((<usize>i) << 1),
      ((bits >> (ESCAPE_LENGTH_BITS - 1 - i)) & 1) != 0,
    );
    length = (length << 1) | i32(bit);
  }
  const below = codeRaw(coder, length, (value + 1) ^ ((<u32>1) << length));
  return (((<u64>1) << length) | below) - 1;
}

/** Code a bin that nothing foretells: its size like an escape, then its sign. Range: |bin| <= 2^31. @returns the bin */
export function codeBin(st: usize, coder: usize, bin: i64): i64 {
  const size = codeEscape(st, coder, <u32>(bin < 0 ? -bin : bin));
  return size != 0 && codeRaw(coder, 1, u32(bin < 0)) ? -size : size;
}

/** Code a channel's status given its previous one: changed or not, then which of the two others (in rising order). */
export function codeStatus(st: usize, coder: usize, previous: i32, status: i32): i32 {
  if (!codeBit(st, coder, st + BITS_STATUS_CHANGED + ((<usize>previous) << 1), status != previous)) return previous;
  const lower = previous == 0 ? 1 : 0;
  const higher = previous == 2 ? 1 : 2;
  return codeBit(st, coder, st + BITS_STATUS_CHOICE + ((<usize>previous) << 1), status == higher) ? higher : lower;
}
