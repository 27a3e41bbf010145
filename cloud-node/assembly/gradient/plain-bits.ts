/** Bits as they are, the lowest first, in words of 32. Zeros are read beyond the end. */
let writeAt: usize = 0;
let written: u64 = 0;
let writtenBits: u32 = 0;
let readAt: usize = 0;
let readFrom: usize = 0;
let readEnd: usize = 0;
let ahead: u64 = 0;
let aheadBits: u32 = 0;

/** Begin to write; whoever writes knows that there is room. */
export function openBitWriter(at: usize): void {
  writeAt = at;
  written = 0;
  writtenBits = 0;
}

/** Range: count <= 32, value < 2^count. */
export function writeBits(value: u32, count: u32): void {
  written |= (<u64>value) << writtenBits;
  writtenBits += count;
  if (writtenBits < 32) return;
  store<u32>(writeAt, <u32>written);
  writeAt += 4;
  written >>= 32;
  writtenBits -= 32;
}

/** @returns behind the last byte */
export function closeBitWriter(): usize {
  store<u32>(writeAt, <u32>written);
  return writeAt + <usize>((writtenBits + 7) >> 3);
}

/** Begin to read bytes from `at` up to `end`. */
export function openBitReader(at: usize, end: usize): void {
  readAt = readFrom = at;
  readEnd = end;
  ahead = 0;
  aheadBits = 0;
  refill();
}

function refill(): void {
  let word: u32 = 0;
  if (readAt + 4 <= readEnd) word = load<u32>(readAt);
  else for (let i: u32 = 0; i < 4; i++) if (readAt + i < readEnd) word |= (<u32>load<u8>(readAt + i)) << (8 * i);
  ahead |= (<u64>word) << aheadBits;
  aheadBits += 32;
  readAt += 4;
}

/** Mirror of `writeBits`. Range: count <= 16. */
export function readBits(count: u32): u32 {
  const value = <u32>ahead & ((1 << count) - 1);
  ahead >>= <u64>count;
  aheadBits -= count;
  if (aheadBits < 32) refill();
  return value;
}

/** Behind the last byte of which a bit was read; beyond the end where too many were. */
export function bitsReadTo(): usize {
  const bits = ((<u64>(readAt - readFrom)) << 3) - aheadBits;
  return readFrom + <usize>((bits + 7) >> 3);
}
