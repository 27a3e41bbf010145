/** Bytes that a number takes at most, in either form below. */
export const NUMBER_BYTES = 32;

/** Digits that C's `%g` shows: where they are enough, a number looks as LAMMPS writes it by default. */
const SHORT_DIGITS = 6;
/** Beyond the first, an integer of so many digits may not be a double; beyond the second, no double needs more. */
const FAST_DIGITS = 15;
const LONG_DIGITS = 17;
/** `%g` writes an exponent below this power of ten, and from 10^(digits shown) on. */
const SMALLEST_FIXED_POWER = -4;
const POWERS = Float64Array.from({ length: 23 }, (_, k) => Number(`1e${k}`));
const ZERO = 0x30;
const POINT = 0x2e;
const MINUS = 0x2d;

/**
 * Write a double as the shortest text that gives it back, in the layout of C's `%g` (`0.0477842`, `1e-05`, `-0`, `nan`).
 *
 * @param out  room for NUMBER_BYTES at `at`
 * @returns behind the text
 */
export function writeReal(value: number, out: Uint8Array, at: number): number {
  if (value === (value | 0) && value !== 0 && value < POWER_LIMIT && value > -POWER_LIMIT)
    return writeInt(value, out, at);
  const size = Math.abs(value);
  if (!(size >= 1e-4 && size < POWER_LIMIT)) return writeAscii(longText(value), out, at);
  let end = at;
  if (value < 0) {
    out[end] = MINUS;
    end++;
  }
  let decimals = SHORT_DIGITS;
  for (let limit = 1; size >= limit; limit *= 10) decimals--;
  for (let limit = 0.1; size < limit; limit /= 10) decimals++;
  let digits = Math.round(size * power(decimals));
  if (digits / power(decimals) !== size) {
    decimals += FAST_DIGITS - SHORT_DIGITS;
    digits = Math.round(size * power(decimals));
    if (digits / power(decimals) !== size) return writeAscii(longText(value), out, at);
  }
  return writeDecimal(digits, decimals, out, end);
}

/** Write a whole number, |value| <= 2^53 - 1, as `%d` does; anything else as {@link writeReal}. */
export function writeInteger(value: number, out: Uint8Array, at: number): number {
  if (value === (value | 0) && !Object.is(value, -0)) return writeInt(value, out, at);
  return Number.isSafeInteger(value) && value !== 0 ? writeAscii(String(value), out, at) : writeReal(value, out, at);
}

/** A double as C's `%-1.16e` writes it: the form of a box. */
export function boxText(value: number): string {
  return withExponent(value.toExponential(LONG_DIGITS - 1));
}

/** A double as the shortest text in the layout of `%g`. */
export function realText(value: number): string {
  const out = Buffer.allocUnsafe(NUMBER_BYTES);
  return out.toString("latin1", 0, writeReal(value, out, 0));
}

const POWER_LIMIT = 10 ** SHORT_DIGITS;

function power(k: number): number {
  return POWERS[k] ?? Number.NaN;
}

/** digits / 10^decimals, without zeros at the end. */
function writeDecimal(digits: number, decimals: number, out: Uint8Array, at: number): number {
  let rest = digits;
  let places = decimals;
  while (places > 0) {
    const tenth = Math.floor(rest / 10);
    if (tenth * 10 !== rest) break;
    rest = tenth;
    places--;
  }
  const whole = Math.floor(rest / power(places));
  let end = writeInt(whole, out, at);
  if (places === 0) return end;
  out[end] = POINT;
  end += places + 1;
  let fraction = rest - whole * power(places);
  for (let i = end - 1; i > end - 1 - places; i--) {
    const tenth = Math.floor(fraction / 10);
    out[i] = ZERO + (fraction - tenth * 10);
    fraction = tenth;
  }
  return end;
}

/** @param value  an int32 */
function writeInt(value: number, out: Uint8Array, at: number): number {
  let start = at;
  let rest = value;
  if (value < 0) {
    out[start] = MINUS;
    start++;
    rest = -value;
  }
  let end = start + 1;
  for (let limit = 10; rest >= limit; limit *= 10) end++;
  for (let i = end - 1; i >= start; i--) {
    const tenth = Math.floor(rest / 10);
    out[i] = ZERO + (rest - tenth * 10);
    rest = tenth;
  }
  return end;
}

function longText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  const text = value.toExponential();
  const [mantissa = "", exponent = ""] = text.split("e");
  const digits = mantissa.replace(/[-.]/g, "");
  const exponentValue = Number(exponent);
  const shown = digits.length <= SHORT_DIGITS ? SHORT_DIGITS : LONG_DIGITS;
  if (exponentValue < SMALLEST_FIXED_POWER || exponentValue >= shown) return withExponent(text);
  const sign = value < 0 ? "-" : "";
  if (exponentValue < 0) return `${sign}0.${"0".repeat(-exponentValue - 1)}${digits}`;
  const whole = digits.slice(0, exponentValue + 1).padEnd(exponentValue + 1, "0");
  const fraction = digits.slice(exponentValue + 1);
  return fraction === "" ? `${sign}${whole}` : `${sign}${whole}.${fraction}`;
}

/** An exponent has two digits at least. */
function withExponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, "e$10$2");
}

function writeAscii(text: string, out: Uint8Array, at: number): number {
  for (let i = 0; i < text.length; i++) out[at + i] = text.charCodeAt(i);
  return at + text.length;
}
