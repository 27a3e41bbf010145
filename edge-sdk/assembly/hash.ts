/**
 * MurmurHash3_x86_32 over any bytes: a check for drift between two ends, not for malice.
 *
 * @param seed  0 for a plain hash, or the hash of what came before to chain several parts
 * @param at    first byte; need not be aligned
 * @param length  bytes, >= 0
 * @see Austin Appleby, MurmurHash3.cpp, MurmurHash3_x86_32 (public domain, 2011)
 */
export function hashBytes(seed: u32, at: usize, length: i32): u32 {
  const c1: u32 = 0xcc9e2d51;
  const c2: u32 = 0x1b873593;
  let h = seed;
  for (const end = at + (length & ~3); at != end; at += 4) {
    h ^= rotl<u32>(load<u32>(at) * c1, 15) * c2;
    h = rotl<u32>(h, 13) * 5 + 0xe6546b64;
  }
  let tail: u32 = 0;
  for (let left = length & 3; left != 0; ) {
    left--;
    tail = (tail << 8) | load<u8>(at + left);
  }
  h ^= rotl<u32>(tail * c1, 15) * c2;
  h ^= <u32>length;
  h = (h ^ (h >> 16)) * 0x85ebca6b;
  h = (h ^ (h >> 13)) * 0xc2b2ae35;
  return h ^ (h >> 16);
}
