import { unzigzag, zigzag } from "./grid.ts";

export type ForecastKind = "delta" | "fire";

/** Turns unsigned samples of a width into zigzag codes of forecast errors and back; both directions learn alike. */
export interface Forecast {
  encode(sample: number): number;
  decode(code: number): number;
}

/** FIRE's learning rate, 2^-1. */
const LEARN_SHIFT = 1;
/** FIRE learns once in this many samples, from every second of them. */
const LEARN_EVERY = 8;

/**
 * Delta: the last sample. FIRE: the last sample and alpha times the last step, alpha learnt by the sign of the error; it
 * is an integer of `width` fraction bits.
 *
 * @see Blalock, Madden, Guttag 2018, section 4.2 and algorithm 3
 */
export function createForecast(kind: ForecastKind, width: number): Forecast {
  const unused = 32 - width;
  let last = 0;
  let step = 0;
  let accumulator = 0;
  let gradient = 0;
  let count = 0;

  function predict(): number {
    if (kind === "delta") return last;
    const alpha = Math.floor(accumulator / 2 ** LEARN_SHIFT);
    return last + Math.floor((alpha * step) / 2 ** width);
  }

  function learn(error: number, sample: number): void {
    if (count % 2 === 1) gradient -= Math.sign(error) * step;
    count += 1;
    if (count % LEARN_EVERY === 0) {
      accumulator -= gradient;
      gradient = 0;
    }
    step = sample - last;
    last = sample;
  }

  return {
    encode(sample) {
      const error = ((sample - predict()) << unused) >> unused;
      learn(error, sample);
      return (zigzag(error) << unused) >>> unused;
    },
    decode(code) {
      const error = unzigzag(code);
      const sample = ((predict() + error) << unused) >>> unused;
      learn(error, sample);
      return sample;
    },
  };
}
