import type { SeededRandom } from "../seeded-random.ts";
import { checkParameter, periodOfRate, type Signal, type SignalChannel } from "./signal.ts";

export interface RotorOptions {
  /** Angular frequency ω, rad/s. At 100 Hz, everything from 100π rad/s on is seen as a slower rotation. */
  readonly omega: number;
  /** Standard deviation of the phase's random walk, rad per sample. */
  readonly jitter: number;
  readonly rateHz: number;
  /** Standard deviation of the noise on every channel. */
  readonly sigma: number;
}

/** The reference case: 100 rad/s, not 100 Hz, which at 100 Hz would be seen as standing still. */
export const REFERENCE_ROTOR: RotorOptions = { omega: 100, jitter: 0, rateHz: 100, sigma: 0.01 };

const CHANNELS: readonly { readonly name: string; readonly mean: number; readonly amplitude: number }[] = [
  { name: "x", mean: 0, amplitude: 1 },
  { name: "y", mean: 0, amplitude: 1 },
  { name: "z", mean: 0.8, amplitude: 0.02 },
  { name: "rx", mean: 0, amplitude: 0.5 },
  { name: "ry", mean: 0, amplitude: 0.5 },
  { name: "rz", mean: 1, amplitude: 0.1 },
];
/** Noise further out than this many σ does not occur: Box–Muller with 53 bits ends at 8.6. */
const NOISE_REACH = 9;

/**
 * Six degrees of freedom of a rotating machine: with p_t = ω t / rate plus a random walk,
 *
 *     x = sin p   y = cos p   z = 0.8 + 0.02 sin p
 *     rx = 0.5 sin(p + 0.3)   ry = 0.5 cos(p + 0.3)   rz = 1 + 0.1 sin(p + 1)     each + N(0, σ²)
 *
 * @throws {SignalError} `bad-parameter`
 */
export function rotorSignal(options: RotorOptions, random: SeededRandom): Signal {
  const { omega, jitter, rateHz, sigma } = options;
  checkParameter("omega", omega, -1e9, 1e9);
  checkParameter("jitter", jitter, 0, 1e3);
  checkParameter("rate", rateHz, 1e-6, 1e6);
  checkParameter("sigma", sigma, 0, 1e6);
  const reach = NOISE_REACH * sigma;
  return {
    channels: CHANNELS.map(
      ({ name, mean, amplitude }): SignalChannel => ({
        name,
        unit: "1",
        min: mean - amplitude - reach,
        max: mean + amplitude + reach,
      }),
    ),
    periodNs: periodOfRate(rateHz),
    samples: Number.POSITIVE_INFINITY,
    read() {
      const noise = random.fork("noise");
      const phaseNoise = random.fork("phase");
      let t = 0;
      let drift = 0;
      return {
        next(out) {
          const p = (omega * t) / rateHz + drift;
          out[0] = Math.sin(p) + sigma * noise.gaussian();
          out[1] = Math.cos(p) + sigma * noise.gaussian();
          out[2] = 0.8 + 0.02 * Math.sin(p) + sigma * noise.gaussian();
          out[3] = 0.5 * Math.sin(p + 0.3) + sigma * noise.gaussian();
          out[4] = 0.5 * Math.cos(p + 0.3) + sigma * noise.gaussian();
          out[5] = 1 + 0.1 * Math.sin(p + 1) + sigma * noise.gaussian();
          t += 1;
          if (jitter > 0) drift += jitter * phaseNoise.gaussian();
          return true;
        },
      };
    },
  };
}
