import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { asOneLine, figuresIn, placesOf } from "./document-figures.ts";
import { findCell, findCells, statedNumber } from "./figure-cell.ts";
import { readFigures } from "./figures.ts";
import { readResultPage } from "./result-page.ts";
import { statedFigures } from "./stated-figures.ts";
import { isHeld } from "./steadiness.ts";

const TEXT = `# Bytes

\`npm run bench -- wire --write\`, 2026-11-21, on a processor, 2 cores, Node 24.

| goal | measured | must | aim | |
|---|---|---|---|---|
| payload, frames of 1 s | 538 x | >= 292 x | 500 x | met |

## The rotor's first 60 s, from cold

| frame | over | payload x |
|---|---|---:|
| 1 s | MQTT | 538 |
| 1 s | TCP | 538 |
`;
const PAGE = readResultPage("wire", TEXT);

function figures(...entries: readonly (readonly string[])[]): string {
  return JSON.stringify({ figures: { "README.md": entries }, whole: {} });
}

test("numbers with a unit and numeric cells are figures; code, links and bare whole numbers are none", () => {
  const found = figuresIn(
    asOneLine(
      "Costs 538 times\nless, 1,756 bytes, 0.3 to 0.6 s, −5.2 %.\n| a | 1,234 | **5** |\n\nIn 2026 `64 bytes`, [a](x-9-bits.md), " +
        "Cortex-M4, 3 sensors.\n```\n12 ms\n```\nand 7 kB.",
    ),
  );
  expect(found.map(({ text }) => text)).toEqual([
    "538 times",
    "1,756 bytes",
    "0.3 to 0.6 s",
    "−5.2 %",
    "1,234",
    "**5**",
    "7 kB",
  ]);
});

test("a number with a decimal point is a figure without a unit, too; a version, a section or an address is none", () => {
  const found = figuresIn(
    asOneLine(
      "First release -> now: 0.42\n-> 0.35 at 1e-4, in the mean 1.197 (at 0.1: 1.92), -0.5-0.7, 1,756.5 of 3.3 V, 0.3 s.\n" +
        "Node 24.21.0, Node 24.21, CycloneDX 1.5, TLS 1.2 and\n1.3, `nats-server` 2.9, CC BY 4.0, Apache-2.0, EPL-2.0, " +
        "Debian's 1.10.8, MQTT 3.1.1, 127.0.0.1, section 5.1, Q8.23, v1.2, lockstep-1.2.tgz, `0.5`.\nSprintz 0.9.\n",
    ),
  );
  expect(found.map(({ text }) => text)).toEqual([
    ...["0.42", "0.35", "1.197", "0.1", "1.92", "-0.5", "0.7", "1,756.5", "3.3", "0.3 s", "0.9"],
  ]);
});

test("words are found wherever lines are broken, and each figure where it stands", () => {
  const line = asOneLine("It costs 538\ntimes less, and 2 s.");
  const [[first, second] = []] = placesOf(line, "costs {538 times} less, and {2 s}");
  expect(line.slice(first?.from, first?.to)).toBe("538 times");
  expect(line.slice(second?.from, second?.to)).toBe("2 s");
  expect(placesOf(line, "costs {539 times} less")).toEqual([]);
});

test.for([
  ["538 times", 538, 0.5],
  ["17,000 frames", 17_000, 500],
  ["10,000", 10_000, 500],
  ["80", 80, 0.5],
  ["0.60 s", 0.6, 0.005],
] as const)("%s is %d, give or take %d", ([text, stated, half]) => {
  expect(statedNumber(text)).toEqual({ stated, half });
});

test("a cell is found by the beginning of its table, cells of its row, and its column", () => {
  expect(findCell("wire", PAGE, ["goals", "payload, frames of 1 s"]).text).toBe("538 x");
  expect(findCell("wire", PAGE, ["The rotor's first 60 s", "1 s & TCP", "payload"])).toEqual({
    place: "The rotor's first 60 s, from cold › 1 s & TCP › payload x",
    text: "538",
  });
});

