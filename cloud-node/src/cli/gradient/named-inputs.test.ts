import { expect, test } from "vitest";
import { inputsOf } from "./named-inputs.ts";

test("files of one name in several folders are inputs of several names", () => {
  const paths = ["a/book.json", "b/book.json", "mask.json", "c/mask.json"];
  const inputs = inputsOf(paths);
  expect(inputs.map(({ path }) => path)).toEqual(paths);
  expect(inputs.map(({ name }) => name)).toEqual(["book.json", "2-book.json", "mask.json", "2-mask.json"]);
});

test("no name that was made up is another file's own", () => {
  const names = inputsOf(["a/x", "b/x", "2-x"]).map(({ name }) => name);
  expect(new Set(names).size).toBe(3);
});
