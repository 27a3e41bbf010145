import { type ChannelPlan, CodecError, type Lookahead, planChannel, planOnLattice } from "@lockstep/edge-sdk/core";
import type { ContainerChannel, ContainerHeader, ContainerTime } from "./container-format.ts";
import { type EpsSpec, resolveEps } from "./eps-spec.ts";
import type { RowSource } from "./row-source.ts";
import type { ChannelSurvey, Survey, TimeSurvey } from "./survey.ts";
import { TelemetryError } from "./telemetry-error.ts";

/** Most channels of one codec stream. */
const MAX_GROUP_CHANNELS = 16;
/** A text has so many more digits than eps: what rounding to them takes from the bound costs under 0.01 bit. */
const MARGIN_DIGITS = 2;
/** Relative rounding to float32. */
const FLOAT32_ROUNDING = 2 ** -24;
const INT32_RANGE = 2 ** 32 - 1;
/** Where times span more ticks than an int32, they are kept to this part of their span. */
const TIME_RESOLUTION = 2 ** -29;
/** Powers of ten up to here are exact float64. */
const MAX_TENS = 22;

/**
 * Decide how a surveyed recording is stored: scale and bound of every channel, groups, and where its times go.
 *
 * @param latticesFor  the encoder's lookahead; undefined to plan without lattices, where a claim of one has failed before
 * @throws {TelemetryError} `bad-eps`, `eps-too-fine`
 */
export function planContainer(
  source: RowSource,
  survey: Survey,
  spec: EpsSpec,
  model: string,
  latticesFor: Lookahead | undefined,
): ContainerHeader {
  const eps = resolveEps(spec, survey.channels);
  const channels = survey.channels.map((channel, c) => planOne(channel, eps[c] ?? 0, source.kind, latticesFor));
  const groups = groupSizes(channels.length);
  const time = planTime(source, survey.time);
  if (time.kind === "channel" && survey.time !== undefined) {
    channels.push(planTimeChannel(time.column, survey.time));
    groups.push(1);
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
  latticesFor: Lookahead | undefined,
): ContainerChannel {
  const { name, unit, min, max, decimals: digits } = channel;
  try {
    if (eps === 0) return kind === "csv" ? planDecimal(channel) : planBinary(channel);
    if (kind === "f32") {
      // What float32 rounds away again on the way out is taken from the bound.
      const rounding = FLOAT32_ROUNDING * Math.max(Math.abs(min), Math.abs(max));
      if (rounding >= eps) throw tooFine(name, eps, `float32 itself rounds values of this size by up to ${rounding}`);
      const head = { name, unit, eps, tens: 0, decimals: textDigits(eps) };
      const request = { name, eps: eps - rounding, min, max };
      const claim = { spacing: channel.lattice, rounding };
      const plan = latticesFor === undefined ? undefined : planOnLattice(request, claim, latticesFor);
      return toChannel(head, plan ?? planChannel(request));
    }
    if (latticesFor !== undefined) {
      const claim = { spacing: channel.lattice ?? 10 ** -digits, rounding: 0 };
      const plan = planOnLattice({ name, eps, min, max }, claim, latticesFor);
      if (plan !== undefined) return toChannel({ name, unit, eps, tens: 0, decimals: digits }, plan);
    }
    const decimals = textDigits(eps);
    const rounding = 0.5 * 10 ** -decimals;
    return toChannel({ name, unit, eps, tens: 0, decimals }, planChannel({ name, eps: eps - rounding, min, max }));
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    const { conversion } = error.facts;
    const problem =
      conversion === undefined ? error.message : `32 bits of its range resolve ${conversion}; give a larger eps`;
    throw new TelemetryError("eps-too-fine", { channel: name, eps, problem }, { cause: error });
  }
}

/** Digits after the point that leave nearly all of eps to the codec. */
function textDigits(eps: number): number {
  return Math.min(Math.max(0, Math.ceil(-Math.log10(eps))) + MARGIN_DIGITS, 100);
}

/** Lossless text: whole multiples of its last digit. */
function planDecimal({ name, unit, min, max, decimals }: ChannelSurvey): ContainerChannel {
  const counts = { low: Math.round(min * 10 ** decimals), high: Math.round(max * 10 ** decimals) };
  const isFit = counts.high - counts.low <= INT32_RANGE && Math.max(-counts.low, counts.high) <= 2 ** 51;
  if (decimals > MAX_TENS || !isFit) {
    const problem = `${decimals} digits after the point from ${min} to ${max} are more than 32 bits: give an eps above 0`;
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

/** Times as whole numbers of their last digit, exact as long as they span no more than 32 bits. */
function planTimeChannel(name: string, { min, max, decimals }: TimeSurvey): ContainerChannel {
  const ticks = { min: Math.round(min * 10 ** decimals), max: Math.round(max * 10 ** decimals) };
  if (decimals <= MAX_TENS && ticks.max - ticks.min <= INT32_RANGE) {
    const plan = planChannel({ name, eps: 0, counts: true, ...ticks });
    return toChannel({ name, unit: "s", eps: 0, tens: decimals, decimals }, plan);
  }
  const eps = (max - min) * TIME_RESOLUTION;
  return toChannel({ name, unit: "s", eps, tens: 0, decimals }, planChannel({ name, eps, min, max }));
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
