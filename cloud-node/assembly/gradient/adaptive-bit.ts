/**
 * An adaptive bit: the probability of "1" in 22 bits over how often it was seen in 8, in one word.
 *
 *     31              8 7      0
 *     [ probability Q22 ][ seen ]
 *
 * It moves by 1 / (seen + 1.5), so that a young one learns at once and an old one averages: what is coded here stays as it
 * is for a message.
 */
const PROBABILITY_BITS: u32 = 22;
const ONE: i32 = 1 << 22;
const SEEN_MASK: u32 = 255;
/** An average over so many: beyond it, a model follows what changes. */
const OLDEST: u32 = 250;
/** Of 2^16: no bit costs more than 12 bits, nor less than 1/1400. */
const LEAST: u32 = 16;
const MOST: u32 = 65536 - 16;

const RATES: usize = memory.data(256 * 4, 16);

function fillRates(): void {
  for (let seen: u32 = 0; seen < 256; seen++)
    store<u32>(RATES + ((<usize>seen) << 2), <u32>(65536.0 / (<f64>seen + 1.5)));
}

/** Make one. @param probability  of "1", 0 < p < 1 @param seen  how much it is believed */
export function makeBit(at: usize, probability: f64, seen: u32): void {
  if (load<u32>(RATES) == 0) fillRates();
  store<u32>(at, ((<u32>(probability * <f64>ONE)) << 8) | seen);
}

/** Probability of "1" in Q16, 0 < p < 65536. */
export function probabilityQ16(at: usize): u32 {
  return min(max(load<u32>(at) >> (8 + PROBABILITY_BITS - 16), LEAST), MOST);
}

/** Learn what it was, 0 or 1. */
export function learnBit(at: usize, bit: u32): void {
  const packed = load<u32>(at);
  const probability = <i32>(packed >> 8);
  const seen = packed & SEEN_MASK;
  const target = bit ? ONE - 1 : 0;
  const moved = probability + <i32>((<i64>(target - probability) * <i64>load<u32>(RATES + ((<usize>seen) << 2))) >> 16);
  store<u32>(at, ((<u32>moved) << 8) | (seen + u32(seen < OLDEST)));
}
