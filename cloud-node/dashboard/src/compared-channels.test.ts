import { expect, test } from "vitest";
import { comparable } from "./compared-channels.ts";

const CHANNELS = ["ax g", "ay g", "gx deg/s", "az g", "bx g", "by g"].map((text) => {
  const [name = "", unit = ""] = text.split(" ");
  return { name, unit, eps: 0.1 };
});

test("channels over each other have one unit, the first one's, and are four at most", () => {
  const names = (...chosen: string[]) => comparable(CHANNELS, chosen).map(({ name }) => name);
  expect(names("ax", "gx", "az")).toEqual(["ax", "az"]);
  expect(names("by", "bx", "az", "ay", "ax")).toEqual(["ax", "ay", "az", "bx"]);
  expect(names("nobody")).toEqual([]);
});
