import { checkParameter, periodOfRate, type Signal, type SignalChannel, SignalError } from "./signal.ts";

/** Samples of the firmware are in units of this. */
const UNIT = 2 ** -15;
const QUARTER = 0x4000;
/** 1 rad, a turn being 2^16. */
const RAD = 10_430;
const THREE_TENTHS = 3_129;
/** Two dice of 512 faces. */
const NOISE_MOST = 511;
/** The board's clock counts milliseconds. */
const CLOCK_HZ = 1_000;

/** Mean and amplitude of each channel without its noise, in units. */
const CHANNELS: readonly (readonly [name: string, mean: number, amplitude: number])[] = [
  ["x", 0, 32_767],
  ["y", 0, 32_767],
  ["z", 26_214, 655],
  ["rx", 0, 16_383],
  ["ry", 0, 16_383],
  ["rz", 32_768, 3_276],
];

/** 32767 sin(i π / 128), rounded, of a quarter turn. */
const SINES = Int16Array.from({ length: 65 }, (_, i) => Math.round(32_767 * Math.sin((Math.PI * i) / 128)));

/**
 * What firmware-examples/rotor-twin measures: the same integers as its `rotor.c`, sample for sample, on every engine. With
 * p = 1 rad a sample and noise of up to 511 units of 2⁻¹⁵ on each channel, from the sample's number alone:
 *
 *     x = sin p   y = cos p   z = 0.8 + 0.02 sin p
 *     rx = 0.5 sin(p + 0.3)   ry = 0.5 cos(p + 0.3)   rz = 1 + 0.1 sin(p + 1)
 *
 * @param rateHz  samples per second, a divisor of 1000: the phase goes on by 1 rad a sample whatever the rate
 * @throws {SignalError} `bad-parameter`
 */
export function rotorTwinSignal(rateHz = 100): Signal {
  checkParameter("rate", rateHz, 1, CLOCK_HZ);
  if (CLOCK_HZ % rateHz !== 0) {
    throw new SignalError("bad-parameter", { parameter: "rate", value: rateHz, want: `a divisor of ${CLOCK_HZ}` });
  }
  return {
    channels: CHANNELS.map(
      ([name, mean, amplitude]): SignalChannel => ({
        name,
        unit: "1",
        min: (mean - amplitude - NOISE_MOST) * UNIT,
        max: (mean + amplitude + NOISE_MOST) * UNIT,
      }),
    ),
    periodNs: periodOfRate(rateHz),
    samples: Number.POSITIVE_INFINITY,
    read() {
      let t = 0;
      return {
        next(out) {
          const p = Math.imul(t, RAD);
          out[0] = sine(p);
          out[1] = sine(p + QUARTER);
          out[2] = 26_214 + Math.trunc(sine(p) / 50);
          out[3] = Math.trunc(sine(p + THREE_TENTHS) / 2);
          out[4] = Math.trunc(sine(p + THREE_TENTHS + QUARTER) / 2);
          out[5] = 32_768 + Math.trunc(sine(p + RAD) / 10);
          for (let c = 0; c < CHANNELS.length; c += 1) out[c] = ((out[c] ?? 0) + noise(t, c)) * UNIT;
          t += 1;
          return true;
        },
      };
    },
  };
}

/** 32767 sin of a phase, by linear interpolation in the table. */
function sine(phase: number): number {
  const inHalf = phase & 0x7fff;
  const x = Math.min(inHalf, 2 * QUARTER - inHalf);
  const i = x >> 8;
  const below = SINES[i] ?? 0;
  const above = SINES[i + 1] ?? below;
  const value = below + (((above - below) * (x & 255)) >> 8);
  return (phase & 0x8000) === 0 ? value : -value;
}

/** −511 … 511 units, small ones more often. */
function noise(t: number, channel: number): number {
  const first = Math.imul(t * CHANNELS.length + channel + 1, 2_654_435_761);
  const second = Math.imul(first ^ (first >>> 15), 2_246_822_519);
  const mixed = second ^ (second >>> 13);
  return (mixed & 511) + ((mixed >>> 9) & 511) - NOISE_MOST;
}
