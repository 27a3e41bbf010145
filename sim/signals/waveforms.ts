import type { SeededRandom } from "../seeded-random.ts";
import { checkParameter, periodOfRate, type Signal, type SignalChannel, type SignalReader } from "./signal.ts";

/** What every waveform is told; each uses the fields in its own description. */
export interface WaveformOptions {
  readonly channels: number;
  readonly rateHz: number;
  /** Largest excursion from 0, before noise. */
  readonly amplitude: number;
  /** Standard deviation of the noise on every channel. */
  readonly sigma: number;
  /** Time of one sine period; mean time between steps or bursts, s. */
  readonly everyS: number;
}

export const DEFAULT_WAVEFORM: WaveformOptions = { channels: 1, rateHz: 100, amplitude: 1, sigma: 0.01, everyS: 1 };

/** Noise further out than this many σ does not occur. */
const NOISE_REACH = 9;
const MAX_CHANNELS = 16;
/** A burst has died away to 1/e after this part of the mean time between bursts. */
const BURST_DECAY = 0.1;

type Channel = () => number;

/** Sines of one frequency, a sixteenth of a turn apart. */
export function sineSignal(options: WaveformOptions, random: SeededRandom): Signal {
  return waveform(options, random, (c) => {
    let t = 0;
    const turnsPerSample = 1 / (options.rateHz * options.everyS);
    return () => options.amplitude * Math.sin(2 * Math.PI * (turnsPerSample * t++ + c / MAX_CHANNELS));
  });
}

/** A random walk, reflected at ± amplitude, which it crosses in about `everyS`. */
export function walkSignal(options: WaveformOptions, random: SeededRandom): Signal {
  return waveform(options, random, (_c, own) => {
    const { amplitude, rateHz, everyS } = options;
    const step = amplitude / Math.sqrt(Math.max(1, rateHz * everyS));
    let at = 0;
    return () => {
      at += step * Math.max(-4, Math.min(4, own.gaussian()));
      if (Math.abs(at) > amplitude) at = Math.sign(at) * 2 * amplitude - at;
      at = Math.max(-amplitude, Math.min(amplitude, at));
      return at;
    };
  });
}

/** Constant, then somewhere else: each channel jumps on its own, every `everyS` in the mean. */
export function stepsSignal(options: WaveformOptions, random: SeededRandom): Signal {
  return waveform(options, random, (_c, own) => {
    let level = 0;
    return () => {
      if (own.uniform() * options.rateHz * options.everyS < 1) level = options.amplitude * (2 * own.uniform() - 1);
      return level;
    };
  });
}

/** Silence, broken by bursts that ring and die away, every `everyS` in the mean, all channels at once. */
export function burstsSignal(options: WaveformOptions, random: SeededRandom): Signal {
  return waveform(options, random, (c, _own, shared) => {
    const { rateHz, everyS, amplitude } = options;
    const decay = Math.exp(-1 / Math.max(1, BURST_DECAY * rateHz * everyS));
    let envelope = 0;
    let phase = 0;
    return () => {
      envelope *= decay;
      if (shared.uniform() * rateHz * everyS < 1) envelope = amplitude * (0.5 + 0.5 * shared.uniform());
      phase += 0.7 + 0.1 * c;
      return envelope * Math.sin(phase);
    };
  });
}

function waveform(
  options: WaveformOptions,
  random: SeededRandom,
  create: (channel: number, own: SeededRandom, shared: SeededRandom) => Channel,
): Signal {
  const { channels, rateHz, amplitude, sigma, everyS } = options;
  checkParameter("channels", channels, 1, MAX_CHANNELS);
  checkParameter("rate", rateHz, 1e-6, 1e6);
  checkParameter("amplitude", amplitude, 0, 1e9);
  checkParameter("sigma", sigma, 0, 1e9);
  checkParameter("every", everyS, 1e-6, 1e9);
  const reach = amplitude + NOISE_REACH * sigma;
  return {
    channels: Array.from(
      { length: channels },
      (_, c): SignalChannel => ({ name: `c${c}`, unit: "1", min: -reach, max: reach }),
    ),
    periodNs: periodOfRate(rateHz),
    samples: Number.POSITIVE_INFINITY,
    read(): SignalReader {
      const noise = random.fork("noise");
      // A shared stream is forked once per channel, so that every channel draws the same numbers from it.
      const rows = Array.from({ length: channels }, (_, c) =>
        create(c, random.fork(`channel ${c}`), random.fork("shared")),
      );
      return {
        next(out) {
          for (const [c, channel] of rows.entries()) out[c] = channel() + sigma * noise.gaussian();
          return true;
        },
      };
    },
  };
}
