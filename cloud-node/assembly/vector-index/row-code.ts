/**
 * The code of a row, `codeBytes` of it. Dimensions are rotated ones in blocks of 16, the deepest first; P blocks are
 * plain (8 bits), then T are coded (1 to 5 bits), the rest has no bits.
 *
 *   0            2T bytes   s_t of the trellis: a u16 for each coded block, bit j for its dimension j
 *   2T           2 (b - 1)  for each coded block of b bits: the level's number above its two low bits, a u16 for each
 *                           bit from the highest on
 *   …            16 P       the plain blocks: levels as i8
 */
import { levelsOf } from "./levels";
import { blockBits, codedBlocks, plainBlocks } from "./model-shape";

/** 16 bits of every 16-bit lane to 16 lanes of 8 bits, all ones or none. */
function spread(bits: v128): v128 {
  const places = i8x16(1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128);
  const bytes = v128.shuffle<u8>(bits, bits, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
  return i8x16.eq(v128.and(bytes, places), places);
}

/** Twice the number, and the bit of a lane that is all ones or none. */
function append(numbers: v128, bit: v128): v128 {
  return i8x16.sub(i8x16.add(numbers, numbers), bit);
}

/**
 * The levels of a row.
 *
 * @param row     its code; up to 7 bytes behind it are read and not used
 * @param levels  i8 for each of the P + T blocks' dimensions, overwritten
 */
export function decodeLevels(row: usize, levels: usize): void {
  const coded = codedBlocks;
  const plain = plainBlocks;
  let planes = row + (coded << 1);
  let out = levels + (plain << 4);
  let inputs: u64 = 0;
  let low: u64 = 0;
  let high: u64 = 0;
  for (let t = 0; t < coded; t++) {
    if ((t & 3) === 0) {
      const before = inputs;
      inputs = load<u64>(row + (t << 1));
      low = (inputs << 2) | (before >> 62);
      high = inputs ^ ((inputs << 1) | (before >> 63)) ^ ((inputs << 3) | (before >> 61));
    }
    const bits = blockBits(plain + t);
    let numbers = i8x16.splat(0);
    for (let b = 1; b < bits; b++) {
      numbers = append(numbers, spread(v128.load16_splat(planes)));
      planes += 2;
    }
    numbers = append(append(numbers, spread(i16x8.splat(<i16>high))), spread(i16x8.splat(<i16>low)));
    low >>= 16;
    high >>= 16;
    v128.store(out, levelsOf(numbers, bits));
    out += 16;
  }
  memory.copy(levels, planes, plain << 4);
}

/**
 * The code of a row.
 *
 * @param inputs   a byte for each coded dimension: s_t
 * @param numbers  a byte for each: the level's number
 * @param plain    i8 for each dimension of the plain blocks
 * @param row      overwritten
 */
export function packRow(inputs: usize, numbers: usize, plain: usize, row: usize): void {
  let planes = row + (codedBlocks << 1);
  for (let t = 0; t < codedBlocks; t++) {
    store<u16>(row + (t << 1), plane(v128.load(inputs + (t << 4)), 0));
    const levels = v128.load(numbers + (t << 4));
    for (let bit = blockBits(plainBlocks + t); bit > 1; bit--) {
      store<u16>(planes, plane(levels, bit));
      planes += 2;
    }
  }
  memory.copy(planes, plain, plainBlocks << 4);
}

/** One bit of 16 bytes. */
function plane(bytes: v128, bit: i32): u16 {
  return <u16>i8x16.bitmask(i8x16.shl(bytes, 7 - bit));
}
