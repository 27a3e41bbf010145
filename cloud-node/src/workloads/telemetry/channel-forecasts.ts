import type { Core, FixedSample } from "@lockstep/edge-sdk/core";
import { STATUS_INVALID } from "./block-codec.ts";
import type { ContainerChannel } from "./container-format.ts";
import { ExpectingChannel } from "./expecting-channel.ts";
import { SymbolCounts } from "./symbol-counts.ts";

/** What one way to foresee a channel leaves to be said, of every reading after the first. */
export interface ForecastAccount {
  /** Order-0 entropy of the bins that readings lie in around the forecast, bits a reading. */
  readonly bits: number;
  /** Root mean square of reading − forecast, in bins. */
  readonly rms: number;
  /** Distinct bins. */
  readonly symbols: number;
}

/**
 * Four ways to foresee a channel, from none to the codec's. Each but the last sees what a decoder of its own would have
 * reconstructed, so that all keep the same bound with bins of the same width.
 */
export interface ChannelForecasts {
  /** The first reading, always: the signal itself in bins. */
  readonly signal: ForecastAccount;
  /** The value before. */
  readonly hold: ForecastAccount;
  /** The line through the two values before. */
  readonly line: ForecastAccount;
  /** What the codec expects. */
  readonly residual: ForecastAccount;
}

/** Counts what forecasts leave of one channel. */
export class ForecastCounter {
  readonly #codec: ExpectingChannel;
  readonly #signal: BinCounter;
  readonly #hold: BinCounter;
  readonly #line: BinCounter;
  readonly #residual: BinCounter;
  #first: number | undefined;
  #held = 0;
  #newest = 0;
  #before = 0;

  /** @throws {CodecError} for a channel that the core refuses */
  constructor(core: Core, channel: ContainerChannel) {
    this.#codec = new ExpectingChannel(core, channel);
    // docs/design.md, "Within e, always": D = 2e' + s, where e' is the largest multiple of the lattice's s not above e
    const bound = channel.lattice * Math.floor(channel.e / channel.lattice);
    const width = 2 * bound + channel.lattice;
    this.#signal = new BinCounter(width, bound);
    this.#hold = new BinCounter(width, bound);
    this.#line = new BinCounter(width, bound);
    this.#residual = new BinCounter(width, bound);
  }

  /** @throws {CodecError} `off-lattice` where a lattice claim fails */
  add(reading: FixedSample): void {
    const { sample } = reading;
    if (reading.status !== STATUS_INVALID) {
      const expected = this.#codec.expected;
      if (this.#first === undefined || expected === undefined) {
        this.#first = this.#held = this.#newest = this.#before = sample;
      } else {
        this.#signal.add(sample, this.#first);
        this.#held = this.#hold.add(sample, this.#held);
        const next = this.#line.add(sample, 2 * this.#newest - this.#before);
        [this.#before, this.#newest] = [this.#newest, next];
        this.#residual.add(sample, expected);
      }
    }
    this.#codec.take(reading);
  }

  result(): ChannelForecasts {
    const [signal, hold] = [this.#signal.result(), this.#hold.result()];
    return { signal, hold, line: this.#line.result(), residual: this.#residual.result() };
  }
}

/** Bins of one width around a forecast, counted. */
class BinCounter {
  readonly #width: number;
  readonly #bound: number;
  readonly #bins = new SymbolCounts();
  #squares = 0;
  #count = 0;

  constructor(width: number, bound: number) {
    this.#width = width;
    this.#bound = bound;
  }

  /** @returns the middle of the bin that the sample is in: a decoder's reconstruction */
  add(sample: number, forecast: number): number {
    const miss = sample - forecast;
    const bin = Math.sign(miss) * Math.floor((Math.abs(miss) + this.#bound) / this.#width) + 0;
    this.#bins.add(bin);
    this.#squares += (miss / this.#width) ** 2;
    this.#count += 1;
    return forecast + bin * this.#width;
  }

  result(): ForecastAccount {
    const rms = this.#count === 0 ? 0 : Math.sqrt(this.#squares / this.#count);
    return { bits: this.#bins.entropyBits, rms, symbols: this.#bins.distinct };
  }
}
