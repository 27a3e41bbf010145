import { type ChannelPlan, CodecError, planChannel, planOnLattice } from "@lockstep/edge-sdk/core";
import type { ContainerChannel, ContainerHeader, ContainerTime } from "./container-format.ts";
import { type EpsSpec, resolveEps } from "./eps-spec.ts";
import type { RowSource } from "./row-source.ts";
import type { ChannelSurvey, Survey, TimeSurvey } from "./survey.ts";
import { TelemetryError } from "./telemetry-error.ts";

/** Most channels of one codec stream. */
const MAX_GROUP_CHANNELS = 16;
/** A text has so many more digits than eps: what rounding to them takes from the bound costs under 0.01 bit. */
const MARGIN_DIGITS = 2;
/** Rounding to float32: relative, and of the subnormal ones. */
const FLOAT32_ROUNDING = 2 ** -24;
const FLOAT32_SUBNORMAL_ROUNDING = 2 ** -150;
/** Units go up to 2^200, so that 30 bits hold a bound of twice this on both sides. */
const LARGEST_VALUE = 2 ** 228;
/** Integers up to here stay exact with an offset, see `planChannel`. */
const LARGEST_COUNT = 2 ** 51;
const INT32_RANGE = 2 ** 32 - 1;
/** Where times span more ticks than an int32, they are kept to this part of their span. */
const TIME_RESOLUTION = 2 ** -29;
/** Powers of ten up to here are exact float64. */
const MAX_TENS = 22;

/**
 * Decide how a surveyed recording is stored: scale and bound of every channel, groups, and where its times go.
 *
 * @param isLatticeUsed  false where a lattice claim has failed before
 * @throws {TelemetryError} `bad-eps`, `eps-too-fine`
 */
export function planContainer(
  source: RowSource,
  survey: Survey,
  spec: EpsSpec,
  model: string,
  isLatticeUsed: boolean,
): ContainerHeader {
  const eps = resolveEps(spec, survey.channels);
  const channels = survey.channels.map((channel, c) => planOne(channel, eps[c] ?? 0, source.kind, isLatticeUsed));
  const groups = groupSizes(channels.length);
  let time = planTime(source, survey.time);
  if (time.kind === "channel" && survey.time !== undefined) {
    const channel = planTimeChannel(time.column, survey.time);
    channels.push(channel);
    groups.push(1);
    time = { ...time, decimals: channel.decimals };
  }
  return { model, source: source.kind, periodNs: source.periodNs, time, channels, groups };
}

/** As few groups as can be, of as equal sizes as can be: channels help to predict those of their own group. */
function groupSizes(channels: number): number[] {
  const groups = Math.ceil(channels / MAX_GROUP_CHANNELS);
  return Array.from({ length: groups }, (_, g) => Math.floor((channels + g) / groups));
}

function planOne(
  channel: ChannelSurvey,
  eps: number,
  kind: RowSource["kind"],
  isLatticeUsed: boolean,
): ContainerChannel {
  const { name, unit, min, max, decimals: digits } = channel;
  const reach = Math.max(Math.abs(min), Math.abs(max));
  // A bound beyond all values says no more than one that holds them all, and needs no larger units.
  const bound = Math.min(eps, Math.max(2 * reach, 1));
  try {
    if (eps === 0) return kind === "csv" ? planDecimal(channel) : planBinary(channel);
    if (kind === "f32") {
      // What float32 rounds away again on the way out is taken from the bound.
      const rounding = Math.max(FLOAT32_ROUNDING * (reach + bound), FLOAT32_SUBNORMAL_ROUNDING);
      if (rounding >= eps) throw tooFine(name, eps, `float32 itself rounds values of this size by up to ${rounding}`);
      // The same share serves a text, whose digits round no more than float32 does.
      const head = { name, unit, eps, tens: 0, decimals: digitsWithin(rounding) };
      const request = { name, eps: bound - rounding, min, max };
      const claim = { spacing: channel.lattice, rounding };
      const plan = isLatticeUsed ? planOnLattice(request, claim) : undefined;
      return toChannel(head, plan ?? planChannel(request));
    }
    if (isLatticeUsed) {
      const claim = { spacing: channel.lattice ?? 10 ** -digits, rounding: 0 };
      const plan = planOnLattice({ name, eps: bound, min, max }, claim);
      if (plan !== undefined) return toChannel({ name, unit, eps, tens: 0, decimals: digits }, plan);
    }
    const decimals = textDigits(eps);
    const rounding = 0.5 * 10 ** -decimals;
    return toChannel({ name, unit, eps, tens: 0, decimals }, planChannel({ name, eps: bound - rounding, min, max }));
  } catch (error) {
    throw asRefusal(error, channel, eps);
  }
}

