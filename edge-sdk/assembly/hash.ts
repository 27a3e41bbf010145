/**
 * MurmurHash3_x86_32 over any bytes: a check for drift between two ends, not for malice.
 *
 * @param seed  0 for a plain hash, or the hash of what came before to chain several parts
 * @param at    first byte; need not be aligned
 * @param length  bytes, >= 0
 * @see Austin Appleby, MurmurHash3.cpp, MurmurHash3_x86_32 (public domain, 2011)
 */
export function hashBytes(seed: u32, at: usize, length: i32): u32 {
  return hashEnd(seed, at, length, length);
}

/** Take whole words into a hash that `hashEnd` ends. Range: bytes is a multiple of 4 */
export function hashWords(h: u32, at: usize, bytes: i32): u32 {
  for (const end = at + bytes; at != end; at += 4) {
    h ^= scramble(load<u32>(at));
    h = rotl<u32>(h, 13) * 5 + 0xe6546b64;
  }
  return h;
}

/** Take the last `length` bytes, and end. @param whole  bytes that were taken in all, with those of `hashWords` before */
export function hashEnd(h: u32, at: usize, length: i32, whole: i32): u32 {
  const words = length & ~3;
  h = hashWords(h, at, words);
  at += words;
  let tail: u32 = 0;
  for (let left = length & 3; left != 0; ) {
    left--;
    tail = (tail << 8) | load<u8>(at + left);
  }
  h ^= scramble(tail);
  h ^= <u32>whole;
  h = (h ^ (h >> 16)) * 0x85ebca6b;
  h = (h ^ (h >> 13)) * 0xc2b2ae35;
  return h ^ (h >> 16);
}

function scramble(word: u32): u32 {
  return rotl<u32>(word * 0xcc9e2d51, 15) * 0x1b873593;
}
