import { joinLanes, LANES, laneAt } from "./tables";
import { rawBitsOf, tokenOf } from "./tokens";

/** Codes to symbols and raw bits, counted on the way: what tables are built from. */
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
    // Sixteen small codes, as most are where bits are few, are their own tokens.
    for (; i + 16 <= count; i += 16) {
      const at = codes + ((<usize>i) << 2);
      const a = v128.load(at);
      const b = v128.load(at, 16);
      const c = v128.load(at, 32);
      const d = v128.load(at, 48);
      if (v128.any_true(i32x4.shr_u(v128.or(v128.or(a, b), v128.or(c, d)), 4))) {
        raw = modelCodes(kind, codes, contexts, i, i + 16, symbols, raw);
        continue;
      }
      const out = symbols + ((<usize>i) << 1);
      const context = v128.load(contexts + i);
      const low = i16x8.shl(i16x8.extend_low_i8x16_u(context), 7);
      const high = i16x8.shl(i16x8.extend_high_i8x16_u(context), 7);
      v128.store(out, v128.or(low, i16x8.narrow_i32x4_u(a, b)));
      v128.store(out, v128.or(high, i16x8.narrow_i32x4_u(c, d)), 16);
      countSymbols(kind, out);
    }
  }
  return modelCodes(kind, codes, contexts, i, count, symbols, raw);
}

/** Sixteen of them. */
function countSymbols(kind: i32, symbols: usize): void {
  const a = laneAt(kind, 0);
  const b = laneAt(kind, 1);
  const c = laneAt(kind, 2);
  const d = laneAt(kind, 3);
  for (let o: usize = 0; o < 32; o += 8) {
    countOne(a, symbols + o);
    countOne(b, symbols + o + 2);
    countOne(c, symbols + o + 4);
    countOne(d, symbols + o + 6);
  }
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
