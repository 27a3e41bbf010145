import { expect, test } from "vitest";
import { ManualClock } from "../manual-clock.suite.ts";
import { closeWithin } from "./close-within.ts";

test("what closes in time is waited for, and its failure is told", async () => {
  let isClosed = false;
  await closeWithin({ clock: new ManualClock() }, async () => {
    isClosed = true;
  });
  expect(isClosed).toBe(true);
  const failing = closeWithin({ clock: new ManualClock() }, () => Promise.reject(new RangeError("no")));
  await expect(failing).rejects.toThrow("no");
});

test("what does not close is given up after eight seconds, and a person is told what that means", async () => {
  const clock = new ManualClock();
  const closing = closeWithin({ clock }, () => new Promise(() => {}));
  let isOver = false;
  const over = closing.catch((error: unknown) => {
    isOver = true;
    return error;
  });
  clock.advance(7_999);
  await new Promise((resolve) => setImmediate(resolve));
  expect(isOver).toBe(false);
  clock.advance(1);
  expect(await over).toMatchObject({ code: "interrupted", message: expect.stringContaining("not acknowledged") });
});
