/**
 * The shape of the model in memory. The host describes it once to each instance; nothing here changes afterwards.
 */

/** d rounded up to whole blocks of 16. */
export let paddedD: i32 = 0;
/** Blocks of 16 dimensions with 8 bits each, the first ones. */
export let plainBlocks: i32 = 0;
/** Blocks with 1 to 5 bits each, behind them. */
export let codedBlocks: i32 = 0;
let bitsOfBlocks: usize = 0;

/** @param bits  a byte for each of the paddedD / 16 blocks, by falling bits; stays the caller's, unchanged */
export function setShape(dimensions: i32, plain: i32, coded: i32, bits: usize): void {
  paddedD = dimensions;
  plainBlocks = plain;
  codedBlocks = coded;
  bitsOfBlocks = bits;
}

export function blockBits(block: i32): i32 {
  return load<u8>(bitsOfBlocks + block);
}
