import { expect, test } from "vitest";
import { ablationCells, type CellResult, parseVariation, summarizeAblation } from "./ablation.ts";
import { ablationMarkdown } from "./ablation-report.ts";

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
  expect(ablationMarkdown(rows, "Study")).toContain(
    "| a=1 | 3 | 10 | 4.0000 ± 1.0000 | 8.0000 ± 2.0000 | 3.0000 ± 1.0000 | 5 ± 0 |",
  );
});
