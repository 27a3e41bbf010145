import { saturate } from "./fixed-point";
import { baseOf } from "./keyframe";
import {
  CHANNEL_BOUND,
  CHANNEL_SPACING,
  CHANNEL_STEP,
  CODER_FLAGS,
  CODER_LOUD,
  CONFIG_CHANNELS,
  channelConfig,
  channelState,
  coderOf,
  LAST,
} from "./layout";
import { codeBase, codeStatuses, K_OCTAVE, LARGEST_SHORT_K, LONG_FROM, LONG_REST_BITS, lowBits } from "./lite-code";
import {
  afterZero,
  closeCoder,
  closeInput,
  codeBit,
  codeBits,
  isRefused,
  isReplay,
  openCoder,
  openInput,
  peekWord,
  refuse,
  takeWord,
  WORD_BITS,
} from "./lite-coder";
import {
  LITE_ACTIVITY,
  LITE_HOME,
  LITE_LEAD,
  LITE_OCTAVE_BITS,
  LITE_STATUSES,
  NO_BASE,
  STATUS_BITS,
  STATUS_MASK,
} from "./lite-layout";
import {
  activityAfter,
  activityAfterLong,
  baseSize,
  countedSize,
  countLiteRow,
  FIRST_ACTIVITY,
  foreseeMove,
  isItsTurn,
  isLiteSparse,
  keepSample,
  predictionAfter,
  restedActivity,
  sizeOf,
  tapOf,
} from "./lite-model";
import { isOnLattice, saturateOnLattice } from "./quantizer";
import { SAMPLE_INVALID } from "./row-coder";
import { STATUS_CORRUPT, STATUS_NO_BASE } from "./status";

/** Decode one row of the lite profile in the steps of lite-write.ts, or replay a quiet one, as decodeRow of row-coder.ts. */
export function readRow(cfg: usize, st: usize, samples: usize, statuses: usize): i32 {
  const coder = coderOf(cfg, st);
  const channels = <i32>load<u8>(cfg, CONFIG_CHANNELS);
  const home = st + LITE_HOME;
  openCoder(coder);
  if (!openInput(coder)) return STATUS_CORRUPT;
  let word: u32 = 0;
  if (load<u8>(coder, CODER_FLAGS)) word = codeStatuses<i32>(home, channels, 0);
  else store<u32>(home, 0, LITE_STATUSES);
  const rows = countLiteRow(home);
  for (let c = 0; c < channels; c++) {
    const channel = channelState(cfg, st, c);
    const status = word & STATUS_MASK;
    word >>= STATUS_BITS;
    const hasBase = load<u32>(channel, LITE_ACTIVITY) != NO_BASE;
    if (isReplay && !hasBase) return STATUS_NO_BASE;
    if (status != SAMPLE_INVALID) {
      const config = channelConfig(cfg, c);
      const isLoud = hasBase
        ? readSample(home, config, channel, tapOf(rows), isItsTurn(channel, rows))
        : readBase(config, channel);
      if (isLoud) store<u8>(coder, 1, CODER_LOUD);
    }
    if (isRefused) return STATUS_CORRUPT;
    store<i32>(samples + ((<usize>c) << 2), load<i32>(channel, LAST));
    if (statuses) store<u8>(statuses + c, <u8>status);
  }
  closeCoder(coder);
  closeInput(coder);
  return 0;
}

/** Read a channel's first valid sample. @returns true */
function readBase(config: usize, channel: usize): bool {
  const bin = codeBase<i32>(0, false);
  const base = baseOf(config, bin);
  if (<u64>(bin < 0 ? -bin : bin) != <u64>baseSize(config, base) || base < 0 != bin < 0) refuse();
  store<i32>(channel, base, LAST);
  store<u32>(channel, FIRST_ACTIVITY, LITE_ACTIVITY);
  return true;
}