/** The codec's refusal of a channel in the words of a recording. */
function asRefusal(
  error: unknown,
  { name, min, max }: Pick<ChannelSurvey, "name" | "min" | "max">,
  eps: number,
): unknown {
  if (!(error instanceof CodecError)) return error;
  const { conversion } = error.facts;
  const value = -min > max ? min : max;
  if (conversion === undefined || Math.abs(value) > LARGEST_VALUE) {
    return new TelemetryError("out-of-range", { channel: name, value, limit: LARGEST_VALUE }, { cause: error });
  }
  const problem = `32 bits of its range resolve ${conversion}; give a larger eps`;
  return new TelemetryError("eps-too-fine", { channel: name, eps, problem }, { cause: error });
}

/** Digits after the point whose rounding is at most this. */
function digitsWithin(rounding: number): number {
  const digits = Math.min(Math.max(0, Math.ceil(-Math.log10(2 * rounding))), 100);
  return 0.5 * 10 ** -digits <= rounding ? digits : Math.min(digits + 1, 100); // should log10 round down
}

/** Digits after the point that leave nearly all of eps to the codec. */
function textDigits(eps: number): number {
  return Math.min(Math.max(0, Math.ceil(-Math.log10(eps))) + MARGIN_DIGITS, 100);
}

/** Lossless text: whole multiples of its last digit. */
function planDecimal({ name, unit, min, max, decimals }: ChannelSurvey): ContainerChannel {
  const counts = { low: Math.round(min * 10 ** decimals), high: Math.round(max * 10 ** decimals) };
  const isFit = counts.high - counts.low <= INT32_RANGE && Math.max(-counts.low, counts.high) <= LARGEST_COUNT;
  if (decimals > MAX_TENS || !isFit) {
    const problem = `${decimals} digits after the point from ${min} to ${max} are more than 32 bits, or beyond 2^51: give an eps above 0`;
    throw tooFine(name, 0, problem);
  }
  const plan = planChannel({ name, eps: 0, counts: true, min: counts.low, max: counts.high });
  return toChannel({ name, unit, eps: 0, tens: decimals, decimals }, plan);
}

/** Lossless float32: whole multiples of the finest power of two in use. */
function planBinary({ name, unit, min, max, gridExponent }: ChannelSurvey): ContainerChannel {
  const exponent = Number.isFinite(gridExponent) ? gridExponent : 0;
  if ((max - min) / 2 ** exponent > INT32_RANGE) {
    throw tooFine(name, 0, `values from ${min} to ${max} in steps of 2^${exponent} are more than 32 bits`);
  }
  const plan = planChannel({ name, eps: 0, counts: true, lsb: 2 ** exponent, min, max });
  return toChannel({ name, unit, eps: 0, tens: 0, decimals: Math.min(Math.max(0, -exponent), 100) }, plan);
}

function planTime(source: RowSource, survey: TimeSurvey | undefined): ContainerTime {
  if (source.time === undefined || survey === undefined) return { kind: "none" };
  const { name: column, position, format } = source.time;
  const shared = { column, position, decimals: survey.decimals, ...format };
  if (survey.period === undefined) return { kind: "channel", ...shared };
  return { kind: "uniform", ...shared, start: survey.start, period: survey.period };
}

/**
 * Times as whole numbers of their last digit, exact as long as they span no more than 32 bits; otherwise with as many
 * digits as their bound needs, what rounding to them takes left out of the codec's part.
 */
function planTimeChannel(name: string, { min, max, decimals }: TimeSurvey): ContainerChannel {
  const reach = Math.max(Math.abs(min), Math.abs(max));
  const ticks = { min: Math.round(min * 10 ** decimals), max: Math.round(max * 10 ** decimals) };
  const isFit = ticks.max - ticks.min <= INT32_RANGE && reach * 10 ** decimals <= LARGEST_COUNT;
  if (decimals <= MAX_TENS && isFit) {
    const plan = planChannel({ name, eps: 0, counts: true, ...ticks });
    return toChannel({ name, unit: "s", eps: 0, tens: decimals, decimals }, plan);
  }
  const eps = (max - min) * TIME_RESOLUTION;
  const digits = Math.min(decimals, textDigits(eps));
  // Where all digits are written, a time that is rounded to them is nearer to its own, not farther from it
  const rounding = digits < decimals ? 0.5 * 10 ** -digits : 0;
  try {
    const plan = planChannel({ name, eps: eps - rounding, min, max });
    return toChannel({ name, unit: "s", eps, tens: 0, decimals: digits }, plan);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    const problem = `times from ${min} to ${max} are too fine so far from 0: subtract the first, or leave the column out`;
    throw new TelemetryError("eps-too-fine", { channel: name, eps, problem }, { cause: error });
  }
}

function toChannel(
  head: Pick<ContainerChannel, "name" | "unit" | "eps" | "tens" | "decimals">,
  { config }: ChannelPlan,
): ContainerChannel {
  const { e, lattice, historyShift, offset, mantissa, exponent } = config;
  return { ...head, e, lattice, historyShift, offset, mantissa, exponent };
}

function tooFine(channel: string, eps: number, problem: string): TelemetryError {
  return new TelemetryError("eps-too-fine", { channel, eps, problem });
}
