import { randomFillSync } from "node:crypto";

/** Where random numbers come from: passed in, so that a run can be repeated from its seed. */
export interface RandomSource {
  /** The next 32 random bits, 0 … 2³²−1. */
  uint32(): number;
}

/** The operating system's random numbers; for nonces and back-off in production. */
export function systemRandom(): RandomSource {
  const word = new Uint32Array(1);
  return { uint32: () => randomFillSync(word)[0] ?? 0 };
}

/** A number in [0, 1) with 32 random bits. */
export function uniform(random: RandomSource): number {
  return random.uint32() / 2 ** 32;
}
