import { expect, test } from "vitest";
import { seededRandom } from "./dump-text.suite.ts";
import { boxText, NUMBER_BYTES, realText, writeInteger } from "./number-text.ts";

const SEED = Number(process.env.SEED ?? 20_261_122);

function integerText(value: number): string {
  const out = Buffer.alloc(NUMBER_BYTES);
  return out.toString("latin1", 0, writeInteger(value, out, 0));
}

test.each([
  [0, "0"],
  [-0, "-0"],
  [1, "1"],
  [-12.5, "-12.5"],
  [0.0477842, "0.0477842"],
  [16.6381, "16.6381"],
  [0.5, "0.5"],
  [100000, "100000"],
  [999999, "999999"],
  [1e6, "1e+06"],
  [-1.5e6, "-1.5e+06"],
  [1234567, "1234567"],
  [1e17, "1e+17"],
  [123456789012345680, "1.2345678901234568e+17"],
  [0.0001, "0.0001"],
  [0.000123456, "0.000123456"],
  [0.00001, "1e-05"],
  [1.04083e-17, "1.04083e-17"],
  [5e-324, "5e-324"],
  [1.7976931348623157e308, "1.7976931348623157e+308"],
  [1 / 3, "0.3333333333333333"],
  [0.1 + 0.2, "0.30000000000000004"],
  [2 / 3 / 1000, "0.0006666666666666666"],
  [2 ** 40 + 0.5, "1099511627776.5"],
  [Number.NaN, "nan"],
  [Number.NEGATIVE_INFINITY, "-inf"],
] as const)("%d is written as %%g would, in as many digits as it needs: %s", (value, text) => {
  expect(realText(value)).toBe(text);
});

test.each([
  [0, "0"],
  [-1, "-1"],
  [2147483647, "2147483647"],
  [-2147483648, "-2147483648"],
  [2147483648, "2147483648"],
  [1000000, "1000000"],
  [Number.MAX_SAFE_INTEGER, "9007199254740991"],
  [-0, "-0"],
  [1.5, "1.5"],
  [1e300, "1e+300"],
] as const)("%d is written as %%d would: %s", (value, text) => {
  expect(integerText(value)).toBe(text);
});

test.each([
  [16.795961913825074, "1.6795961913825074e+01"],
  [0, "0.0000000000000000e+00"],
  [-0.5, "-5.0000000000000000e-01"],
  [1e-100, "1.0000000000000000e-100"],
] as const)("%d of a box is written with 17 digits: %s", (value, text) => {
  expect(boxText(value)).toBe(text);
});

test("every double is given back by its text, which is no longer than needed", () => {
  const random = seededRandom(SEED);
  const bits = new DataView(new ArrayBuffer(8));
  const wrong: string[] = [];
  for (let round = 0; round < 50_000; round++) {
    bits.setUint32(0, random());
    bits.setUint32(4, random());
    const digits = 1 + (random() % 17);
    const wild = bits.getFloat64(0);
    const usual = Number(((random() / 2 ** 32 - 0.5) * 10 ** (random() % 8)).toPrecision(digits));
    for (const value of [wild, usual, Number(wild.toPrecision(digits)), Math.fround(usual)]) {
      const text = realText(value);
      const isSame = Object.is(Number(text.replace("inf", "Infinity").replace("nan", "NaN")), value);
      const isLong = Number.isFinite(value) && value !== 0 && digitsOf(text) > digitsOf(value.toExponential());
      if (!isSame || isLong || text.length > NUMBER_BYTES) wrong.push(`${value} as ${text}`);
    }
  }
  expect(wrong.slice(0, 5), `seed ${SEED}`).toEqual([]);
});

/** Significant digits. */
function digitsOf(text: string): number {
  return text.replace(/e.*|[-.]/g, "").replace(/^0+|0+$/g, "").length;
}
