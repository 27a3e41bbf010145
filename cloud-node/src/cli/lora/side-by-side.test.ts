import { expect, test } from "vitest";
import { columnHeads, sideBySide } from "./side-by-side.ts";

const LONG = "a rather long answer that goes on and on, far beyond the width of one column of the two";

test("no line is wider than 80 columns, and no word is lost", () => {
  const text = sideBySide(`${LONG}?`, { text: LONG, isRight: false }, { text: "x".repeat(100), isRight: true }, false);
  const lines = [...columnHeads("before", "after").split("\n"), ...text.split("\n")];
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80);
  expect(text.match(/x/g)).toHaveLength(100 + (LONG.match(/x/g)?.length ?? 0) * 2);
  expect(text).toContain("- a rather long answer");
  expect(text).toContain("+ xxx");
});

test("right answers are green and wrong ones red where colours are wanted, and what a model writes steers no terminal", () => {
  const coloured = sideBySide("q", { text: "a\u001b[2J", isRight: false }, { text: "b", isRight: true }, true);
  expect(coloured).toContain("\u001b[31m- a\ufffd[2J");
  expect(coloured).toContain("\u001b[32m+ b");
  expect(sideBySide("q", { text: "a", isRight: undefined }, { text: "b", isRight: undefined }, true)).not.toContain(
    "\u001b[3",
  );
});
