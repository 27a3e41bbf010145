import { expect, test } from "vitest";
import { toMarkdown } from "./report.ts";

const PROVENANCE = { command: "npm run bench -- codec", machine: "one core" };

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
      "`npm run bench -- codec`, on one core.",
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

test("a row that does not fit the header is refused", () => {
  const report = { title: "", notes: [], columns: ["codec", "bits"], rows: [["ours"]] };
  expect(() => toMarkdown(report, PROVENANCE)).toThrow(/row "ours" has 1 cells, the header has 2/);
});
