import { expect, test } from "vitest";
import { SEED, SeededNoise } from "./codec-signals.suite.ts";
import { compileSource } from "./compiled-source.suite.ts";

/** The functions of fixed-point.ts by themselves, which no module of ours exports. */
interface FixedPoint {
  divide(a: bigint, b: bigint): bigint;
  floorDivide(a: bigint, b: bigint): bigint;
  saturate(value: bigint): number;
}

const fixedPoint = compileSource<FixedPoint>("../assembly/fixed-point.ts");
const LARGEST = 2n ** 63n - 1n;

/** The floor of a quotient, which BigInt rounds towards zero. */
function floorOf(a: bigint, b: bigint): bigint {
  const q = a / b;
  return a % b < 0n ? q - 1n : q;
}

/** Powers of two and their neighbours: where digits, shifts and estimates change. */
function edges(): bigint[] {
  const found = new Set<bigint>();
  for (let bit = 0n; bit <= 63n; bit++) {
    for (const near of [-2n, -1n, 0n, 1n, 2n]) found.add(2n ** bit + near);
    found.add((2n ** bit * 2n) / 3n);
    found.add(2n ** bit + 2n ** (bit / 2n));
  }
  return [...found].filter((value) => value >= 0n && value <= LARGEST);
}

test("a quotient by 32-bit divisions is the floor, at every edge of both operands", () => {
  const values = edges();
  expect(values.length).toBeGreaterThan(300);
  for (const a of values) {
    for (const b of values) {
      if (b > 0n && fixedPoint.divide(a, b) !== a / b) expect.fail(`${a} / ${b} is ${fixedPoint.divide(a, b)}`);
    }
  }
});

test("a quotient by 32-bit divisions is the floor next to every multiple of the divisor, whatever their sizes", () => {
  const noise = new SeededNoise(SEED);
  const random = (bits: number) => ((BigInt(noise.uint32()) << 32n) | BigInt(noise.uint32())) >> BigInt(64 - bits);
  for (let i = 0; i < 50_000; i++) {
    const bits = 1 + (noise.uint32() % 63);
    const b = random(bits) | 1n;
    const multiple = random(1 + (noise.uint32() % (64 - bits))) * b;
    for (const a of [multiple - 1n, multiple, multiple + 1n, multiple + b - 1n, random(63)]) {
      if (a < 0n || a > LARGEST) continue;
      if (fixedPoint.divide(a, b) !== a / b) expect.fail(`${a} / ${b} is ${fixedPoint.divide(a, b)}, seed ${SEED}`);
      for (const signed of [a, -a]) {
        const q = fixedPoint.floorDivide(signed, b);
        if (q !== floorOf(signed, b)) expect.fail(`floor(${signed} / ${b}) is ${q}, seed ${SEED}`);
      }
    }
  }
});

test("saturation leaves an int32 as it is and sends the rest to the nearer end", () => {
  const limit = 2n ** 31n;
  for (const value of edges().flatMap((size) => [size, -size])) {
    const nearest = value >= limit ? limit - 1n : value < -limit ? -limit : value;
    expect(fixedPoint.saturate(value), `${value}`).toBe(Number(nearest));
  }
});
