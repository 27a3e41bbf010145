import { expect, test } from "vitest";
import { RowHold } from "./held-rows.ts";

const row = (id: string, value = 0) => ({ id, value });

test("rows stay while somebody points at them, and their cells stay fresh", () => {
  const hold = new RowHold<{ id: string; value: number }>();
  expect(hold.show([row("a"), row("b"), row("c")], false)).toMatchObject({ moved: 0 });
  const held = hold.show([row("c", 7), row("a"), row("b")], true);
  expect(held.rows.map(({ id }) => id)).toEqual(["a", "b", "c"]);
  expect(held.rows[2]?.value).toBe(7);
  expect(held.moved).toBe(3);
});

test("a row that left the page is still there while it is held, and counts as moved", () => {
  const hold = new RowHold<{ id: string; value: number }>();
  hold.show([row("a"), row("b", 5)], false);
  const held = hold.show([row("a"), row("z")], true);
  expect(held.rows).toEqual([row("a"), row("b", 5)]);
  expect(held.moved).toBe(1);
});

test("sorting again takes the order of now, also while the table is held", () => {
  const hold = new RowHold<{ id: string; value: number }>();
  hold.show([row("a"), row("b")], false);
  hold.release([row("b"), row("a")]);
  expect(hold.show([row("b"), row("a")], true)).toMatchObject({ rows: [row("b"), row("a")], moved: 0 });
});
