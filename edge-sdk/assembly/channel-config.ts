import {
  CHANNEL_BOUND,
  CHANNEL_GIVEN_BOUND,
  CHANNEL_HISTORY_SHIFT,
  CHANNEL_SPACING,
  CHANNEL_STEP,
  CHANNEL_UNIT_BITS,
  CONFIG_BYTES,
  CONFIG_CHANNELS,
  CONFIG_CROSS_LEVELS,
  CONFIG_HAS_LATTICE,
  CONFIG_LEVEL_WEIGHTS,
  CONFIG_OWN_LEVELS,
  CONFIG_OWN_STEPS,
  channelConfig,
  crossLevels,
  levelWeights,
  MAX_BOUND,
  MAX_CHANNELS,
  MAX_HISTORY_SHIFT,
  MAX_HISTORY_STEP,
  MAX_STEP,
  NARROW_SHIFT,
  ownLevels,
  ownSteps,
  setStacked,
  setWidth,
} from "./layout";
import { liteUnitBits } from "./lite-layout";
import { IS_LITE } from "./profile";
import {
  STATUS_BOUND_RANGE,
  STATUS_CHANNEL_COUNT,
  STATUS_CHANNEL_INDEX,
  STATUS_HISTORY_SHIFT,
  STATUS_LATTICE_RANGE,
} from "./status";

/** Bounds, lattices and tap counts of one device: fixed between keyframes, and the same on both ends. */

/**
 * Fill a configuration block: tap counts for this many channels, every channel lossless and without a lattice.
 *
 * @param cfg  CONFIG_BYTES bytes, 4-byte aligned, overwritten
 * @returns 0, or STATUS_CHANNEL_COUNT with nothing changed
 */
export function codecConfigure(cfg: usize, channels: i32): i32 {
  if (<u32>(channels - 1) >= <u32>MAX_CHANNELS) return STATUS_CHANNEL_COUNT;
  for (let i: usize = 0; i < <usize>CONFIG_BYTES; i += 4) store<u32>(cfg + i, 0);
  store<u8>(cfg, <u8>channels, CONFIG_CHANNELS);
  if (!IS_LITE) {
    store<u8>(cfg, <u8>ownSteps(channels), CONFIG_OWN_STEPS);
    store<u8>(cfg, <u8>ownLevels(channels), CONFIG_OWN_LEVELS);
    store<u8>(cfg, <u8>crossLevels(channels), CONFIG_CROSS_LEVELS);
    store<u8>(cfg, <u8>levelWeights(channels), CONFIG_LEVEL_WEIGHTS);
    setStacked(channels);
    setWidth(cfg, 0);
  }
  for (let c = 0; c < channels; c++) codecSetChannel(cfg, c, 0, 1, 0);
  return 0;
}

/**
 * Set one channel's bound.
 *
 * The bin is D = 2e + 1, or s(2 floor(e/s) + 1) on a lattice of spacing s where that is wider.
 *
 * @param e  largest error in sample units, 0 (lossless) .. MAX_BOUND
 * @param lattice  spacing s of the samples in sample units, 1 = none claimed
 * @param historyShift  h: histories count in bins of D << h; choose the smallest h with range / (D << h) <= 2^7. From one
 *                      beyond NARROW_SHIFT on, all of the device's are wide, until codecConfigure
 * @returns 0, or a negative status with nothing changed
 */
export function codecSetChannel(cfg: usize, c: i32, e: i32, lattice: i32, historyShift: i32): i32 {
  // A negative number is a large unsigned one
  if (<u32>c >= load<u8>(cfg, CONFIG_CHANNELS)) return STATUS_CHANNEL_INDEX;
  if (<u32>e > <u32>MAX_BOUND) return STATUS_BOUND_RANGE;
  if (lattice < 1) return STATUS_LATTICE_RANGE;
  if (<u32>historyShift > <u32>MAX_HISTORY_SHIFT) return STATUS_HISTORY_SHIFT;
  const plain = 2 * <i64>e + 1;
  const points = e / lattice;
  const wide = <i64>lattice * (2 * <i64>points + 1);
  const isLattice = wide > plain;
  const step = isLattice ? wide : plain;
  if (step > MAX_STEP) return STATUS_LATTICE_RANGE;
  if (step << historyShift > MAX_HISTORY_STEP) return STATUS_HISTORY_SHIFT;
  const at = channelConfig(cfg, c);
  store<i32>(at, <i32>step, CHANNEL_STEP);
  store<i32>(at, isLattice ? points * lattice : e, CHANNEL_BOUND);
  store<i32>(at, isLattice ? lattice : 1, CHANNEL_SPACING);
  store<u8>(at, <u8>historyShift, CHANNEL_HISTORY_SHIFT);
  store<i32>(at, e, CHANNEL_GIVEN_BOUND);
  if (IS_LITE) {
    store<u8>(at, <u8>liteUnitBits(<i32>step), CHANNEL_UNIT_BITS);
    if (isLattice) store<u8>(cfg, 1, CONFIG_HAS_LATTICE);
  } else if (historyShift > NARROW_SHIFT) setWidth(cfg, 1);
  return 0;
}

/** Code channel c without its lattice from the next keyframe on: lattice 1 and the bound as it was given. */
export function codecDropLattice(cfg: usize, c: i32): void {
  const at = channelConfig(cfg, c);
  codecSetChannel(cfg, c, load<i32>(at, CHANNEL_GIVEN_BOUND), 1, load<u8>(at, CHANNEL_HISTORY_SHIFT));
}
