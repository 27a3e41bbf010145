import type { ChannelConfig } from "@lockstep/protocol";
import { CodecError } from "./core-status.ts";

/**
 * How a channel's values become samples: value = (sample + offset) x mantissa x 2^exponent, in float64 from left to
 * right. With |offset| <= 2^52 - 2^31 the sum is exact, and so is the power of two; the product rounds once.
 */
export type ChannelScale = Pick<ChannelConfig, "offset" | "mantissa" | "exponent">;

/** What a user asks of one channel, in its own unit. */
export interface ChannelRequest {
  readonly name: string;
  /** Unit of measure, such as "deg/s"; empty by default. */
  readonly unit?: string | undefined;
  /** Largest error, >= 0; 0 only for counts. */
  readonly eps: number;
  /** Smallest and largest value to expect; both or none. Values beyond are coded too, up to twice the range away. */
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  /** Values are whole multiples of `lsb`, such as readings of a converter: nothing is lost in conversion. */
  readonly counts?: boolean | undefined;
  /** One count, default 1; a float64 of at most 31 significant bits. */
  readonly lsb?: number | undefined;
  /** Distance of the values that the channel can take, where they are not exact counts (0.1 degrees); needs a range. */
  readonly lattice?: number | undefined;
}

/** A channel's conversion and what the codec must promise so that eps holds end to end. */
export interface ChannelPlan {
  readonly config: ChannelConfig;
  /** Values must be whole multiples of the scale's unit. */
  readonly isCounted: boolean;
}

/** One converted value: a sample, and 0 ok, 1 invalid, 2 saturated. */
export interface FixedSample {
  readonly sample: number;
  readonly status: number;
}

const SAMPLE_MIN = -(2 ** 31);
const SAMPLE_MAX = 2 ** 31 - 1;
const MANTISSA_LIMIT = 2 ** 31;
/** Half an ulp of 1, the relative error of one rounded operation. */
const ROUNDING = 2 ** -53;
/** offset + sample stays below this, so that its neighbours are exact and Math.round is too. */
const LARGEST_INTEGER = 2 ** 52;
/** For engineering units of unknown range: within ±256, in steps of 1.2e-7. */
const Q8_23: ChannelScale = { offset: 0, mantissa: 1, exponent: -23 };
/** Exponents of units on the wire. */
const EXPONENT_LIMIT = 200;
/** A known range takes this many bits, which leaves as much room again on both sides. */
const RANGE_BITS = 30;
/** A lattice's range takes few bits: float32 values must still round to their own lattice point. */
const LATTICE_RANGE_BITS = 22;
const BOUND_LIMIT = 2 ** 30 - 1;
/** The largest history shift. */
export const HISTORY_SHIFT_LIMIT = 25;
const STEP_LIMIT = 2 ** 31;
/** Histories span at most this many bins, so that 16 bits hold them with 8 fraction bits, and 32 with 20, whatever the base. */
const HISTORY_BINS = 2 ** 7;
/** Where no range is given: ±8 units in Q8.23. A wider signal is coded as safely, with more bits. */
const UNKNOWN_RANGE = 2 ** 27;

/**
 * Choose scale, bound and history so that |value out − value in| <= eps in float64, conversion and output included.
 *
 * @throws {CodecError} `bound-below-conversion` when eps is smaller than what conversion alone may cost (the facts say
 *   how much that is); `scale-range` when the request cannot be represented
 */
export function planChannel(request: ChannelRequest): ChannelPlan {
  const { name, unit = "", eps, counts = false } = request;
  if (!(eps >= 0) || !Number.isFinite(eps)) throw new CodecError("scale-range", { channel: name, eps });
  const range = rangeOf(request);
  const { scale, spacing } = counts
    ? countScale(request.lsb ?? 1, range)
    : request.lattice !== undefined
      ? latticeScale(request.lattice, range)
      : { scale: range === undefined ? Q8_23 : rangeScale(range, eps), spacing: 1 };
  const e = boundOf(eps, scale, counts, name);
  const plain = 2 * e + 1;
  const wide = spacing * (2 * Math.floor(e / spacing) + 1);
  const isLattice = wide > plain && wide < STEP_LIMIT;
  const bins = samplesIn(scale, range) / (isLattice ? wide : plain);
  const historyShift = Math.min(Math.max(0, Math.ceil(Math.log2(bins / HISTORY_BINS))), HISTORY_SHIFT_LIMIT);
  const { mantissa: epsMantissa, exponent: epsExponent } = splitFloat(eps);
  const lattice = isLattice ? spacing : 1;
  return { config: { name, unit, e, lattice, historyShift, ...scale, epsMantissa, epsExponent }, isCounted: counts };
}

interface Range {
  readonly min: number;
  readonly max: number;
}

function rangeOf({ name, min, max }: ChannelRequest): Range | undefined {
  if (min === undefined && max === undefined) return undefined;
  if (min === undefined || max === undefined || !(min <= max) || !Number.isFinite(max - min)) {
    throw new CodecError("scale-range", { channel: name, min: String(min), max: String(max) });
  }
  return { min, max };
}

/** Exact: one count is one sample. Only readings beyond int32 need an offset. */
function countScale(lsb: number, range: Range | undefined) {
  const unit = exactUnit(lsb);
  const isFar = range !== undefined && reachOf(range) / lsb > SAMPLE_MAX;
  const offset = isFar ? Math.round((range.min + range.max) / 2 / lsb) : 0;
  return { scale: checkScale({ offset, ...unit }), spacing: 1 };
}

