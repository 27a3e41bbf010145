import { LEVELS, levelChance } from "./activity";
import { makeBit } from "./adaptive-bit";
import { decodeBit, decodePlain, encodeBit, encodePlain } from "./bit-coder";

/**
 * How many coordinates of a level are passed over before the next one that is sent.
 *
 * Coordinates of one level are about equally likely, p, so that gaps are geometric: g >> k in unary, where 2^k is nearest to the
 * median below it, then k bits. Of these, the higher two have models: the more a bit weighs, the less often it is 1. All
 * begin with what p says, and learn what is so.
 *
 *     P(one more)  = (1 - p)^(2^k)          P(bit j) = 1 / (1 + (1 - p)^(-2^j))
 */
const UNARY: i32 = 3;
const MODELLED: i32 = 2;
const MODELS: i32 = 5;
/** How much the first guess is believed. */
const BELIEF: u32 = 20;
const MODEL_BYTES: usize = 4;

/** No encoder passes over more coordinates than there are. */
let largest: u32 = 0;
/** What a decoder answers where a message says otherwise. */
const TOO_LARGE: u32 = 1 << 31;

const GAP_MODELS: usize = memory.data(24 * 5 * 4, 16);

/** log2 of the part of a gap that is not in unary. */
function plainBits(level: i32): i32 {
  const median = Math.LN2 / levelChance(level);
  let bits = 0;
  while (bits < 30 && <f64>(1 << (bits + 1)) <= median * 1.4) bits++;
  return bits;
}

const PLAIN_BITS: usize = memory.data(24, 16);

/** Begin a message about so many coordinates. */
export function openGaps(count: u32): void {
  largest = count;
  for (let level = 0; level < LEVELS; level++) {
    const stay = 1 - levelChance(level);
    const bits = plainBits(level);
    store<u8>(PLAIN_BITS + level, <u8>bits);
    const more = Math.pow(stay, <f64>(1 << bits));
    for (let i = 0; i < UNARY; i++) makeBit(modelAt(level, i), more, BELIEF);
    for (let i = 0; i < MODELLED; i++) {
      const weight = bits - 1 - i;
      const one = weight < 0 ? 0.5 : 1 / (1 + Math.pow(stay, -(<f64>(1 << weight))));
      makeBit(modelAt(level, UNARY + i), one, BELIEF);
    }
  }
}

function modelAt(level: i32, index: i32): usize {
  return GAP_MODELS + <usize>(level * MODELS + index) * MODEL_BYTES;
}

export function encodeGap(level: i32, gap: u32): void {
  const bits = <i32>load<u8>(PLAIN_BITS + level);
  const quotient = gap >> bits;
  for (let i: u32 = 0; i < quotient; i++) encodeBit(modelAt(level, min(<i32>i, UNARY - 1)), 1);
  encodeBit(modelAt(level, <i32>min<u32>(quotient, UNARY - 1)), 0);
  const modelled = min(bits, MODELLED);
  for (let i = 0; i < modelled; i++) encodeBit(modelAt(level, UNARY + i), (gap >> (bits - 1 - i)) & 1);
  const plain = bits - modelled;
  if (plain > 0) encodePlain(gap & ((1 << plain) - 1), plain);
}

/** Mirror of `encodeGap`. @returns TOO_LARGE where no encoder wrote it */
export function decodeGap(level: i32): u32 {
  const bits = <i32>load<u8>(PLAIN_BITS + level);
  let quotient: u32 = 0;
  while (decodeBit(modelAt(level, <i32>min<u32>(quotient, UNARY - 1)))) {
    quotient += 1;
    if (quotient > largest >> bits) return TOO_LARGE;
  }
  const modelled = min(bits, MODELLED);
  let gap = quotient;
  for (let i = 0; i < modelled; i++) gap = (gap << 1) | decodeBit(modelAt(level, UNARY + i));
  const plain = bits - modelled;
  return plain > 0 ? (gap << plain) | decodePlain(plain) : gap;
}
