import { baseOf } from "./keyframe";
import {
  CHANNEL_BOUND,
  CHANNEL_SPACING,
  CHANNEL_STEP,
  CODER_END,
  CODER_FLAGS,
  CODER_HOME,
  CODER_LOUD,
  CODER_POSITION,
  CONFIG_CHANNEL_BYTES,
  CONFIG_CHANNELS,
  CONFIG_HAS_LATTICE,
  channelConfig,
  channelState,
  coderOf,
  FLUSH_BYTES,
  LAST,
  MAX_CHANNEL_BYTES,
} from "./layout";
import {
  areStatuses,
  codeBase,
  codeStatuses,
  K_OCTAVE,
  LARGEST_SHORT_K,
  LONG_FROM,
  LONG_PREFIX,
  LONG_REST_BITS,
  lowBits,
} from "./lite-code";
import {
  afterOne,
  afterZero,
  carry,
  chanceOf,
  closeCoder,
  codeBits,
  low,
  openCoder,
  position,
  range,
  STEP_BITS,
  setCoder,
  WORD_BITS,
} from "./lite-coder";
import {
  LITE_ACTIVITY,
  LITE_CHANNEL_BYTES,
  LITE_CHANNELS,
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
import { STATUS_EVENT_IN_PLAIN_FRAME, STATUS_OFF_LATTICE, STATUS_OUTPUT_FULL, STATUS_SAMPLE_STATUS } from "./status";

/**
 * Encode one row of the lite profile, as frameSample of codec.ts. It is written out, coder and all, because each call and each
 * word that goes through memory costs an interpreter as much as several instructions; lite-read.ts says the same more plainly.
 */
export function writeRow(cfg: usize, st: usize, samples: usize, statuses: usize): i32 {
  const coder = coderOf(cfg, st);
  const channels = <i32>load<u8>(cfg, CONFIG_CHANNELS);
  const room = load<i32>(coder, CODER_END) - load<i32>(coder, CODER_POSITION);
  if (room < channels * MAX_CHANNEL_BYTES + FLUSH_BYTES) return STATUS_OUTPUT_FULL;
  let word: u32 = 0;
  if (statuses) {
    let any: u32 = 0;
    for (let at = statuses + channels; at != statuses; ) {
      at--;
      const status = <u32>load<u8>(at);
      any |= status;
      word = (word << STATUS_BITS) | status;
    }
    if (any > STATUS_MASK || (any == STATUS_MASK && !areStatuses(word))) return STATUS_SAMPLE_STATUS;
  }
  const hasEvents = load<u8>(coder, CODER_FLAGS);
  if (word && !hasEvents) return STATUS_EVENT_IN_PLAIN_FRAME;
  if (load<u8>(cfg, CONFIG_HAS_LATTICE) && !areOnLattices(cfg, st, samples, word)) return STATUS_OFF_LATTICE;
  openCoder(coder);
  // Through memory, so that it is in a local: where a module is interpreted, large constants are slow
  store<u32>(coder, <u32>(st + LITE_HOME), CODER_HOME);
  const home = <usize>load<u32>(coder, CODER_HOME);
  if (hasEvents) codeStatuses<u32>(home, channels, word);
  else store<u32>(home, 0, LITE_STATUSES);
  writeSamples(channelConfig(cfg, 0), home, channels, coder, samples, word);
  closeCoder(coder);
  return 0;
}

/** Is each valid sample, but the first one of a channel, on its channel's lattice? */
function areOnLattices(cfg: usize, st: usize, samples: usize, statuses: u32): bool {
  for (let c = 0; c < <i32>load<u8>(cfg, CONFIG_CHANNELS); c++) {
    const spacing = load<i32>(channelConfig(cfg, c), CHANNEL_SPACING);
    const channel = channelState(cfg, st, c);
    const status = statuses & STATUS_MASK;
    statuses >>= STATUS_BITS;
    if (spacing == 1 || status == SAMPLE_INVALID || load<u32>(channel, LITE_ACTIVITY) == NO_BASE) continue;
    if (!isOnLattice(load<i32>(samples + ((<usize>c) << 2)), load<i32>(channel, LAST), spacing)) return false;
  }
  return true;
}

/** Write a channel's first valid sample. */
function writeBase(config: usize, channel: usize, sample: i32): void {
  store<i32>(channel, baseOf(config, codeBase<u32>(baseSize(config, sample), sample < 0)), LAST);
  store<u32>(channel, FIRST_ACTIVITY, LITE_ACTIVITY);
}

/** A reconstruction that lies beyond int32, by its error. */
function atTheEnd(config: usize, sample: i32, error: i32): i32 {
  const spacing = load<i32>(config, CHANNEL_SPACING);
  return spacing == 1 ? (error >> 31) ^ i32.MAX_VALUE : saturateOnLattice(<i64>sample + error, spacing);
}

/**
 * Write a row's valid samples.
 *
 * @param config  of the first channel
 * @param home  of the state
 * @param statuses  two bits each
 */
function writeSamples(config: usize, home: usize, channels: i32, coder: usize, samples: usize, statuses: u32): void {
  const rows = countLiteRow(home);
  const tap = tapOf(rows);
  const end = home + LITE_CHANNELS + LITE_CHANNEL_BYTES * <usize>channels;
  config -= CONFIG_CHANNEL_BYTES;
  let lowNow = low;
  let rangeNow = range;
  let at = position;
  let loud: u32 = 0;
  // Out here, so that they are not set to 0 for each channel
  let foreseen = 0;
  let isLearned = false;
  let isUnit = false;
  let k = 0;
  let u: u32 = 0;
  let length = 0;
  let word: u32 = 0;
  let tail: u32 = 0;
  for (let channel = home + LITE_CHANNELS; channel != end; channel += LITE_CHANNEL_BYTES) {
    const sample = load<i32>(samples);
    samples += 4;
    config += CONFIG_CHANNEL_BYTES;
    if (statuses) {
      const status = statuses & STATUS_MASK;
      statuses >>= STATUS_BITS;
      if (status == SAMPLE_INVALID) continue;
    }
    let activity = load<u32>(channel, LITE_ACTIVITY);
    if (activity == NO_BASE) {
      setCoder(lowNow, rangeNow, at);
      writeBase(config, channel, sample);
      lowNow = low;
      rangeNow = range;
      at = position;
      loud = 1;
      continue;
    }
    const last = load<i32>(channel, LAST);
    const lead = load<i32>(channel, LITE_LEAD);
    let reconstruction = last;
    if (lead > 0) {
      foreseen = foreseeMove(channel);
      reconstruction = predictionAfter(config, last, foreseen);
    }
    const zeros = <i32>clz<u32>(activity); // 32 less the octave
    const isSparse = isLiteSparse(activity);
    const bound = load<u32>(config, CHANNEL_BOUND);
    const isNegative = sample < reconstruction;
    const away = isNegative ? <u32>reconstruction - <u32>sample : <u32>sample - <u32>reconstruction;

    const first = home - (zeros << LITE_OCTAVE_BITS);
    if (rangeNow >> 24 == 0) {
      do {
        store<u8>(at, <u8>(lowNow >> 24));
        at++;
        lowNow <<= 8;
        rangeNow <<= 8;
      } while (rangeNow >> 24 == 0);
    }
    let p = load<u32>(first);
    let below = (rangeNow >> 12) * chanceOf(p);
    if (away <= bound) {
      rangeNow = below;
      store<u32>(first, afterZero(p));
      activity = restedActivity(activity);
      isLearned = !isSparse;
    } else {
      store<u32>(first, afterOne(p));
      rangeNow -= below;
      lowNow += below;
      if (lowNow < below) carry(at);
      loud = 1;
      isLearned = true;

      const step = load<u32>(config, CHANNEL_STEP);
      const size = sizeOf(step, away, bound, isSparse);
      let counted = size;
      let tailBits = 0;
      if (rangeNow >> 24 == 0) {
        do {
          store<u8>(at, <u8>(lowNow >> 24));
          at++;
          lowNow <<= 8;
          rangeNow <<= 8;
        } while (rangeNow >> 24 == 0);
      }
      if (zeros < 32 - K_OCTAVE) {
        k = lowBits(zeros);
        u = (size - 1) >> k;
        isUnit = false;
      } else {
        k = 0;
        u = size - 2;
        p = load<u32>(first, 4);
        below = (rangeNow >> 12) * chanceOf(p);
        isUnit = size == 1;
        if (isUnit) {
          rangeNow = below;
          store<u32>(first, afterZero(p), 4);
        } else {
          store<u32>(first, afterOne(p), 4);
          rangeNow -= below;
          lowNow += below;
          if (lowNow < below) carry(at);
        }
        if (rangeNow >> 24 == 0) {
          do {
            store<u8>(at, <u8>(lowNow >> 24));
            at++;
            lowNow <<= 8;
            rangeNow <<= 8;
          } while (rangeNow >> 24 == 0);
        }
      }

      if (isUnit) {
        length = 1;
        word = u32(isNegative);
      } else if (u < LONG_FROM) {
        length = u + 2;
        word = (4 << u) - 4 + u32(isNegative);
        if (k) {
          if (k <= LARGEST_SHORT_K) {
            length += k;
            word = (word << k) | ((size - 1) & ((1 << k) - 1));
          } else {
            tailBits = k;
            tail = (size - 1) << (32 - k);
            counted = countedSize(size);
          }
        }
      } else {
        isLearned = false;
        length = WORD_BITS;
        word = LONG_PREFIX | (<u32>sample >> LONG_REST_BITS);
        tailBits = LONG_REST_BITS;
        tail = (<u32>sample) << (32 - LONG_REST_BITS);
      }
      rangeNow = (rangeNow >> WORD_BITS) << (WORD_BITS - length);
      below = word * rangeNow;
      lowNow += below;
      if (lowNow < below) carry(at);

      if (tailBits > STEP_BITS) {
        setCoder(lowNow, rangeNow, at);
        codeBits<u32>(tailBits, tail >> (32 - tailBits));
        lowNow = low;
        rangeNow = range;
        at = position;
      } else if (tailBits) {
        if (rangeNow >> 24 == 0) {
          do {
            store<u8>(at, <u8>(lowNow >> 24));
            at++;
            lowNow <<= 8;
            rangeNow <<= 8;
          } while (rangeNow >> 24 == 0);
        }
        rangeNow >>= tailBits;
        below = (tail >> (32 - tailBits)) * rangeNow;
        lowNow += below;
        if (lowNow < below) carry(at);
      }
      if (isLearned) {
        activity = activityAfter(activity, counted);
        const offset = size * step - (isSparse ? bound : 0);
        reconstruction = isNegative ? reconstruction - offset : reconstruction + offset;
        const error = reconstruction - sample;
        if (error < 0 != reconstruction < sample) reconstruction = atTheEnd(config, sample, error);
      } else {
        activity = activityAfterLong(activity, zeros);
        reconstruction = sample;
      }
    }
    store<u32>(channel, activity, LITE_ACTIVITY);
    keepSample<u32>(config, channel, tap, last, reconstruction, lead, foreseen, isLearned && isItsTurn(channel, rows));
  }
  setCoder(lowNow, rangeNow, at);
  if (loud) store<u8>(coder, 1, CODER_LOUD);
}
