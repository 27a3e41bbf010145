const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

/**
 * MurmurHash3_x86_32: a fast, non-cryptographic hash of 32 bits.
 *
 * @param seed  u32
 * @returns u32
 * @see Appleby 2011, MurmurHash3.cpp, MurmurHash3_x86_32; the letters h, k, C1, C2 are its own
 */
export function murmur3(seed: number, bytes: Uint8Array): number {
  const wholeBytes = bytes.length & ~3;
  let h = seed | 0;
  for (let i = 0; i < wholeBytes; i += 4) {
    const k = at(bytes, i) | (at(bytes, i + 1) << 8) | (at(bytes, i + 2) << 16) | (at(bytes, i + 3) << 24);
    h = mixWord(h, k);
  }
  if (wholeBytes < bytes.length) {
    let k = 0;
    for (let i = bytes.length - 1; i >= wholeBytes; i--) {
      k = (k << 8) | at(bytes, i);
    }
    h ^= scramble(k);
  }
  return finalize(h, bytes.length);
}

/** {@link murmur3} of u32 words laid down little-endian. */
export function murmur3Words(seed: number, words: readonly number[]): number {
  let h = seed | 0;
  for (const word of words) {
    h = mixWord(h, word | 0);
  }
  return finalize(h, 4 * words.length);
}

function mixWord(h: number, k: number): number {
  const mixed = h ^ scramble(k);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function scramble(k: number): number {
  const scaled = Math.imul(k, C1);
  return Math.imul((scaled << 15) | (scaled >>> 17), C2);
}

function finalize(hash: number, lengthBytes: number): number {
  let h = hash ^ lengthBytes;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function at(bytes: Uint8Array, i: number): number {
  return bytes[i] ?? 0;
}
