import { expect, test } from "vitest";
import { parseRegistry } from "./registry-csv.ts";

const HEADER = "ModelName,Parameters,Category,BestFeature";

test("a registry's lines become teachers, with how exact their count of parameters is", () => {
  const text = `${HEADER}\nabacus,118.5K,arithmetic,two-digit sums\n"braces",1234567,code,"brackets, closed"\n`;
  expect(parseRegistry(text, "r.csv")).toEqual([
    {
      ...{ model: "abacus", parameters: 118_500, parametersWithin: 100 },
      ...{ category: "arithmetic", feature: "two-digit sums", line: 2 },
    },
    {
      ...{ model: "braces", parameters: 1_234_567, parametersWithin: 1 },
      ...{ category: "code", feature: "brackets, closed", line: 3 },
    },
  ]);
});

test("lines may end as on Windows, and the last one need not", () => {
  const lines = parseRegistry(`${HEADER}\r\na,1K,code,x\r\nb,2K,facts,y`, "r.csv").map(({ line }) => line);
  expect(lines).toEqual([2, 3]);
});

const GOOD = "abacus,118K,arithmetic,sums";
test.for([
  ["an empty file", "", "1:1", "it is empty"],
  ["a header alone", `${HEADER}\n`, "2:1", "no teacher"],
  ["another order of columns", `Parameters,ModelName,Category,BestFeature\n${GOOD}`, "1:1", "where ModelName belongs"],
  ["a column of its own", `${HEADER},Extra\n${GOOD},1`, "1:5", "5 columns"],
  ["a line that lacks a column", `${HEADER}\n${GOOD}\nb,1K,code`, "3:4", "3 columns"],
  ["a line with one too many", `${HEADER}\n${GOOD},more`, "2:5", "5 columns"],
  ["an empty line", `${HEADER}\n${GOOD}\n\nb,1K,code,x`, "3:2", "1 columns"],
  ["a name that leaves the folder", `${HEADER}\n../abacus,118K,arithmetic,sums`, "2:1", '"../abacus"'],
  ["a count in words", `${HEADER}\nabacus,many,arithmetic,sums`, "2:2", '"many"'],
  ["a count of nothing", `${HEADER}\nabacus,0,arithmetic,sums`, "2:2", '"0"'],
  ["a count beyond all numbers", `${HEADER}\nabacus,${"9".repeat(30)}B,arithmetic,sums`, "2:2", "no count"],
  ["a category in capitals", `${HEADER}\nabacus,118K,Arithmetic,sums`, "2:3", '"Arithmetic"'],
  ["a feature of nothing", `${HEADER}\nabacus,118K,arithmetic,`, "2:4", '""'],
  ["a feature that steers a terminal", `${HEADER}\nabacus,118K,arithmetic,\u001b[2J`, "2:4", "characters"],
  ["a model twice", `${HEADER}\n${GOOD}\nAbacus,1K,code,x`, "3:1", "line 2 already"],
  ["a category twice", `${HEADER}\n${GOOD}\nbraces,1K,arithmetic,x`, "3:3", "line 2 has a teacher"],
  ["half a quoted cell", `${HEADER}\n${GOOD}\n"braces,1K,code,x`, "3:1", "Quote"],
  ["a quote inside a cell", `${HEADER}\nab"acus,118K,arithmetic,sums`, "2:1", "Quote"],
] as const)("%s is refused with its line and column", ([, text, place, words]) => {
  expect(() => parseRegistry(text, "r.csv")).toThrowError(
    expect.objectContaining({
      code: "bad-registry",
      message: expect.stringMatching(new RegExp(`^r\\.csv:${place}: `)),
      problem: expect.stringContaining(words),
    }),
  );
});

test("a file without end is refused before it is read into cells", () => {
  expect(() => parseRegistry(`${HEADER}\n${"a".repeat(100_000)}`, "r.csv")).toThrow(/has 100042 characters/);
});
