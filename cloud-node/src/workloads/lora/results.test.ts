import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { accuracyPlot } from "./accuracy-plot.ts";
import { compareResults } from "./compare-results.ts";
import { comparisonReport } from "./comparison-report.ts";
import { type Judged, judgementOf, scoreOf, scoresByCategory } from "./evaluate.ts";
import { type EvaluationResult, readResultFile, writeResultFile } from "./result-file.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lockstep-results-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Two prompts of each of so many patterns; those of the first `right` patterns are answered. */
function answers(count: number, right: number): Judged[] {
  return Array.from({ length: 2 * count }, (_, at) => {
    const pattern = at >> 1;
    const text = pattern < right ? "yes" : "no";
    const example = {
      prompt: `q${at}`,
      answer: "yes",
      category: pattern % 2 === 0 ? "even" : "odd",
      pattern: `p/${pattern}`,
    };
    return { ...example, text, ...judgementOf(text, "yes"), tokens: 2, seconds: 0.5 };
  });
}

function result(label: string, judged: Judged[]): EvaluationResult {
  const latency = { mean: 0.5, median: 0.5, p95: 0.5 };
  const scores = { overall: scoreOf(judged), byCategory: scoresByCategory(judged) };
  const evaluation = { ...scores, consistency: null, latency, tokensPerSecond: 4, answers: judged };
  return { label, model: "m", adapter: null, hasMemory: false, evaluation };
}

test("an answer is exact but for spaces around it, and a prefix where more follows", () => {
  expect(judgementOf(" Oslo.\n", "Oslo.")).toEqual({ isExact: true, isPrefix: true });
  expect(judgementOf("Oslo. It is a city.", "Oslo.")).toEqual({ isExact: false, isPrefix: true });
  expect(judgementOf("oslo.", "Oslo.")).toEqual({ isExact: false, isPrefix: false });
  expect(judgementOf("", "Oslo.")).toEqual({ isExact: false, isPrefix: false });
});

test("a clear gain is significant, and none and a gain of one pattern are not", () => {
  const { overall, byCategory } = compareResults(answers(40, 4), answers(40, 30));
  expect(overall).toMatchObject({ patterns: 40, before: 0.1, after: 0.75, isSignificant: true });
  expect(overall.gain).toBeCloseTo(0.65);
  expect(overall.low).toBeGreaterThan(0.45);
  expect(overall.high).toBeLessThan(0.82);
  expect(Object.keys(byCategory)).toEqual(["even", "odd"]);
  expect(compareResults(answers(40, 10), answers(40, 10)).overall).toMatchObject({ gain: 0, isSignificant: false });
  expect(compareResults(answers(40, 10), answers(40, 11)).overall.isSignificant).toBe(false);
});

test("the interval is about as wide as the binomial's over patterns, and not over prompts", () => {
  // 100 patterns, of which 50 were gained: a standard error of 5 points, so 95 % within about 9.8; over 200 prompts it were 6.9.
  const { low, high } = compareResults(answers(100, 0), answers(100, 50)).overall;
  expect((high - low) / 2).toBeGreaterThan(0.085);
  expect((high - low) / 2).toBeLessThan(0.11);
});

test("evaluations of other prompts are not compared", () => {
  expect(() => compareResults(answers(4, 1), answers(3, 1))).toThrow(expect.objectContaining({ code: "bad-result" }));
  expect(() => compareResults(answers(3, 1), answers(4, 1))).toThrow(expect.objectContaining({ code: "bad-result" }));
});

test("a result is read as it was written, and refused with one byte of its shape changed", async () => {
  const path = join(folder, "results", "base.json");
  const kept = result("base", answers(3, 1));
  await writeResultFile(path, kept);
  expect(await readResultFile(path)).toMatchObject(kept);
  const text = readFileSync(path, "utf8");
  for (const broken of [
    text.slice(0, 100),
    text.replace('"exact"', '"exakt"'),
    text.replace(/"count": \d+/, '"count": -1'),
    text.replace('"label": "', '"label": "\\u001b[2J'),
    "[]",
  ]) {
    writeFileSync(path, broken);
    await expect(readResultFile(path)).rejects.toMatchObject({ code: "bad-result" });
  }
  await expect(readResultFile(join(folder, "absent.json"))).rejects.toMatchObject({ code: "bad-result" });
});

test("a report has every category, and shows what is still wrong without breaking its table", () => {
  const [before, after] = [answers(4, 0), answers(4, 3)];
  const odd = after.map((one) => (one.isExact ? one : { ...one, text: "a | b\n`c`" }));
  const report = comparisonReport(result("base", before), result("tuned", odd), compareResults(before, odd));
  expect(report).toContain("| even | 2 | 0.0 % | 100.0 % | +100.0 |");
  expect(report).toContain("2 of 8:");
  const rows = report.split("\n").filter((line) => line.startsWith("| `"));
  expect(rows.map((row) => row.split("|").length)).toEqual([5, 5]);
});

test("a picture has a bar for each number, and marks of its texts steer nothing", () => {
  const svg = accuracyPlot("a < b & c", ["base", "tuned"], [{ name: "x<y", before: 0.25, after: 1 }]);
  expect(svg.match(/<rect /g)).toHaveLength(3);
  expect(svg).toContain("x&lt;y");
  expect(svg).toContain("25 %");
});
