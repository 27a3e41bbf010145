import { LatticeScan, shortestWithin } from "@lockstep/edge-sdk/core";
import type { RowSource } from "./row-source.ts";
import { TelemetryError } from "./telemetry-error.ts";

/** What one channel of a recording holds. */
export interface ChannelSurvey {
  readonly name: string;
  readonly unit: string;
  /** Extremes of the readings; 0 and 0 when there is none. */
  readonly min: number;
  readonly max: number;
  readonly readings: number;
  /** Most digits after the point of a text source; 0 for float32. */
  readonly decimals: number;
  /** Largest k such that every reading is a multiple of 2^k; Infinity where all are 0. */
  readonly gridExponent: number;
  /** Distance of the values that the readings seem to be multiples of; an encoder has to verify it. */
  readonly lattice: number | undefined;
}

/** When the samples were taken. */
export interface TimeSurvey {
  readonly start: number;
  readonly min: number;
  readonly max: number;
  readonly decimals: number;
  /** Constant step between samples, if one gives back every time to its last digit. */
  readonly period: number | undefined;
}

/** What a first pass over a recording finds out. */
export interface Survey {
  readonly samples: number;
  readonly channels: readonly ChannelSurvey[];
  readonly time: TimeSurvey | undefined;
}

/**
 * Read a recording once: what its bounds, scales and columns need to be known for.
 *
 * @param onProgress  told how much of the source's extent is read, after each batch
 * @throws {TelemetryError} `bad-input` when there is no row
 */
export async function surveySource(
  source: RowSource,
  onProgress: (extentRead: number) => void,
  signal: AbortSignal,
): Promise<Survey> {
  const channels = source.columns.map(() => new Extent());
  const time = new TimeScan();
  let samples = 0;
  for await (const batch of source.batches()) {
    signal.throwIfAborted();
    channels.forEach((channel, c) => {
      for (let row = 0; row < batch.count; row++) channel.add(batch.values[row * channels.length + c] ?? Number.NaN);
      channel.decimals = Math.max(channel.decimals, batch.decimals[c] ?? 0);
    });
    if (source.time !== undefined) time.add(batch.times, samples, batch.timeDecimals);
    samples += batch.count;
    onProgress(batch.extentRead);
  }
  if (samples === 0) throw new TelemetryError("bad-input", { file: source.file, problem: "there is no row in it" });
  return {
    samples,
    channels: source.columns.map(({ name, unit }, c) => {
      return { name, unit, ...(channels[c] ?? new Extent()).result(ROUNDING[source.kind]) };
    }),
    time: source.time === undefined ? undefined : time.result(samples),
  };
}

/** How far a reading may be from the number that was meant, relative to the largest. */
const ROUNDING = { f32: 2 ** -24, csv: 2 ** -52 } as const;

class Extent {
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  #readings = 0;
  #gridExponent = Number.POSITIVE_INFINITY;
  readonly #lattice = new LatticeScan();
  decimals = 0;

  add(value: number): void {
    if (Number.isNaN(value)) return;
    this.#gridExponent = Math.min(this.#gridExponent, lowestBit(value));
    this.#lattice.add(value);
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
    this.#readings += 1;
  }

  result(rounding: number): Omit<ChannelSurvey, "name" | "unit"> {
    const isEmpty = this.#readings === 0;
    return {
      min: isEmpty ? 0 : this.#min,
      max: isEmpty ? 0 : this.#max,
      readings: this.#readings,
      decimals: this.decimals,
      gridExponent: this.#gridExponent,
      lattice: this.#lattice.spacing(rounding * Math.max(Math.abs(this.#min), Math.abs(this.#max))),
    };
  }
}

const FLOAT64 = new DataView(new ArrayBuffer(8));
const MANTISSA_BITS = 52;
const EXPONENT_BIAS = 1023;

/** Exponent of the lowest bit set in a float64: the value is an odd multiple of 2 to this; Infinity for 0. */
function lowestBit(value: number): number {
  if (value === 0) return Number.POSITIVE_INFINITY;
  FLOAT64.setFloat64(0, value);
  const high = FLOAT64.getUint32(0);
  const low = FLOAT64.getUint32(4);
  const exponent = (high >>> 20) & 0x7ff;
  // A normal number has one more bit above its mantissa; a subnormal has the exponent of the smallest normal.
  const highBits = (high & 0xfffff) | (exponent === 0 ? 0 : 0x100000);
  const trailing = low !== 0 ? trailingZeros(low) : 32 + trailingZeros(highBits);
  return Math.max(exponent, 1) - EXPONENT_BIAS - MANTISSA_BITS + trailing;
}

function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/**
 * Looks for one period p with |t_i − (t_0 + i p)| below half the last digit, for every i: each time narrows the interval
 * in which such a p can lie.
 */
class TimeScan {
  #start = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  #decimals = 0;
  #low = Number.NEGATIVE_INFINITY;
  #high = Number.POSITIVE_INFINITY;

  add(times: Float64Array, before: number, decimals: number): void {
    // Times before were held to a looser half digit: start over would need another pass, so they count as uneven.
    if (before > 0 && decimals > this.#decimals) this.#high = Number.NEGATIVE_INFINITY;
    this.#decimals = Math.max(this.#decimals, decimals);
    if (before === 0) this.#start = times[0] ?? 0;
    const slack = 0.5 * 10 ** -this.#decimals;
    times.forEach((time, row) => {
      if (time < this.#min) this.#min = time;
      if (time > this.#max) this.#max = time;
      const index = before + row;
      if (index === 0) return;
      this.#low = Math.max(this.#low, (time - slack - this.#start) / index);
      this.#high = Math.min(this.#high, (time + slack - this.#start) / index);
    });
  }

  result(samples: number): TimeSurvey {
    const middle = (this.#low + this.#high) / 2;
    const isUniform = samples > 1 && this.#low < this.#high && Number.isFinite(middle);
    return {
      start: this.#start,
      min: this.#min,
      max: this.#max,
      decimals: this.#decimals,
      period: isUniform ? shortestWithin(this.#low, this.#high) : samples === 1 ? 0 : undefined,
    };
  }
}
