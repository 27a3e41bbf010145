import { expect, test } from "vitest";
import { seededRandom } from "./dump-text.suite.ts";
import { loadRowKernel } from "./row-kernel.ts";

const kernel = loadRowKernel();
const SEED = Number(process.env.SEED ?? 20_261_122);

/** The kernel's value of each text, as a column of its own row; undefined where it refuses. */
function parseAll(texts: readonly string[]): { values: number[]; isWhole: boolean } {
  kernel.beginFrame([false]);
  const values: number[] = [];
  for (let at = 0; at < texts.length; ) {
    const part = texts.slice(at, at + 1000);
    const length = kernel.text.write(`${part.join("\n")}\n`, "latin1");
    for (let start = 0; start < length; ) {
      const { rows, end, problem } = kernel.take(start, length, texts.length);
      if (problem !== undefined)
        throw new RangeError(`${problem.kind} at ${kernel.text.toString("latin1", problem.at, problem.at + 40)}`);
      values.push(...kernel.values(0, rows));
      start = end;
    }
    at += part.length;
  }
  return { values, isWhole: kernel.isWhole(0) };
}

function expectExact(texts: readonly string[]): void {
  const { values } = parseAll(texts);
  expect(values.length).toBe(texts.length);
  const wrong = texts.filter((text, i) => !Object.is(values[i], Number(text)));
  expect(wrong.slice(0, 5)).toEqual([]);
}

function digitsOf(random: () => number, count: number): string {
  return Array.from({ length: count }, () => String(random() % 10)).join("");
}

test("numbers of every length, with the point in every place, are the doubles nearest to their text", () => {
  const random = seededRandom(SEED);
  const texts: string[] = [];
  for (let length = 1; length <= 40; length++) {
    for (let point = 0; point <= length; point++) {
      const digits = digitsOf(random, length);
      texts.push(`${digits.slice(0, point)}.${digits.slice(point)}`, `-${digits}`, `+${digits}e-${point}`);
    }
  }
  expectExact(texts);
});

test("random doubles of all magnitudes come back from 1 to 21 significant digits", () => {
  const random = seededRandom(SEED + 1);
  const bits = new DataView(new ArrayBuffer(8));
  const texts: string[] = [];
  while (texts.length < 60_000) {
    bits.setUint32(0, random());
    bits.setUint32(4, random());
    const value = bits.getFloat64(0);
    if (Number.isFinite(value)) texts.push(value.toExponential(random() % 21), String(value));
  }
  expectExact(texts);
});

test("texts exactly between two doubles, and a hair beside, are rounded as they must be", () => {
  const random = seededRandom(SEED + 2);
  const texts: string[] = [
    "9007199254740993",
    "9007199254740992.9999999999999999",
    "9007199254740993.0000000000000001",
  ];
  for (let i = 0; i < 3000; i++) {
    const mantissa = (1n << 53n) + (BigInt(random()) << 20n) + BigInt(random() % (1 << 20));
    const middle = (mantissa * 2n + 1n) * 2n ** BigInt(random() % 60);
    texts.push(String(middle), `${middle}.000000000000000000001`, String(middle - 1n), `${middle}e-30`);
    const half = String((2n * BigInt(random()) + 1n) * 5n ** BigInt(random() % 25));
    texts.push(`${half}e-${random() % 40}`, `${mantissa * 5n}e-1`);
  }
  expectExact(texts);
});

test("zeros, powers of ten from end to end, and exponents beyond them are what Number says", () => {
  const texts = ["0", "-0", "0.0", "-0.0e5", "000", "0e99999999", "00000000000000000000000001.5", ".5", "5.", "-5.e3"];
  for (let power = -400; power <= 400; power++)
    texts.push(`1e${power}`, `9.999999999999999999e${power}`, `-17E${power}`);
  texts.push(
    `0.${"0".repeat(400)}1e401`,
    `1${"0".repeat(400)}e-400`,
    "1e18446744073709551617",
    "1e-18446744073709551617",
  );
  texts.push(`0.${"0".repeat(150_000)}25e150000`);
  expectExact(texts);
});

test("nan and inf are numbers, in any case, with a sign", () => {
  const texts = ["nan", "NaN", "-nan", "inf", "-inf", "Infinity", "-INFINITY", "+inf"];
  const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
  expect(parseAll(texts).values).toEqual([nan, nan, nan, inf, -inf, inf, -inf, inf]);
});

