import { expect, test } from "vitest";
import { runDigest } from "./gradient-digest.ts";

test("what is made otherwise has another digest, and what is made alike the same one", () => {
  const made = { name: "sync-50", settings: { ratio: 50, beta1: 0.5 }, config: { steps: 1000, seed: 1 } };
  const digest = runDigest(made);
  expect(digest).toMatch(/^[0-9a-f]{64}$/);
  expect(runDigest(structuredClone(made))).toBe(digest);
  expect(runDigest({ ...made, settings: { ratio: 50, beta1: 0.9 } })).not.toBe(digest);
  expect(runDigest({ ...made, config: { steps: 1000, seed: 2 } })).not.toBe(digest);
});
