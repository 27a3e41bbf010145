import { expect, test } from "vitest";
import { isBlobName } from "./text-rules.ts";

test("a blob's name is a file's, of 1 to 255 bytes, that frames can carry", () => {
  for (const name of ["a", "a b.csv", "é".repeat(127), "x".repeat(255), "...", "日本"]) {
    expect(isBlobName(name), name).toBe(true);
  }
  for (const name of [
    "",
    ".",
    "..",
    "a/b",
    "a\\b",
    "a\nb",
    "a\u007f",
    "a\u0080",
    "a\u009f",
    "\ud800",
    "x".repeat(256),
  ]) {
    expect(isBlobName(name), JSON.stringify(name)).toBe(false);
  }
  expect(isBlobName("é".repeat(128))).toBe(false);
});