/** A power of two of samples per lattice step: few enough for float32 values to round to their own point. */
function latticeScale(lattice: number, range: Range | undefined) {
  if (!(lattice > 0) || range === undefined) throw new CodecError("scale-range", { lattice });
  const points = Math.max(reachOf(range), lattice) / lattice;
  const spacing = 2 ** Math.max(0, Math.floor(LATTICE_RANGE_BITS - Math.log2(points)));
  const unit = nearUnit(lattice / spacing);
  return { scale: checkScale({ offset: Math.round((range.min + range.max) / 2 / unitOf(unit)), ...unit }), spacing };
}

/** The range in RANGE_BITS bits, but no finer than eps can use. */
function rangeScale(range: Range, eps: number): ChannelScale {
  const width = Math.max(range.max - range.min, 2 * eps);
  const finest = Math.max(width * 2 ** -RANGE_BITS, (reachOf(range) * 2) / LARGEST_INTEGER);
  const exponent = Math.max(Math.ceil(Math.log2(finest)), -EXPONENT_LIMIT);
  return checkScale({ offset: Math.round((range.min + range.max) / 2 / 2 ** exponent) + 0, mantissa: 1, exponent });
}

function reachOf({ min, max }: Range): number {
  return Math.max(Math.abs(min), Math.abs(max));
}

/** The largest e for which conversion, e and the rounding of the output together stay within eps. */
function boundOf(eps: number, scale: ChannelScale, isCounted: boolean, name: string): number {
  const unit = unitOf(scale);
  const largest = Math.abs(scale.offset) - SAMPLE_MIN;
  if (isCounted && scale.mantissa * largest <= 2 ** 53) return Math.min(floorQuotient(eps, unit), BOUND_LIMIT);
  // The division and the product round once each, relative to the largest value; doubled to cover this line's own
  const lost = (isCounted ? 0 : 0.5) + 4 * ROUNDING * largest;
  const room = eps / unit - lost;
  if (room < 0) throw new CodecError("bound-below-conversion", { channel: name, eps, conversion: lost * unit });
  return Math.min(Math.floor(room * (1 - 4 * ROUNDING)), BOUND_LIMIT);
}

/** The largest integer n with n x unit <= eps, for a unit whose multiples are exact. */
function floorQuotient(eps: number, unit: number): number {
  const near = Math.floor(eps / unit);
  return near * unit > eps ? near - 1 : near;
}

function samplesIn(scale: ChannelScale, range: Range | undefined): number {
  return range === undefined ? UNKNOWN_RANGE : Math.min((range.max - range.min) / unitOf(scale) + 1, 2 ** 32);
}

/** A float64 as integer x 2^exponent with the integer below 2^53, exact. Range: value >= 0. */
function splitFloat(value: number): { mantissa: number; exponent: number } {
  if (value === 0) return { mantissa: 0, exponent: 0 };
  let exponent = Math.max(Math.floor(Math.log2(value)) - 53, -1074); // one below, should log2 round up
  let mantissa = value / 2 ** exponent;
  while (mantissa % 2 === 0 || mantissa >= 2 ** 53) {
    mantissa /= 2;
    exponent += 1;
  }
  return { mantissa, exponent };
}

/** The unit of a scale as a float64, exact. */
function unitOf({ mantissa, exponent }: Pick<ChannelScale, "mantissa" | "exponent">): number {
  return mantissa * 2 ** exponent;
}

/** The nearest unit of at most 31 bits. */
function nearUnit(value: number): { mantissa: number; exponent: number } {
  let exponent = Math.floor(Math.log2(value)) - 30;
  let mantissa = Math.round(value / 2 ** exponent);
  while (mantissa >= MANTISSA_LIMIT || (mantissa % 2 === 0 && mantissa > 0)) {
    mantissa = Math.round(mantissa / 2);
    exponent += 1;
  }
  return { mantissa, exponent };
}

function exactUnit(value: number): { mantissa: number; exponent: number } {
  if (!(value > 0) || !Number.isFinite(value)) throw new CodecError("scale-range", { lsb: value });
  const unit = nearUnit(value);
  if (unitOf(unit) !== value) throw new CodecError("scale-range", { lsb: value, nearest: unitOf(unit) });
  return unit;
}

/** Refuse a scale that the arithmetic above does not hold for. @throws {CodecError} `scale-range` */
export function checkScale(scale: ChannelScale): ChannelScale {
  const { offset, mantissa, exponent } = scale;
  const isFit =
    Number.isInteger(offset) &&
    Math.abs(offset) <= LARGEST_INTEGER + SAMPLE_MIN &&
    Number.isInteger(mantissa) &&
    mantissa >= 1 &&
    mantissa < MANTISSA_LIMIT &&
    Number.isInteger(exponent) &&
    Math.abs(exponent) <= EXPONENT_LIMIT;
  if (!isFit) throw new CodecError("scale-range", { offset, mantissa, exponent });
  return scale;
}

/**
 * Convert one value: NaN is invalid, what lies outside int32 is clipped and flagged.
 *
 * @param isCounted  the channel was planned as counts, whose values must be whole
 * @throws {CodecError} `not-a-count`
 */
export function toFixed(scale: ChannelScale, value: number, isCounted = false): FixedSample {
  if (Number.isNaN(value)) return { sample: 0, status: 1 };
  const quotient = value / unitOf(scale);
  const sample = Math.round(quotient) - scale.offset;
  if (sample > SAMPLE_MAX) return { sample: SAMPLE_MAX, status: 2 };
  if (sample < SAMPLE_MIN) return { sample: SAMPLE_MIN, status: 2 };
  if (isCounted && !Number.isInteger(quotient)) throw new CodecError("not-a-count", { value, count: unitOf(scale) });
  return { sample: sample + 0, status: 0 };
}

/** Convert a sample back to a value. */
export function toFloat(scale: ChannelScale, sample: number): number {
  return (sample + scale.offset) * scale.mantissa * 2 ** scale.exponent;
}
