import { expect, test } from "vitest";
import { scoreAnswers, scoreOf } from "./score.ts";

test("an answer is right to the character, or it is not", () => {
  const examples = ["a b", "c", "", "d"].map((answer) => ({ prompt: "?", answer }));
  expect(scoreAnswers(["a b", "c ", "", "D"], examples)).toMatchObject({ correct: 2, total: 4, share: 0.5 });
  expect(scoreAnswers([], examples)).toMatchObject({ correct: 0 });
});

test("the interval is Wilson's", () => {
  // Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3: 81/263, 15/148, 0/20, 1/29.
  const published = [
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ] as const;
  for (const [correct, total, low, high] of published) {
    const score = scoreOf(correct, total);
    expect(score.low).toBeCloseTo(low, 4);
    expect(score.high).toBeCloseTo(high, 4);
  }
  expect(scoreOf(0, 0)).toMatchObject({ low: 0, high: 1 });
});