test.for([
  [["The rotor's", "1 s", "payload x"], /no cell: page wire, .*part row, found 2/],
  [["The sensor's", "1 s & TCP", "payload x"], /part table, found 0/],
  [["goals", "payload, frames of 1 s", "seconds"], /part column, found 0/],
] as const)("%j means no cell, and says why", ([steps, words]) => {
  expect(() => findCell("wire", PAGE, steps)).toThrow(words);
});

test("a source may take up the row before it, change the unit, or stand for all figures of the words", () => {
  const { entries } = readFigures(
    figures(
      ["{1} and {2}", "wire › T › a & b › x × 0.001", "… › y"],
      ["{1 s} to {2 s}", "limit"],
      ["{5 B}", "file test/x.ts"],
    ),
  );
  expect(entries.map(({ sources }) => sources)).toEqual([
    [
      { kind: "cell", page: "wire", steps: ["T", "a & b", "x"], times: 0.001 },
      { kind: "cell", page: "wire", steps: ["T", "a & b", "y"], times: 1 },
    ],
    [{ kind: "limit" }, { kind: "limit" }],
    [{ kind: "file", path: "test/x.ts" }],
  ]);
});

test.for([
  ["no figure at all", "limit"],
  ["{1} and {2}", "wire › goals › a"],
  ["{1}", "guess"],
  ["{1}", "wire › goals"],
  ["{1}", "wire › goals › a × 0"],
] as const)("%j with the source %j is refused by name", ([text, source]) => {
  expect(() => readFigures(figures([text, source]))).toThrow(/^reproduce: bad figures: document README\.md/);
});

test("what must be the same holds to its last digit, what is near to 15 %, a time to a factor of two", () => {
  expect(isHeld("exact", 538, 538.4, 0.5)).toBe(true);
  expect(isHeld("exact", 538, 539, 0.5)).toBe(false);
  expect(isHeld("near", 100, 114)).toBe(true);
  expect(isHeld("near", 100, 116)).toBe(false);
  expect(isHeld("timing", 100, 51)).toBe(true);
  expect(isHeld("timing", 100, 201)).toBe(false);
  expect(isHeld("timing", 100, -100)).toBe(false);
});

test("a figure whose cell departs, or is gone from a page that was measured, is told", () => {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-figures-"));
  try {
    for (const name of ["stated", "now"]) mkdirSync(join(folder, name));
    writeFileSync(join(folder, "stated/wire.md"), TEXT);
    writeFileSync(join(folder, "now/wire.md"), TEXT.replace("538 x", "530 x").replace("| 1 s | TCP | 538 |\n", ""));
    const { entries } = readFigures(
      figures(
        ["{538} less", "wire › goals › payload, frames of 1 s"],
        ["{538} up", "wire › The rotor's › 1 s & TCP › payload"],
      ),
    );
    const told = (held?: RegExp) =>
      statedFigures(join(folder, "now"), join(folder, "stated"), new Map([["wire", held]]), entries).map((figure) => [
        ...[figure.measured, figure.isHeld, figure.steadiness],
      ]);
    expect(told()).toEqual([
      [530, false, "exact"],
      [Number.NaN, false, "exact"],
    ]);
    expect(told(/^goals/)).toEqual([[530, false, "exact"]]);
    expect(told(/^The rotor/)).toEqual([[Number.NaN, false, "exact"]]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the sum over all rows of a table is one figure", () => {
  const cells = findCells("wire", readResultPage("wire", TEXT.replaceAll("1 s | TCP", "2 s | TCP")), [
    "The rotor's",
    "*",
    "payload",
  ]);
  expect(cells.map(({ text }) => text)).toEqual(["538", "538"]);
});

test("figures whose page was not measured are not held against anything", () => {
  expect(statedFigures("nowhere", "nowhere", new Map([["wire", undefined]]))).toEqual([]);
});
