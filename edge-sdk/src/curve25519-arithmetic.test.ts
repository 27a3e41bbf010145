import { expect, test } from "vitest";
import { SEED, SeededNoise } from "./codec-signals.suite.ts";
import { compileSource } from "./compiled-source.suite.ts";
import { bytesNumber, L, numberBytes, P } from "./ed25519-oracle.suite.ts";

/** Arithmetic modulo p and L against BigInt, at values whose carries no signature meets by chance. */

interface Field {
  readonly memory: WebAssembly.Memory;
  readonly FIELD_REGISTERS: WebAssembly.Global;
  readonly POWER: WebAssembly.Global;
  readonly INVERSE: WebAssembly.Global;
  add(registers: number, r: number, a: number, b: number): void;
  subtract(registers: number, r: number, a: number, b: number): void;
  multiply(registers: number, r: number, a: number, b: number): void;
  freeze(registers: number, r: number): void;
  isZero(registers: number, r: number): number;
  power(registers: number, a: number, tail: number): void;
}

interface Scalar {
  readonly memory: WebAssembly.Memory;
  reduceScalar(registers: number, r: number, bytes: number, bits: number): void;
}

const field = compileSource<Field>("../assembly/field25519.ts");
const scalar = compileSource<Scalar>("../assembly/scalar25519.ts");
/** Anywhere, not aligned on purpose. */
const REGISTERS = 4099;
const REGISTER_BYTES = 32;
const FIRST = field.FIELD_REGISTERS.value;
const [A, B, R] = [FIRST, FIRST + 1, FIRST + 2] as const;
const ROUNDS = 3000;

function register(r: number): Uint8Array {
  return new Uint8Array(field.memory.buffer, REGISTERS + r * REGISTER_BYTES, REGISTER_BYTES);
}

function put(r: number, value: bigint): void {
  register(r).set(numberBytes(value));
}

function take(r: number): bigint {
  return bytesNumber(register(r));
}

/** Values below 2^256 next to where something wraps, and patterns that carry through every digit. */
function edges(): bigint[] {
  const near = [0n, P, 2n * P, 2n ** 255n, 2n ** 256n, 2n ** 32n, 2n ** 224n, 38n, 19n].flatMap((value) =>
    [-39n, -38n, -20n, -19n, -2n, -1n, 0n, 1n, 2n, 18n, 19n, 37n, 38n].map((step) => value + step),
  );
  const ones = Array.from({ length: 8 }, (_, digit) => 2n ** 256n - 2n ** BigInt(32 * digit));
  return [...new Set([...near, ...ones])].filter((value) => value >= 0n && value < 2n ** 256n);
}

function expectPair(a: bigint, b: bigint): void {
  const operations = [
    ["add", a + b],
    ["subtract", a - b],
    ["multiply", a * b],
  ] as const;
  for (const [name, exact] of operations) {
    put(A, a);
    put(B, b);
    field[name](REGISTERS, R, A, B);
    if ((take(R) - exact) % P !== 0n) expect.fail(`${name} of ${a} and ${b}, seed ${SEED}`);
    field[name](REGISTERS, A, A, B);
    if (take(A) !== take(R)) expect.fail(`${name} of ${a} and ${b} in place, seed ${SEED}`);
  }
}

test("sums, differences and products are right modulo p for every pair of values next to where something wraps", () => {
  const values = edges();
  expect(values.length).toBeGreaterThan(60);
  for (const a of values) for (const b of values) expectPair(a, b);
});

test("sums, differences and products are right modulo p for random values, whose digits are often all ones or zeros", () => {
  const noise = new SeededNoise(SEED);
  const digit = () => [0, 0xffffffff, noise.uint32(), noise.uint32()][noise.uint32() % 4] ?? 0;
  const random = () => Array.from({ length: 8 }, digit).reduce((sum, d) => (sum << 32n) | BigInt(d), 0n);
  for (let round = 0; round < ROUNDS; round++) expectPair(random(), random());
});

test("a frozen value is the smallest of those that are the same, and 0 is told from all others", () => {
  for (const value of edges()) {
    put(A, value);
    field.freeze(REGISTERS, A);
    expect(take(A), `${value}`).toBe(value % P);
    put(A, value);
    expect(field.isZero(REGISTERS, A), `${value}`).toBe(value % P === 0n ? 1 : 0);
  }
});

test("a value times its inverse is 1, and the inverse of 0 is 0", () => {
  for (const value of edges()) {
    put(A, value);
    field.power(REGISTERS, A, field.INVERSE.value);
    field.multiply(REGISTERS, R, A, field.POWER.value);
    field.freeze(REGISTERS, R);
    expect(take(R), `${value}`).toBe(value % P === 0n ? 0n : 1n);
  }
});

test("a number of 512 bits is reduced modulo L, next to every multiple that matters and at random", () => {
  const noise = new SeededNoise(SEED);
  const random = () =>
    Array.from({ length: 16 }, () => BigInt(noise.uint32())).reduce((sum, d) => (sum << 32n) | d, 0n);
  const multiples = [0n, 1n, 2n, 15n, 2n ** 128n, 2n ** 259n].flatMap((n) => [n * L - 1n, n * L, n * L + 1n]);
  const values = [...multiples, 2n ** 512n - 1n, 2n ** 256n - 1n, ...Array.from({ length: 300 }, random)];
  const bytes = new Uint8Array(scalar.memory.buffer);
  for (const value of values.filter((one) => one >= 0n && one < 2n ** 512n)) {
    bytes.set([...numberBytes(value % 2n ** 256n), ...numberBytes(value >> 256n)], 0);
    scalar.reduceScalar(REGISTERS, FIRST, 0, 512);
    const at = REGISTERS + FIRST * REGISTER_BYTES;
    expect(bytesNumber(bytes.slice(at, at + REGISTER_BYTES)), `${value}, seed ${SEED}`).toBe(value % L);
  }
});
