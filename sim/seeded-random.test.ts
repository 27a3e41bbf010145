import { expect, test } from "vitest";
import { seededRandom, splitMix64 } from "./seeded-random.ts";

const MASK32 = (1n << 32n) - 1n;
const rotate = (x: bigint, k: bigint) => ((x << k) | (x >> (32n - k))) & MASK32;

/** xoshiro128** as its authors write it, in big integers. */
function* reference(seed: bigint): Generator<number> {
  const mix = splitMix64(seed);
  const [a, b] = [mix(), mix()];
  const s = [a & MASK32, a >> 32n, b & MASK32, b >> 32n] as [bigint, bigint, bigint, bigint];
  for (;;) {
    const t = (s[1] << 9n) & MASK32;
    yield Number((rotate((s[1] * 5n) & MASK32, 7n) * 9n) & MASK32);
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 11n);
  }
}

test("SplitMix64 gives its published sequence", () => {
  const next = splitMix64(1234567n);
  expect([next(), next(), next()]).toEqual([6457827717110365317n, 3203168211198807973n, 9817491932198370423n]);
});

test("the generator equals xoshiro128** computed in big integers", () => {
  for (const seed of [0n, 1n, 2n ** 64n - 1n, 0xdeadbeefn]) {
    const random = seededRandom(seed);
    const expected = reference(seed);
    for (let i = 0; i < 1000; i += 1) expect(random.uint32()).toBe(expected.next().value);
  }
});

test("the same seed gives the same numbers, another seed or purpose gives others", () => {
  const draw = (random: { uint32(): number }) => Array.from({ length: 4 }, () => random.uint32());
  expect(draw(seededRandom(5))).toEqual(draw(seededRandom(5)));
  expect(draw(seededRandom(5))).not.toEqual(draw(seededRandom(6)));
  expect(draw(seededRandom(5).fork("a"))).toEqual(draw(seededRandom(5).fork("a")));
  expect(draw(seededRandom(5).fork("a"))).not.toEqual(draw(seededRandom(5).fork("b")));
});

test("a fork does not depend on what was drawn before it", () => {
  const random = seededRandom(9);
  const before = random.fork("x").uint32();
  random.gaussian();
  expect(random.fork("x").uint32()).toBe(before);
});

test("normal numbers have mean 0, variance 1, and tails of the right weight", () => {
  const random = seededRandom(42);
  const n = 100_000;
  let [sum, squares, beyond2] = [0, 0, 0];
  for (let i = 0; i < n; i += 1) {
    const x = random.gaussian();
    sum += x;
    squares += x * x;
    beyond2 += Math.abs(x) > 2 ? 1 : 0;
  }
  // Five standard errors of each estimate; the seed is fixed, so this holds or fails for good.
  expect(Math.abs(sum / n)).toBeLessThan(5 / Math.sqrt(n));
  expect(Math.abs(squares / n - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
  expect(Math.abs(beyond2 / n - 0.0455)).toBeLessThan(5 * Math.sqrt(0.0455 / n));
});