/** Read one sample of one channel. @returns whether its code is not zero */
function readSample(home: usize, config: usize, channel: usize, tap: usize, isTurn: bool): bool {
  const last = load<i32>(channel, LAST);
  const lead = load<i32>(channel, LITE_LEAD);
  const foreseen = lead > 0 ? foreseeMove(channel) : 0;
  const prediction = lead > 0 ? predictionAfter(config, last, foreseen) : last;
  const activity = load<u32>(channel, LITE_ACTIVITY);
  const zeros = <i32>clz<u32>(activity);
  const isSparse = isLiteSparse(activity);
  const first = home - (zeros << LITE_OCTAVE_BITS);
  let isNotZero = false;
  if (isReplay) store<u32>(first, afterZero(load<u32>(first)));
  else isNotZero = codeBit<i32>(first, false);
  if (!isNotZero) {
    store<u32>(channel, restedActivity(activity), LITE_ACTIVITY);
    keepSample<i32>(config, channel, tap, last, prediction, lead, foreseen, isTurn && !isSparse);
    return false;
  }
  let size: u32 = 1;
  let isNegative = false;
  let reconstruction = 0;
  let isLong = false;
  const k = zeros < 32 - K_OCTAVE ? lowBits(zeros) : 0;
  const word = peekWordAfter(first, zeros);
  if (isUnitRead) {
    isNegative = takeWord(1, word) != 0;
  } else {
    const u = clz<u32>(~(word << (32 - WORD_BITS)));
    isLong = u >= LONG_FROM;
    if (isLong) {
      const high = takeWord(WORD_BITS, word) << LONG_REST_BITS;
      reconstruction = <i32>(high | codeBits<i32>(LONG_REST_BITS, 0));
      size = longSize(config, prediction, reconstruction, last, isSparse);
      if ((size - 1) >> k < LONG_FROM + u32(k == 0)) refuse();
    } else {
      const short = k <= LARGEST_SHORT_K ? k : 0;
      const whole = takeWord(<i32>u + 2 + short, word);
      isNegative = ((whole >> short) & 1) != 0;
      const rest = short == k ? whole & ((1 << k) - 1) : codeBits<i32>(k, 0);
      const wide = ((<u64>(u + u32(k == 0))) << k) + rest + 1;
      if (wide > u32.MAX_VALUE) refuse();
      size = <u32>wide;
    }
  }
  if (!isLong) reconstruction = reconstruct(config, prediction, size, isNegative, isSparse);
  const next = isLong ? activityAfterLong(activity, zeros) : activityAfter(activity, countedSize(size));
  store<u32>(channel, next, LITE_ACTIVITY);
  keepSample<i32>(config, channel, tap, last, reconstruction, lead, foreseen, isTurn && !isLong);
  return true;
}

/** Is the size that was read last one? */
let isUnitRead: bool = false;

/** Read whether a size is one, where that is said, and what comes next. */
function peekWordAfter(first: usize, zeros: i32): u32 {
  isUnitRead = zeros >= 32 - K_OCTAVE && !codeBit<i32>(first + 4, false);
  return peekWord();
}

/** The size of a code that came as its sample; it refuses one that an encoder has no long code for. */
function longSize(config: usize, prediction: i32, sample: i32, last: i32, isSparse: bool): u32 {
  const bound = load<u32>(config, CHANNEL_BOUND);
  const away = sample < prediction ? <u32>prediction - <u32>sample : <u32>sample - <u32>prediction;
  const spacing = load<i32>(config, CHANNEL_SPACING);
  if (away <= bound || (spacing != 1 && !isOnLattice(sample, last, spacing))) {
    refuse();
    return 1;
  }
  return sizeOf(load<u32>(config, CHANNEL_STEP), away, bound, isSparse);
}

/** What a decoder makes of a code; it refuses one that no encoder has for what it stands for. */
function reconstruct(config: usize, prediction: i32, size: u32, isNegative: bool, isSparse: bool): i32 {
  const bound = <i64>load<u32>(config, CHANNEL_BOUND);
  const offset = <i64>size * load<u32>(config, CHANNEL_STEP) - (isSparse ? bound : 0);
  const wide = isNegative ? prediction - offset : prediction + offset;
  if (<u64>(wide - saturate(wide) + bound) > <u64>(2 * bound)) refuse();
  return saturateOnLattice(wide, load<i32>(config, CHANNEL_SPACING));
}
