import { type ChannelPlan, planChannel } from "@lockstep/edge-sdk";

export const EPS = 0.05;
export const PERIOD_US = 1_000;
export const PERIOD_NS = 1_000 * PERIOD_US;
/** Device time of sample 0, µs. */
export const START_US = 1_700_000_000_000_000;
/** Amplitude 3, noise up to ±0.3. */
const RANGE = 4;
const CHANNEL_NAMES = ["x", "y"];

export const CHANNELS: readonly ChannelPlan[] = CHANNEL_NAMES.map((name) =>
  planChannel({ name, eps: EPS, min: -RANGE, max: RANGE }),
);

/**
 * What a device measured at its n-th sample, shape (channels): two noisy sines, from nothing but the numbers given, so
 * that whoever checks needs no record of what was sent.
 */
export function truthAt(seed: number, device: number, n: number): number[] {
  return CHANNEL_NAMES.map((_, c) => {
    const noise = mix(seed ^ Math.imul(device + 1, 0x9e3779b1) ^ Math.imul(2 * n + c, 0x85ebca6b)) / 2 ** 32 - 0.5;
    return 3 * Math.sin((n + 17 * device) / (9 + 4 * c)) + 0.6 * noise;
  });
}

/** Device time of a sample, µs. */
export function timeOfSample(n: number): number {
  return START_US + n * PERIOD_US;
}

/** Mirrors `timeOfSample`. */
export function sampleAtTime(timeUs: number): number {
  return (timeUs - START_US) / PERIOD_US;
}

/** MurmurHash3's finalizer: neighbouring numbers become unrelated ones, u32. */
function mix(key: number): number {
  let h = key | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
