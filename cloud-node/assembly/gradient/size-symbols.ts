/**
 * Sizes of codes as 16 symbols: below 8 each its own, beyond it two to an octave with the bits below as they are.
 *
 *     size      0 … 7    8-11   12-15   16-23   24-31   32-47   48-63   64-95   96-127
 *     symbol    0 … 7    8      9       10      11      12      13      14      15
 *     bits      0        2      2       3       3       4       4       5       5
 */
export const SYMBOLS: i32 = 16;
export const LARGEST_SIZE: i32 = 127;
const EXACT: i32 = 8;

/** By size: symbol and bits, a byte each. */
const OF_SIZE: usize = memory.data(128 * 2, 16);

/** By symbol: bits and the smallest size, a byte each. */
const OF_SYMBOL: usize = memory.data(16 * 2, 16);

/** Make the tables, once. */
export function openSizes(): void {
  if (load<u8>(OF_SIZE + 2) != 0) return;
  for (let size = LARGEST_SIZE; size >= 0; size--) {
    const octave = 31 - <i32>clz<u32>(size | 1);
    const isExact = size < EXACT;
    const symbol = <usize>(isExact ? size : symbolFrom(octave, size));
    const below = <u8>(isExact ? 0 : octave - 1);
    const ofSize = OF_SIZE + ((<usize>size) << 1);
    store<u8>(ofSize, <u8>symbol);
    store<u8>(ofSize, below, 1);
    // From above: the smallest one is the last.
    store<u8>(OF_SYMBOL + (symbol << 1), below);
    store<u8>(OF_SYMBOL + (symbol << 1), <u8>size, 1);
  }
}

function symbolFrom(octave: i32, size: i32): i32 {
  return EXACT + ((octave - 3) << 1) + ((size >> (octave - 1)) & 1);
}

/** Symbol of a size, with the bits below it in the byte above. */
export function symbolOf(size: i32): u32 {
  return <u32>load<u16>(OF_SIZE + ((<usize>size) << 1));
}

/** How many bits follow a symbol. */
export function bitsBelow(symbol: i32): u32 {
  return <u32>load<u8>(OF_SYMBOL + ((<usize>symbol) << 1));
}

/** The smallest size of a symbol. */
export function firstSize(symbol: i32): i32 {
  return <i32>load<u8>(OF_SYMBOL + ((<usize>symbol) << 1), 1);
}
