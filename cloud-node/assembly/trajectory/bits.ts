/**
 * Bits in a row, least significant first: what a block's head is written in, and what follows its tokens.
 *
 * Exp-Golomb of order k codes v as the quotient (v >> k) + 1, its length in zeros before it, and the k bits below.
 */
let cursor: usize = 0;
let limit: usize = 0;
let held: u32 = 0;
let isOver: bool = false;

/** Begin at `at`; nothing at or beyond `end` is written or read. Written bytes must be zero before. */
export function openBits(at: usize, end: usize): void {
  cursor = at;
  limit = end;
  held = 0;
  isOver = false;
}

/** Append the low `count` bits of `value`. Range: 0 <= count <= 32. */
export function putBits(value: u32, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    if (cursor >= limit) {
      isOver = true;
      return;
    }
    const bit = (value >> i) & 1;
    store<u8>(cursor, <u8>((held == 0 ? 0 : <u32>load<u8>(cursor)) | (bit << held)));
    held += 1;
    if (held == 8) {
      held = 0;
      cursor += 1;
    }
  }
}

/** The next `count` bits; zeros beyond the end, which `isBitsOver` then tells. */
export function getBits(count: u32): u32 {
  let value: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    if (cursor >= limit) {
      isOver = true;
      return 0;
    }
    value |= ((<u32>load<u8>(cursor) >> held) & 1) << i;
    held += 1;
    if (held == 8) {
      held = 0;
      cursor += 1;
    }
  }
  return value;
}

/** Range: value < 2^31. */
export function putGolomb(value: u32, order: u32): void {
  const quotient = (value >> order) + 1;
  const length = 31 - clz(quotient);
  putBits(0, length);
  putBits(1, 1);
  putBits(quotient, length);
  putBits(value, order);
}

/** As written by `putGolomb`. */
export function getGolomb(order: u32): u32 {
  let length: u32 = 0;
  while (length < 31 && !isOver && getBits(1) == 0) length += 1;
  const quotient = ((1 << length) | getBits(length)) - 1;
  return (quotient << order) | getBits(order);
}

/** Fill up the byte in hand. @returns where the next one is */
export function closeBits(): usize {
  return cursor + <usize>(held > 0);
}

/** Whether more was written or read than there was room for. */
export function isBitsOver(): bool {
  return isOver;
}
