import { type SeededRandom, seededRandom } from "@lockstep/sim";

/** Something to code, made or recorded. */
export interface SpeedSignal {
  readonly name: string;
  readonly channels: number;
  /** Shape (rows, channels). */
  readonly values: Float32Array;
}

const SEED = 20_261;

/** One row into `out`; called for t = 0, 1, 2 … */
type NextRow = (t: number, out: Float64Array, random: SeededRandom) => void;

const GENERATORS: Readonly<Record<string, (channels: number) => NextRow>> = {
  /** Random walks, steps of unit variance. */
  walk: () => (_t, out, random) => {
    for (let c = 0; c < out.length; c++) out[c] = (out[c] ?? 0) + random.gaussian();
  },
  /** Two sines for each channel, with noise. */
  tones: () => (t, out, random) => {
    for (let c = 0; c < out.length; c++) {
      out[c] = Math.sin(0.07 * t + c) + 0.4 * Math.sin(0.31 * t * (1 + c / 10)) + 0.02 * random.gaussian();
    }
  },
  /** The reference rotor's turn, 1 rad a sample, seen a quarter turn further on every channel. */
  rotor: () => (t, out, random) => {
    for (let c = 0; c < out.length; c++) out[c] = Math.sin(t + (Math.PI / 2) * c) + 0.01 * random.gaussian();
  },
  /** Damped resonances driven by noise. */
  vibration: (channels) => {
    const before = new Float64Array(channels);
    return (_t, out, random) => {
      for (let c = 0; c < out.length; c++) {
        const last = out[c] ?? 0;
        out[c] = 1.6 * last - 0.9 * (before[c] ?? 0) + random.gaussian();
        before[c] = last;
      }
    };
  },
};

/** Every generated signal at every number of channels, each of about as many channel-samples. */
export function speedSignals(channelCounts: readonly number[], channelSamples: number): SpeedSignal[] {
  return Object.entries(GENERATORS).flatMap(([name, create]) =>
    channelCounts.map((channels) => {
      const rows = Math.ceil(channelSamples / channels);
      const random = seededRandom(SEED).fork(`${name} ${channels}`);
      const next = create(channels);
      const row = new Float64Array(channels);
      const values = new Float32Array(rows * channels);
      for (let t = 0; t < rows; t++) {
        next(t, row, random);
        values.set(row, t * channels);
      }
      return { name, channels, values };
    }),
  );
}
