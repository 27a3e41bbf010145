import type { AdaptiveCoder } from "./adaptive-coder.ts";

/** Magnitudes are below 2^32: at most this many bits behind the leading one. */
const MAX_BITS = 32;
/** Length in unary, the first bit below the leading one by length, the second by length and first. */
const SECOND_BITS = MAX_BITS + 1;
const THIRD_BITS = 2 * (MAX_BITS + 1);
const UNSIGNED_CONTEXTS = THIRD_BITS + 2 * (MAX_BITS + 1);
/** One for zero, one sign for each sign before. */
const SIGNED_CONTEXTS = 4 + UNSIGNED_CONTEXTS;

/** How many contexts `codeUnsigned` and `codeSigned` use from their first one on. */
export const CONTEXTS = { unsigned: UNSIGNED_CONTEXTS, signed: SIGNED_CONTEXTS } as const;

/**
 * Code an integer >= 0 as an Elias gamma code of adaptive bits.
 *
 * @param first  the first of `CONTEXTS.unsigned` contexts
 * @param value  below 2^32 − 1; a decoder gives anything
 * @see Elias 1975, "Universal codeword sets"; the two bits below the leading one are modelled, the rest is raw
 */
export function codeUnsigned(coder: AdaptiveCoder, first: number, value: number): number {
  const above = value + 1;
  const wanted = Math.floor(Math.log2(above));
  let bits = 0;
  while (bits < MAX_BITS && coder.bit(first + bits, bits < wanted ? 1 : 0) === 1) bits += 1;
  if (bits === 0) return 0;
  const second = coder.bit(first + SECOND_BITS + bits, bitOf(above, bits - 1));
  let coded = 2 + second;
  if (bits === 1) return coded - 1;
  coded = 2 * coded + coder.bit(first + THIRD_BITS + 2 * bits + second, bitOf(above, bits - 2));
  for (let i = bits - 3; i >= 0; i--) coded = 2 * coded + coder.rawBit(bitOf(above, i));
  return coded - 1;
}

/**
 * Code an integer of either sign.
 *
 * @param first  the first of `CONTEXTS.signed` contexts
 * @param lastSign  −1, 0 or 1: of the step before, which predicts this one's
 */
export function codeSigned(coder: AdaptiveCoder, first: number, value: number, lastSign: number): number {
  if (coder.bit(first, value === 0 ? 0 : 1) === 0) return 0;
  const isNegative = coder.bit(first + 2 + lastSign, value < 0 ? 1 : 0) === 1;
  const magnitude = codeUnsigned(coder, first + 4, Math.abs(value) - 1) + 1;
  return isNegative ? -magnitude : magnitude;
}

function bitOf(value: number, place: number): number {
  return Math.floor(value / 2 ** place) & 1;
}
