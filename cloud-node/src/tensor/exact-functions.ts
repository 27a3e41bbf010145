/**
 * Transcendental functions from additions, multiplications and divisions of doubles, which IEEE 754 rounds alike
 * everywhere; `Math.exp` and its kin may differ from one machine to the next. Relative error below 1e-14, far finer
 * than the 32-bit numbers that they end in.
 */

const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
const HALF_PI_HIGH = 1.5707963267341256;
const HALF_PI_LOW = 6.077100506506192e-11;
/** Terms of a Taylor series that reach a double's precision on the reduced range. */
const TERMS = 22;

/** e^x, for |x| < 700. */
export function exponential(x: number): number {
  const power = Math.round(x / Math.LN2);
  const r = x - power * LN2_HIGH - power * LN2_LOW;
  let sum = 1;
  for (let n = TERMS; n > 0; n--) sum = 1 + (sum * r) / n;
  return sum * 2 ** power;
}

/** Natural logarithm, for positive normal x. */
export function logarithm(x: number): number {
  let [fraction, power] = [x, 0];
  while (fraction > Math.SQRT2) [fraction, power] = [fraction / 2, power + 1];
  while (fraction < Math.SQRT1_2) [fraction, power] = [fraction * 2, power - 1];
  // ln f = 2 artanh((f - 1) / (f + 1)), |argument| < 0.172
  const z = (fraction - 1) / (fraction + 1);
  let sum = 0;
  for (let n = 2 * TERMS + 1; n > 0; n -= 2) sum = sum * z * z + 1 / n;
  return power * LN2_HIGH + (power * LN2_LOW + 2 * z * sum);
}

export function cosine(x: number): number {
  return sine(x, 1);
}

/** sin(x + quarter · π/2), for |x| < 1e6. */
export function sine(x: number, quarter = 0): number {
  const turns = Math.round(x / (Math.PI / 2));
  const r = x - turns * HALF_PI_HIGH - turns * HALF_PI_LOW;
  const quadrant = (((turns + quarter) % 4) + 4) % 4;
  const value = quadrant % 2 === 0 ? sineNearZero(r) : cosineNearZero(r);
  return quadrant < 2 ? value : -value;
}

function sineNearZero(r: number): number {
  let sum = 1;
  for (let n = TERMS; n > 0; n -= 2) sum = 1 - (sum * r * r) / (n * (n + 1));
  return r * sum;
}

function cosineNearZero(r: number): number {
  let sum = 1;
  for (let n = TERMS - 1; n > 0; n -= 2) sum = 1 - (sum * r * r) / (n * (n + 1));
  return sum;
}
