import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { afterAll, beforeAll, expect, test } from "vitest";
import { seededRandom } from "../../jobs/seeded-random.ts";
import { type CsvForm, readRows } from "./csv-lines.ts";
import { decimalsOf } from "./time-text.ts";

const SEED = "rows";
const FORM = { delimiter: ",", lineEnds: ["\r\n", "\n"] };
/** Cells of a row that is asked for. */
const WIDTH = 3;
/** Longer than what is read at once. */
const LONG = 300_000;
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lockstep-csv-"));
});
afterAll(() => rm(folder, { recursive: true }));

interface Row {
  readonly cells: number;
  readonly texts: readonly string[];
  readonly numbers: readonly number[];
  readonly decimals: readonly number[];
}

async function rowsOf(text: string, form: CsvForm = FORM): Promise<{ readonly rows: Row[]; readonly readTo: number }> {
  const file = join(folder, "rows.csv");
  await writeFile(file, text);
  const rows: Row[] = [];
  const columns = [0, 1, 2];
  let readTo = 0;
  for await (const some of readRows(file, form, WIDTH)) {
    ({ readTo } = some);
    while (some.next()) {
      const numbers = columns.map((c) => ({ value: some.number(c), decimals: some.decimals }));
      rows.push({
        cells: some.cells,
        texts: columns.map((c) => some.text(c)),
        numbers: numbers.map(({ value }) => value),
        decimals: numbers.map(({ decimals }) => decimals),
      });
    }
  }
  return { rows, readTo };
}

/** The same by csv-parse alone, and by JavaScript's own reading of numbers. */
function wanted(text: string): Row[] {
  const options = { bom: true, trim: true, skip_empty_lines: true, relax_column_count: true } as const;
  const rows: string[][] = parse(text, { ...options, record_delimiter: ["\r\n", "\n"] });
  return rows.map((row) => {
    const texts = Array.from({ length: WIDTH }, (_, c) => row[c] ?? "");
    const numbers = texts.map((cell) => (cell.trim() === "" ? Number.NaN : Number(cell)));
    return {
      cells: row.length,
      texts,
      numbers: numbers.map((value) => (Number.isFinite(value) ? value : Number.NaN)),
      decimals: texts.map(decimalsOf),
    };
  });
}

const CELLS = [
  "",
  " ",
  "-0",
  "1.",
  ".5",
  "+3",
  "1e-3",
  "-1.5E2",
  "nan",
  "0x10",
  "1_0",
  "--1",
  "1.2.3",
  "-",
  "\u00a07\u00a0",
];
const MORE = [
  "9007199254740993",
  "0.1234567890123456789",
  "000000000000001.5",
  " 4.25\t",
  "\u00e9",
  "1\r",
  "Infinity",
  "12:30",
];

test(`a row's cells and numbers are what csv-parse and JavaScript read, bit for bit; seed "${SEED}"`, async () => {
  const next = seededRandom(SEED);
  const random = () => next() / 2 ** 32;
  const odd = [...CELLS, ...MORE];
  const cell = () => {
    const digits = Math.floor(random() * 12);
    if (random() < 0.3) return odd[Math.floor(random() * odd.length)] ?? "";
    return ((random() - 0.5) * 10 ** Math.floor(random() * 9)).toFixed(digits);
  };
  const lines = Array.from({ length: 15_000 }, () => {
    if (random() < 0.02) return "  ";
    const count = random() < 0.05 ? Math.floor(random() * 6) : WIDTH;
    return Array.from({ length: count }, cell).join(",") + (random() < 0.1 ? "\r" : "");
  });
  for (const text of [`\ufeff${lines.join("\n")}`, `${lines.join("\n")}\n`]) {
    expect(Buffer.byteLength(text)).toBeGreaterThan(LONG);
    expect(await rowsOf(text)).toEqual({ rows: wanted(text), readTo: Buffer.byteLength(text) });
  }
});

const PLAIN_LINE = `1,2,${"0".repeat(100)}3\n`;
const PLAIN = PLAIN_LINE.repeat(LONG / PLAIN_LINE.length);

test.for([
  ["a quote in the middle of the file", `${PLAIN}4,"5,\n""6",7\n${PLAIN}`],
  ["a quote in the first line", `"a",b\n${PLAIN}`],
  ["a line that is longer than what is read at once", `${PLAIN}${"8".repeat(LONG)},9\n${PLAIN}`],
  ["no line end at all", "1,2"],
  ["nothing", ""],
  ["only line ends", "\r\n\n\r\n"],
] as const)("of a file with %s every row is read once", async ([, text]) => {
  expect((await rowsOf(text)).rows).toEqual(wanted(text));
});

test("a file whose lines end as csv-parse finds out is left to it", async () => {
  const { rows } = await rowsOf("1,2\r3,4\r", { delimiter: ",", lineEnds: undefined });
  expect(rows.map(({ numbers }) => numbers.slice(0, 2))).toEqual([
    [1, 2],
    [3, 4],
  ]);
});
