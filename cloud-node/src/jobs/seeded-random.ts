import { createHash } from "node:crypto";

/**
 * Numbers that are the same for the same seed: xoshiro128**.
 *
 * @param seed  any text
 * @returns gives the next u32
 * @see Blackman, Vigna, "Scrambled linear pseudorandom number generators" (2021), section 4
 */
export function seededRandom(seed: string): () => number {
  const digest = createHash("sha256").update(seed).digest();
  let [s0, s1, s2, s3] = [0, 4, 8, 12].map((at) => digest.readUInt32LE(at)) as [number, number, number, number];
  return () => {
    const result = Math.imul(rotated(Math.imul(s1, 5), 7), 9) >>> 0;
    const shifted = s1 << 9;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= shifted;
    s3 = rotated(s3, 11);
    return result;
  };
}

function rotated(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}
