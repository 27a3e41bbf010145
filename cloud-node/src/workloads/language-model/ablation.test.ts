import { expect, test } from "vitest";
import { ablationCells, type CellResult, DEFAULT_VARIATIONS, parseVariation, summarizeAblation } from "./ablation.ts";
import { ablationCsv, ablationMarkdown, ablationTable } from "./ablation-report.ts";
import { tableText } from "./table-text.ts";

test("every combination is tried with every seed, all of one seed in front", () => {
  const cells = ablationCells([parseVariation("model.tied=true,false"), parseVariation("steps=1,2")], [3, 4]);
  expect(cells.map(({ name }) => name)).toEqual([
    "model.tied=true+steps=1+seed=3",
    "model.tied=true+steps=2+seed=3",
    "model.tied=false+steps=1+seed=3",
    "model.tied=false+steps=2+seed=3",
    "model.tied=true+steps=1+seed=4",
    "model.tied=true+steps=2+seed=4",
    "model.tied=false+steps=1+seed=4",
    "model.tied=false+steps=2+seed=4",
  ]);
  expect(cells[1]?.settings).toEqual(["model.tied=true", "steps=2"]);
});

test.each(["model.tied", "=1", "a=1,,2", "a=1,1", "a b=1"])("%s is nothing to vary", (text) => {
  expect(() => parseVariation(text)).toThrow("is nothing to vary");
});

test("an option is varied once, and not more often than anybody waits for", () => {
  const steps = { name: "steps", values: ["1", "2"] };
  expect(() => ablationCells([steps, steps], [1])).toThrow("steps is varied already");
  expect(() => ablationCells([{ name: "seed", values: ["1"] }], [1])).toThrow("seed is varied already");
  const many = Array.from({ length: 501 }, (_, seed) => seed);
  expect(() => ablationCells([steps], many)).toThrow("1002 runs are more than 1000");
});

function result(settings: readonly string[], seed: number, valLoss: number): CellResult {
  const cell = { settings, seed, name: "" };
  return { cell, trainLoss: valLoss - 1, valLoss, valBitsPerByte: 2 * valLoss, parameters: 10, tokensPerSecond: 5 };
}

test("runs are summed up by mean and sample deviation, the best in front", () => {
  const results = [
    result(["a=1"], 1, 3),
    result(["a=2"], 1, 2),
    result(["a=1"], 2, 5),
    result(["a=2"], 2, 2),
    result(["a=1"], 3, 4),
  ];
  const rows = summarizeAblation(results);
  expect(rows).toMatchObject([
    { settings: ["a=2"], seeds: [1, 2], valLoss: { mean: 2, deviation: 0 } },
    {
      settings: ["a=1"],
      seeds: [1, 2, 3],
      valLoss: { mean: 4, deviation: 1 },
      valBitsPerByte: { mean: 8, deviation: 2 },
    },
  ]);
  expect(summarizeAblation([result([], 1, 3)])[0]?.valLoss).toEqual({ mean: 3, deviation: null });
  const markdown = ablationMarkdown(rows, "Study");
  expect(markdown).toContain("Mean over 3 seeds ±");
  expect(markdown).toContain("| a | val loss | bits per byte | train loss |");
  expect(markdown).toContain("| 1 | 4.0000 ± 1.0000 | 8.0000 ± 2.0000 | 3.0000 ± 1.0000 |");
});

test("a run that diverged is told, and what the others came to as well", () => {
  const diverged = (settings: readonly string[], seed: number): CellResult => {
    return { cell: { settings, seed, name: "" }, divergence: 'step 9: the loss is no "number", at all' };
  };
  const results = [diverged(["a=1"], 1), result(["a=2"], 1, 2), diverged(["a=2"], 2), result(["a=3"], 1, 1)];
  const rows = summarizeAblation(results);
  expect(rows).toMatchObject([
    { settings: ["a=3"], seeds: [1], divergedSeeds: [] },
    { settings: ["a=2"], seeds: [1], divergedSeeds: [2], valLoss: { mean: 2, deviation: null } },
    { settings: ["a=1"], seeds: [], divergedSeeds: [1], valLoss: null, parameters: null },
  ]);
  expect(ablationTable(rows).slice(1)).toEqual([
    ["3", "10", "0 of 1", "1.0000", "2.0000", "0.0000"],
    ["2", "10", "1 of 2", "2.0000", "4.0000", "1.0000"],
    ["1", "", "1 of 1", "diverged", "diverged", "diverged"],
  ]);
  expect(ablationCsv(results).split("\n")[1]).toBe('a=1,1,,,,,,"step 9: the loss is no ""number"", at all"');
});

test("the options that are varied unless somebody says otherwise make a table of 80 columns", () => {
  const cells = ablationCells(DEFAULT_VARIATIONS, [1, 2, 3]);
  const results = cells.map((cell, at): CellResult => {
    const losses = { trainLoss: 1.25 + at / 100, valLoss: 1.5 + at / 100, valBitsPerByte: 2.25 + at / 100 };
    return { cell, ...losses, parameters: 124_439_808 + at, tokensPerSecond: 101_827 * (at + 1) };
  });
  const lines = tableText(ablationTable(summarizeAblation(results))).split("\n");
  expect(lines).toHaveLength(5);
  expect(lines[0]).toMatch(/^tied +norm +parameters +val loss +bits per byte +train loss$/);
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80);
});
