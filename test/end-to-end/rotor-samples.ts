/**
 * What firmware-examples/rotor-twin measures, computed independently: the same integers from the same formulas.
 */

/** Samples of a device are in units of this. */
export const ROTOR_UNIT = 2 ** -15;

const QUARTER = 0x4000;
const RAD = 10_430;
const THREE_TENTHS = 3_129;

/** The t-th sample of the six channels, in their units. */
export function rotorSample(t: number): number[] {
  const p = Math.imul(t, RAD);
  const clean = [
    sine(p),
    sine(p + QUARTER),
    26_214 + Math.trunc(sine(p) / 50),
    Math.trunc(sine(p + THREE_TENTHS) / 2),
    Math.trunc(sine(p + THREE_TENTHS + QUARTER) / 2),
    32_768 + Math.trunc(sine(p + RAD) / 10),
  ];
  return clean.map((x, c) => (x + noise(t, c)) * ROTOR_UNIT);
}

/** 32767 sin of a phase, a turn being 2^16, by interpolation between 64 points of a quarter. */
function sine(phase: number): number {
  const at = phase & 0xffff;
  const half = at % (2 * QUARTER);
  const x = Math.min(half, 2 * QUARTER - half);
  const point = (i: number) => Math.round(32_767 * Math.sin((Math.PI * Math.min(i, 64)) / 128));
  const i = Math.floor(x / 256);
  const value = point(i) + Math.floor(((point(i + 1) - point(i)) * (x % 256)) / 256);
  return at < 2 * QUARTER ? value : -value;
}

function noise(t: number, channel: number): number {
  const first = Math.imul(t * 6 + channel + 1, 2_654_435_761);
  const second = Math.imul(first ^ (first >>> 15), 2_246_822_519);
  const mixed = second ^ (second >>> 13);
  return (mixed & 511) + ((mixed >>> 9) & 511) - 511;
}
