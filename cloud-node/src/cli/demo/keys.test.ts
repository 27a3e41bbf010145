import { expect, test } from "vitest";
import { parseKeys } from "./keys.ts";

test("keys that arrive together are told apart, and unknown ones are left out", () => {
  expect(parseKeys("c\u001b[Bx\u001b[Aq")).toEqual(["cut", "down", "up", "quit"]);
  expect(parseKeys("\u0003")).toEqual(["quit"]);
  expect(parseKeys("")).toEqual([]);
});
