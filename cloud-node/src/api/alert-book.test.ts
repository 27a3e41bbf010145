import { expect, test } from "vitest";
import { AlertBook } from "./alert-book.ts";
import type { AlertKind } from "./alert-kinds.ts";

const HOLD_US = 10;

function troubles(...kinds: AlertKind[]): ReadonlyMap<AlertKind, string> {
  return new Map(kinds.map((kind) => [kind, `${kind}!`]));
}

test("an alert opens after it lasted, and closes after it was gone for as long", () => {
  const book = new AlertBook();
  expect(book.update(troubles("offline"), 100, HOLD_US)).toEqual([]);
  expect(book.update(troubles("offline"), 109, HOLD_US)).toEqual([]);
  expect(book.open).toEqual([]);
  expect(book.update(troubles("offline"), 110, HOLD_US)).toEqual([{ kind: "offline", text: "offline!", isOpen: true }]);
  expect(book.open).toEqual([{ kind: "offline", text: "offline!", sinceUs: 100 }]);
  expect(book.update(troubles(), 120, HOLD_US)).toEqual([]);
  expect(book.update(troubles(), 129, HOLD_US)).toEqual([]);
  expect(book.open).toHaveLength(1);
  expect(book.update(troubles(), 130, HOLD_US)).toEqual([{ kind: "offline", text: "offline!", isOpen: false }]);
  expect(book.open).toEqual([]);
});

test("trouble that comes and goes does not flicker: neither open nor closed", () => {
  const book = new AlertBook();
  for (let us = 0; us < 100; us += 6)
    expect(book.update(us % 12 === 0 ? troubles("offline") : troubles(), us, HOLD_US)).toEqual([]);
  book.update(troubles("offline"), 200, HOLD_US);
  book.update(troubles("offline"), 210, HOLD_US);
  for (let us = 211; us < 300; us += 6) {
    expect(book.update(us % 12 === 7 ? troubles() : troubles("offline"), us, HOLD_US)).toEqual([]);
    expect(book.open).toHaveLength(1);
  }
});

test("the worst is first, with the words of now", () => {
  const book = new AlertBook();
  for (const us of [0, HOLD_US]) book.update(troubles("saturated", "fault", "ring-filling"), us, HOLD_US);
  book.update(
    new Map([
      ["fault", "refused"],
      ["saturated", "3 %"],
      ["ring-filling", "95 %"],
    ]),
    11,
    HOLD_US,
  );
  expect(book.open.map(({ text }) => text)).toEqual(["refused", "95 %", "3 %"]);
});
