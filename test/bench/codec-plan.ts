import { type ChannelPlan, LatticeScan, planChannel, planOnLattice, toFixed } from "@lockstep/edge-sdk/core";
import type { TelemetrySet } from "./telemetry-sets.ts";

/** A recording as samples of the codec. */
export interface PlannedSet {
  readonly plans: readonly ChannelPlan[];
  /** Shape (rows, channels), row-major. */
  readonly samples: Int32Array;
}

/** Relative rounding to float32. */
const FLOAT32_ROUNDING = 2 ** -24;

/** The spacing of the readings of each channel, where there is one: what `lockstep encode` looks for. */
export function latticesOf({ values, channels, ranges }: TelemetrySet): (number | undefined)[] {
  return ranges.map((range, c) => {
    const scan = new LatticeScan();
    for (let i = c; i < values.length; i += channels) scan.add(values[i] ?? Number.NaN);
    return scan.spacing(roundingOf(range));
  });
}

/**
 * Scale, bound and lattice of each channel as `lockstep encode` chooses them, but that nothing is taken from the bound
 * for output as float32: errors are measured in float64.
 *
 * @param lattices  of `latticesOf`; one that a reading is off is not used
 */
export function planSet(
  set: TelemetrySet,
  eps: readonly number[],
  lattices: readonly (number | undefined)[],
): PlannedSet {
  const samples = new Int32Array(set.values.length);
  const plans = set.ranges.map((range, c) => {
    const request = { name: `c${c}`, eps: eps[c] ?? 0, ...range };
    const claim = { spacing: lattices[c], rounding: roundingOf(range) };
    const onLattice = planOnLattice(request, claim);
    if (onLattice !== undefined && convert(set, c, onLattice, samples)) return onLattice;
    const plan = planChannel(request);
    convert(set, c, plan, samples);
    return plan;
  });
  return { plans, samples };
}

/** Fill in one channel. @returns whether all its samples are on the lattice through the first */
function convert({ values, channels }: TelemetrySet, c: number, { config }: ChannelPlan, samples: Int32Array): boolean {
  let isOnLattice = true;
  for (let i = c; i < values.length; i += channels) {
    const { sample } = toFixed(config, values[i] ?? Number.NaN);
    samples[i] = sample;
    isOnLattice &&= (sample - (samples[c] ?? 0)) % config.lattice === 0;
  }
  return isOnLattice;
}

function roundingOf({ min, max }: { readonly min: number; readonly max: number }): number {
  return FLOAT32_ROUNDING * Math.max(Math.abs(min), Math.abs(max));
}