test.each([
  "x",
  "1x",
  "1.2.3",
  "--1",
  "+-1",
  "-",
  "+",
  ".",
  "-.",
  "e5",
  "1e",
  "1e+",
  "1e5.",
  "1,5",
  "0x10",
  "1_0",
  "nano",
  "in",
  "infinit",
  "1234567890123456x",
  "1d5",
  "١",
  "1\u0000",
])("%j is no number", (text) => {
  kernel.beginFrame([false]);
  const length = kernel.text.write(`7\n${text}\n`);
  const taken = kernel.take(0, length, 10);
  expect(taken).toEqual({ rows: 1, end: 2, problem: { kind: "not-a-number", column: 0, at: 2 } });
});

test.each([
  [["1", "-2", "+3", "0", "007", "9007199254740991"], true],
  [["1", "-0"], false],
  [["1", "2."], false],
  [["1", "2e0"], false],
  [["1", "nan"], false],
  [["1", "9007199254740992"], false],
  [["1", "123456789012345678901234567890"], false],
] as const)("whole numbers are told from others: %j %j", (texts, isWhole) => {
  expect(parseAll(texts).isWhole).toBe(isWhole);
});

test("rows may be indented, parted by several blanks and tabs, and end with blanks or a carriage return", () => {
  kernel.beginFrame([false, true, false]);
  const length = kernel.text.write(" 1  C\t2 \r\n3 Na 4\n\t5 x 6\t\n");
  expect(kernel.take(0, length, 10)).toEqual({ rows: 3, end: length, problem: undefined });
  expect([...kernel.values(0, 3), ...kernel.values(2, 3)]).toEqual([1, 3, 5, 2, 4, 6]);
  const spans = kernel.spans(1, 3);
  const words = [0, 1, 2].map((row) => {
    const offset = spans[2 * row] ?? 0;
    return kernel.text.toString("latin1", offset, offset + (spans[2 * row + 1] ?? 0));
  });
  expect(words).toEqual(["C", "Na", "x"]);
});

test("a row with a cell too few or too many stops before it", () => {
  kernel.beginFrame([false, false]);
  const length = kernel.text.write("1 2\n3\n");
  expect(kernel.take(0, length, 10)).toEqual({ rows: 1, end: 4, problem: { kind: "row-short", column: 1, at: 5 } });
  const longer = kernel.text.write("1 2\n3 4 5\n");
  expect(kernel.take(0, longer, 10)).toEqual({ rows: 1, end: 4, problem: { kind: "row-long", column: 2, at: 8 } });
});

test("more rows than a tile, and more hard numbers than are held, are taken in several goes", () => {
  kernel.beginFrame([false, true, false]);
  const row = "1.5e-310 w 2.5e-310\n";
  const length = kernel.text.write(row.repeat(12_000));
  let rows = 0;
  for (let start = 0; start < length; ) {
    const taken = kernel.take(start, length, 12_000);
    expect(taken.problem).toBeUndefined();
    expect(kernel.values(0, taken.rows).every((value) => value === 1.5e-310)).toBe(true);
    expect(kernel.values(2, taken.rows).every((value) => value === 2.5e-310)).toBe(true);
    const spans = kernel.spans(1, taken.rows);
    expect(spans.every((span, i) => (i % 2 === 1 ? span === 1 : span === start + (i / 2) * row.length + 9))).toBe(true);
    rows += taken.rows;
    start = taken.end;
  }
  expect([length, rows]).toEqual([12_000 * row.length, 12_000]);
  expectExact(Array.from({ length: 40_000 }, (_, i) => `${i}.12345678901234567890123e-310`));
});

test.each([1, 2, 9, 100, 1024])("%i columns keep apart", (columns) => {
  kernel.beginFrame(Array.from({ length: columns }, () => false));
  const row = Array.from({ length: columns }, (_, i) => `${i}.5`).join(" ");
  const length = kernel.text.write(`${row}\n`.repeat(8));
  const { rows } = kernel.take(0, length, 8);
  expect(rows).toBe(8);
  for (let column = 0; column < columns; column++) {
    expect([...kernel.values(column, rows)]).toEqual(Array.from({ length: 8 }, () => column + 0.5));
  }
});
