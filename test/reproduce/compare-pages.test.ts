import { expect, test } from "vitest";
import { comparePages } from "./compare-pages.ts";
import { ReproduceError } from "./reproduce-error.ts";
import { numberIn, readResultPage } from "./result-page.ts";
import { steadinessOf } from "./steadiness.ts";

/** A page of the codec with two goals and two tables, as the benchmarks write it. */
function page(changes: Readonly<Record<string, string>> = {}) {
  let text = [
    "<!-- Made by `npm run bench -- codec`; do not edit. -->",
    "# Bits",
    "",
    "`npm run bench -- codec`, 2026-11-21, on a processor, 2 cores, Node 24.21.0.",
    "",
    "| goal | measured | must | aim |  |",
    "|---|---|---|---|---|",
    "| largest error, over eps | 1 eps | <= 1 eps |  | met |",
    "",
    "| set | rel | bits | p99, ms | p99, ms |",
    "|---|---:|---:|---:|---:|",
    "| imu | 0.1 | 0.4864 | 10 | 20 |",
    "| imu | 0.01 | **1,234.5** | 10 | 20 |",
    "",
    "## Encoding in 31 s",
    "",
    "| set | ours, ns |",
    "|---|---:|",
    "| imu | 500 |",
    "",
    "- A note.",
  ].join("\n");
  for (const [from, to] of Object.entries(changes)) text = text.replace(from, to);
  return readResultPage("codec", text);
}

test("a page is read with its command, date, machine, and tables by name; equal headings are told apart", () => {
  const read = page();
  expect(read).toMatchObject({ title: "Bits", command: "npm run bench -- codec", date: "2026-11-21" });
  expect(read.machine).toBe("a processor, 2 cores, Node 24.21.0");
  expect(read.tables.map(({ name }) => name)).toEqual(["goals", "main", "Encoding in 31 s"]);
  expect(read.tables[1]?.columns).toEqual(["set", "rel", "bits", "p99, ms", "p99, ms (2)"]);
  expect(read.tables[1]?.rows[1]).toEqual(["imu", "0.01", "**1,234.5**", "10", "20"]);
});

test.for([
  ["538 x", 538],
  ["**0.982**", 0.982],
  ["1,234.5", 1234.5],
  ["5.5e-4", 5.5e-4],
  ["-7.8 %", -7.8],
  ["8 to 12", 8],
  ["yes", Number.NaN],
] as const)("the number in %j is %d", ([cell, number]) => {
  expect(numberIn(cell)).toBe(number);
});

test("a page without provenance, or with a row that is too short, is refused by name", () => {
  const broken = () => readResultPage("codec", "# Title\n\n| a |\n|---|\n| 1 |\n");
  expect(broken).toThrow(ReproduceError);
  expect(broken).toThrow(/bad page: page codec, lacks a title, or its command/);
  expect(() => page({ "| imu | 500 |": "| imu | 500 | 3 |" })).toThrow(/bad page: .*cells 3, columns 2/);
});

test("the same page departs nowhere, and every measured cell was looked at", () => {
  // The goal's figure and verdict, three cells of two rows beside their keys, and one time
  expect(comparePages("made-up", page(), page())).toEqual({ cells: 9, departures: [], rowsMissing: [] });
});

test("a figure that must be the same departs by its last digit; times only by a factor of two", () => {
  const measured = page({ "0.4864": "0.4865", "| 10 | 20 |": "| 19 | 41 |", "| imu | 500 |": "| imu | 251 |" });
  const { departures } = comparePages("made-up", page(), measured);
  expect(departures).toMatchObject([
    { place: "made-up › main › imu & 0.1 › bits", stated: "0.4864", measured: "0.4865", steadiness: "exact" },
    { place: "made-up › main › imu & 0.1 › p99, ms (2)", steadiness: "timing", distance: 1.05 },
  ]);
  expect(departures[0]?.distance).toBeCloseTo(0.0001 / 0.4864);
});

test("a goal that was met and is missed departs; what it must be is no measurement", () => {
  const measured = page({ "| 1 eps | <= 1 eps |  | met |": "| 1 eps | <= 0.9 eps |  | **missed** |" });
  expect(comparePages("made-up", page(), measured).departures).toMatchObject([
    { stated: "met", measured: "**missed**" },
  ]);
});

test("a page that measured none of it holds nothing, and names every row", () => {
  const { tables: _, ...rest } = page();
  const { cells, rowsMissing } = comparePages("made-up", page(), { ...rest, tables: [] });
  expect([cells, rowsMissing.length]).toEqual([0, 4]);
  expect(rowsMissing[0]).toBe("made-up › goals › largest error, over eps");
});

test("a heading with a measured number is the same heading; a column that is gone departs", () => {
  expect(comparePages("made-up", page(), page({ "in 31 s": "in 35 s" })).rowsMissing).toEqual([]);
  const { departures } = comparePages("made-up", page(), page({ "| rel | bits |": "| rel | bytes |" }));
  expect(departures).toMatchObject([{ measured: "not there" }, { measured: "not there" }]);
});

test.for([
  ["codec", "goals › sprintz / ours (the limit was set against the row above) › measured", "1.88 x", "exact"],
  ["codec", "Memory of a lookahead › none & 100 › 6 channels", "109768", "exact"],
  ["cloud", "Beside what people send otherwise › Lockstep › confirmed and lost, killed", "0", "exact"],
  ["lm", "goals › nanoGPT CPU recipe, validation loss by upstream's estimator › measured", "1.91 nats", "exact"],
  ["lm", "Parameters › nanoGPT's CPU recipe & 200 & one thread › SHA-256 begins", "c15f72d1", "exact"],
  ["lora", "The conditional memory beside LoRA alone › lookups › gain", "98.5", "exact"],
  ["vector-index", "Speed at recall@10 0.925 › ours, 72 B › bytes each", "72", "exact"],
  ["vector-index", "Speed at recall@10 0.925 › ours, 72 B › queries/s", "66412", "timing"],
  ["jobs", "goals › jobs that ended exactly once, kill -9 of the worker, SQLite › verdict", "20 of 20", "exact"],
  ["trajectory", "Text to file › every 1, 640 frames › vs ASCII", "96.1", "exact"],
  ["trajectory", "Text to file › every 1, 640 frames › pack MB/s", "204", "timing"],
  ["firmware", "main › Cortex-M4 & codec + link, -Os, unchecked › stack, B", "528", "near"],
  ["firmware", "main › Cortex-M4 & codec + link, -Os, unchecked › flash, B", "14276", "exact"],
  ["wire", "goals › IP up-link, frames of 5 s › measured", "117 x", "near"],
] as const)("%s, %s (%s) is %s", ([name, place, text, steadiness]) => {
  expect(steadinessOf(name, place, text)).toBe(steadiness);
});

test("a row that is gone is told; where only some places count, others are left out of it", () => {
  const without = page({ "| imu | 0.01 | **1,234.5** | 10 | 20 |\n": "" });
  expect(comparePages("made-up", page(), without).rowsMissing).toEqual(["made-up › main › imu & 0.01"]);
  expect(comparePages("made-up", page(), without, /^goals/)).toEqual({ cells: 2, departures: [], rowsMissing: [] });
});
