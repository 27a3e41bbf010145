import { expect, test } from "vitest";
import { isMet } from "./bench.ts";
import { missedGoals, toMarkdown } from "./report.ts";

const PROVENANCE = { command: "npm run bench -- codec", machine: "one core", date: "2026-01-31" };

test("a report says how to repeat it, and aligns a column of numbers to the right", () => {
  const report = {
    title: "Bits per sample",
    notes: ["6 000 samples"],
    columns: ["codec", "bits"],
    rows: [["ours", 2.5]],
  };
  expect(toMarkdown(report, PROVENANCE)).toBe(
    [
      "<!-- Made by `npm run bench -- codec`; do not edit. -->",
      "# Bits per sample",
      "",
      "`npm run bench -- codec`, 2026-01-31, on one core.",
      "",
      "| codec | bits |",
      "|---|---:|",
      "| ours | 2.5 |",
      "",
      "- 6 000 samples",
      "",
    ].join("\n"),
  );
});

test("of goals, the missed ones are told with what was measured and what must be, and met or aimed ones are not", () => {
  const met = { what: "ratio", measured: 301.26, unit: "x", must: { atLeast: 200 }, aim: 500 };
  const aimed = { what: "code", measured: 9000, unit: "B", aimedAt: { below: 10 } };
  expect(missedGoals([met, aimed])).toBe("");
  expect(missedGoals([met, { what: "flash", measured: 15_844, unit: "B", must: { below: 14_336 } }, aimed])).toBe(
    "bench: 1 of 3 goals are missed:\n  flash: 15844 B, must be < 14336 B\n",
  );
});

test("a row that does not fit the header is refused", () => {
  const report = { title: "", notes: [], columns: ["codec", "bits"], rows: [["ours"]] };
  expect(() => toMarkdown(report, PROVENANCE)).toThrow(/row "ours" has 1 cells, the header has 2/);
});

test("goals stand first, each with what was measured, what must be and whether it is", () => {
  const goals = [
    { what: "ratio", measured: 301.26, unit: "x", must: { atLeast: 200 }, aim: 292 },
    { what: "delay", measured: 10, unit: "ms", must: { below: 10 } },
  ];
  const page = toMarkdown({ title: "Wire", notes: [], columns: ["a"], rows: [["b"]], goals }, PROVENANCE);
  expect(page).toContain("| ratio | 301 x | >= 200 x | 292 x | met |");
  expect(page).toContain("| delay | 10 ms | < 10 ms |  | **missed** |");
  expect(page.indexOf("| goal |")).toBeLessThan(page.indexOf("| a |"));
});

test("a figure that could not be measured is a goal missed", () => {
  expect(isMet({ what: "delay", measured: Number.NaN, unit: "ms", must: { below: 10 } })).toBe(false);
  expect(isMet({ what: "ratio", measured: Number.NaN, unit: "x", must: { atLeast: 1 } })).toBe(false);
});

test("a figure that is only aimed at can not be missed", () => {
  const aimed = { what: "state", measured: 2140, unit: "B", aim: 2048 };
  expect(isMet(aimed)).toBe(true);
  const page = toMarkdown({ title: "Size", notes: [], columns: ["a"], rows: [["b"]], goals: [aimed] }, PROVENANCE);
  expect(page).toContain("| state | 2140 B |  | 2048 B |  |");
});

test("a plot is shown from the file beside the page, with what it shows", () => {
  const plots = [{ name: "codec-rates", caption: "Bits.", spec: { data: { values: [] }, mark: "line" } as const }];
  const page = toMarkdown({ title: "Rates", notes: [], columns: ["a"], rows: [["b"]], plots }, PROVENANCE);
  expect(page).toContain("![Bits.](codec-rates.svg)\n\n*Bits.*");
});

test("a number in bold is still a number, and so is a gap in a column", () => {
  const page = toMarkdown(
    {
      title: "",
      notes: [],
      columns: ["a", "b"],
      rows: [
        ["**0.9**", 1],
        ["", 2],
      ],
    },
    PROVENANCE,
  );
  expect(page).toContain("|---:|---:|");
});
