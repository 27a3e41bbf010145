import { expect, test } from "vitest";
import { readAddress, tableQuery, writeAddress } from "./page-address.ts";

test.each([
  "?device=rotor-1&live=1",
  "?device=a%2Fb&from=1000000&to=9000000&channels=x%2Cy",
  "?device=imu-1&live=1&channels=ax%2Cay&compare=ax%2Cay",
  "?search=rot&state=live&sort=ring&order=desc&page=2",
])("an address says the same after it was read: %s", (text) => {
  expect(writeAddress(readAddress(text))).toBe(text);
});

test("the fleet as it opens has the plain address", () => {
  expect(writeAddress(readAddress(""))).toBe("/");
  expect(tableQuery(readAddress("").table).toString()).toBe("");
});

test("what makes no sense in an address is left out: a range of nothing, words for numbers, a page below 0", () => {
  expect(readAddress("?device=r&from=5&to=5").span).toBeUndefined();
  expect(readAddress("?device=r&from=then&to=now").span).toBeUndefined();
  expect(readAddress("?page=-4").table.page).toBe(0);
  expect(readAddress("?device=").device).toBeUndefined();
});

test("a range that is reversed is turned around", () => {
  expect(readAddress("?device=r&from=9000000&to=1000000").span).toEqual({ fromUs: 1_000_000, toUs: 9_000_000 });
});
