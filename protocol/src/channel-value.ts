import type { ChannelConfig } from "./frames/channel-config.ts";

/** What turns a channel's codec values into its unit. */
export interface ChannelScale {
  /** Size of one codec unit, in the channel's unit; exact. */
  readonly scale: number;
  /** In codec units. */
  readonly offset: number;
  /** The promise: |value − sample| ≤ eps, in the channel's unit. */
  readonly eps: number;
}

/**
 * A channel's scale and bound as float64; value = (x + offset) · scale for the codec's int32 x.
 *
 * Equal to {@link toValue} to the last bit: scale is exact, since 31 bits times a power of two always is, and scaling by
 * a power of two rounds nothing in this range.
 *
 * @see protocol/SPEC.md, section 3.1
 */
export function channelScale(config: ChannelConfig): ChannelScale {
  return {
    scale: config.mantissa * powerOfTwo(config.exponent),
    offset: config.offset,
    eps: timesPowerOfTwo(config.epsMantissa, config.epsExponent),
  };
}

/**
 * A codec value in its channel's unit: (x + offset) · mantissa · 2^exponent in float64, from left to right.
 *
 * @param x  int32
 */
export function toValue(config: ChannelConfig, x: number): number {
  return (x + config.offset) * (config.mantissa * powerOfTwo(config.exponent));
}

/** Rounds once at most: into the subnormals the first factor is taken where it is still exact. */
function timesPowerOfTwo(mantissa: number, exponent: number): number {
  const first = Math.max(exponent, -500);
  return mantissa * powerOfTwo(first) * powerOfTwo(exponent - first);
}

/** 2^exponent, exact for −1022 … 1023: repeated squaring, so that it does not depend on an engine's `pow`. */
function powerOfTwo(exponent: number): number {
  let power = 1;
  let factor = exponent < 0 ? 0.5 : 2;
  for (let rest = Math.abs(exponent); rest > 0; rest >>= 1) {
    if ((rest & 1) === 1) {
      power *= factor;
    }
    factor *= factor;
  }
  return power;
}
