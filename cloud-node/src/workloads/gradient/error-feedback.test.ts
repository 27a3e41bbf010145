import { expect, test } from "vitest";
import { ErrorFeedback } from "./error-feedback.ts";

test("what is not sent is added to the next gradient, and what is sent is not", () => {
  const feedback = new ErrorFeedback(2);
  expect([...feedback.collect(Float32Array.of(1, -2))]).toEqual([1, -2]);
  feedback.sent.set([1, 0]);
  feedback.release(0);
  expect([...feedback.collect(Float32Array.of(0.5, -1))]).toEqual([0.5, -3]);
});

test("a contribution that did not arrive counts as unsent, once, and only in its own step", () => {
  const feedback = new ErrorFeedback(1);
  feedback.collect(Float32Array.of(4));
  feedback.sent.set([3]);
  feedback.release(7);
  feedback.takeBack(6);
  expect([...feedback.unsent]).toEqual([1]);
  feedback.takeBack(7);
  feedback.takeBack(7);
  expect([...feedback.unsent]).toEqual([4]);
});
