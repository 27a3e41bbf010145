import { joinLanes, LANES, laneAt } from "./tables";
import { rawBitsOf, tokenOf } from "./tokens";

/**
 * Codes to symbols and raw bits, counted on the way: what tables are built from.
 *
 * A code of 16 or more, as a float, has its token in front of the 21 bits behind its three leading ones: 4 l and two bits.
 */
/** Sixteen codes of so many bits are taken at once: a float holds each, and two have no more than 40 raw bits. */
const VECTOR_BITS: i32 = 23;
/** 2^23 as a float: what is added to it lies in its lowest bits. */
const FLOAT_OF_VECTOR_BITS: i32 = 0x4b000000;
const TOKEN_SHIFT: i32 = 21;
/** What the float of 16 has there, less 16. */
const TOKEN_BIAS: i32 = 508;
/** Raw bits of sixteen codes, u32, and how many each has, u8. */
const RAW: usize = memory.data(64, 16);
const WIDTHS: usize = memory.data(16, 16);

let rawHeld: u32 = 0;
let rawBits: u64 = 0;

/** Begin a block. */
export function openModel(): void {
  rawHeld = 0;
  rawBits = 0;
}

/** End it: counts are whole. @returns behind the last byte of raw bits */
export function closeModel(raw: usize): usize {
  joinLanes();
  return rawHeld > 0 ? raw + 1 : raw;
}

/**
 * Make symbols of a run's codes, count them, and write their raw bits.
 *
 * @param codes  zigzag(q), u32 each
 * @param contexts  u8 each
 * @param symbols  out: context << 7 | token, u16 each
 * @param rawFrom  where raw bits go on; 4 bytes a code and 8 more are free from there
 * @returns where they go on afterwards
 */
export function modelRun(kind: i32, codes: usize, contexts: usize, count: i32, symbols: usize, rawFrom: usize): usize {
  let raw = rawFrom;
  let i = 0;
  if (ASC_FEATURE_SIMD) {
    for (; i + 16 <= count; i += 16) {
      const at = codes + ((<usize>i) << 2);
      const a = v128.load(at);
      const b = v128.load(at, 16);
      const c = v128.load(at, 32);
      const d = v128.load(at, 48);
      const all = v128.or(v128.or(a, b), v128.or(c, d));
      const out = symbols + ((<usize>i) << 1);
      // Sixteen small codes, as most are where bits are few, are their own tokens.
      if (!v128.any_true(i32x4.shr_u(all, 4))) {
        v128.store(out, i16x8.narrow_i32x4_u(a, b));
        v128.store(out, i16x8.narrow_i32x4_u(c, d), 16);
      } else if (!v128.any_true(i32x4.shr_u(all, VECTOR_BITS))) {
        const low = i16x8.narrow_i32x4_u(tokensOf(a, RAW), tokensOf(b, RAW + 16));
        const high = i16x8.narrow_i32x4_u(tokensOf(c, RAW + 32), tokensOf(d, RAW + 48));
        v128.store(out, low);
        v128.store(out, high, 16);
        const lengths = i8x16.narrow_i16x8_u(i16x8.shr_u(low, 2), i16x8.shr_u(high, 2));
        const hasRaw = i8x16.gt_u(lengths, i8x16.splat(3));
        v128.store(WIDTHS, v128.and(i8x16.sub(lengths, i8x16.splat(2)), hasRaw));
        raw = putRaw(raw);
      } else {
        raw = modelCodes(kind, codes, contexts, i, i + 16, symbols, raw);
        continue;
      }
      countTokens(kind, contexts + i, out);
    }
  }
  return modelCodes(kind, codes, contexts, i, count, symbols, raw);
}

/** Tokens of four codes below 2^23, and their raw bits. */
function tokensOf(z: v128, raw: usize): v128 {
  const float = f32x4.convert_i32x4_s(z);
  const isDirect = i32x4.lt_s(z, i32x4.splat(16));
  const shortened = v128.and(float, i32x4.splat(-1 << TOKEN_SHIFT));
  // The least code of the token: the same float without the bits behind.
  const magic = i32x4.splat(FLOAT_OF_VECTOR_BITS);
  const least = v128.xor(f32x4.add(shortened, magic), magic);
  v128.store(raw, v128.andnot(i32x4.sub(z, least), isDirect));
  const token = i32x4.sub(i32x4.shr_u(float, TOKEN_SHIFT), i32x4.splat(TOKEN_BIAS));
  return v128.bitselect(z, token, isDirect);
}

/** Sixteen tokens, of 16 bits each, to symbols. */
function countTokens(kind: i32, contexts: usize, out: usize): void {
  const context = v128.load(contexts);
  const low = i16x8.shl(i16x8.extend_low_i8x16_u(context), 7);
  const high = i16x8.shl(i16x8.extend_high_i8x16_u(context), 7);
  v128.store(out, v128.or(low, v128.load(out)));
  v128.store(out, v128.or(high, v128.load(out, 16)), 16);
  const a = laneAt(kind, 0);
  const b = laneAt(kind, 1);
  const c = laneAt(kind, 2);
  const d = laneAt(kind, 3);
  for (let o: usize = 0; o < 32; o += 8) {
    countOne(a, out + o);
    countOne(b, out + o + 2);
    countOne(c, out + o + 4);
    countOne(d, out + o + 6);
  }
}

/** Raw bits of sixteen codes, two at a time. */
function putRaw(from: usize): usize {
  let raw = from;
  let held = rawHeld;
  let bits = rawBits;
  for (let i: usize = 0; i < 16; i += 2) {
    const width: u32 = load<u8>(WIDTHS + i);
    const pair = <u64>load<u32>(RAW + (i << 2)) | ((<u64>load<u32>(RAW + (i << 2), 4)) << (<u64>width));
    bits |= pair << (<u64>held);
    held += width + <u32>load<u8>(WIDTHS + i, 1);
    store<u64>(raw, bits);
    const whole = held >> 3;
    raw += whole;
    bits >>= <u64>(whole << 3);
    held &= 7;
  }
  rawHeld = held;
  rawBits = bits;
  return raw;
}

function countOne(counts: usize, symbol: usize): void {
  const at = counts + ((<usize>load<u16>(symbol)) << 2);
  store<u32>(at, load<u32>(at) + 1);
}

function modelCodes(
  kind: i32,
  codes: usize,
  contexts: usize,
  begin: i32,
  end: i32,
  symbols: usize,
  rawFrom: usize,
): usize {
  let raw = rawFrom;
  let held = rawHeld;
  let bits = rawBits;
  for (let i = begin; i < end; i++) {
    const z = load<u32>(codes + ((<usize>i) << 2));
    const token = tokenOf(z);
    const symbol = ((<u32>load<u8>(contexts + i)) << 7) | token;
    store<u16>(symbols + ((<usize>i) << 1), <u16>symbol);
    countOne(laneAt(kind, i & (LANES - 1)), symbols + ((<usize>i) << 1));
    const width = rawBitsOf(token);
    bits |= (<u64>(z & ((1 << width) - 1))) << (<u64>held);
    held += width;
    store<u64>(raw, bits);
    const whole = held >> 3;
    raw += whole;
    bits >>= <u64>(whole << 3);
    held &= 7;
  }
  rawHeld = held;
  rawBits = bits;
  return raw;
}
