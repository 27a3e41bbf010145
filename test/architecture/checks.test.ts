import { expect, test } from "vitest";
import { CHECKS } from "../../scripts/checks.js";

test.for([...CHECKS])("$claim", async ({ run }) => {
  const { ok, output } = await run();
  expect(ok, output).toBe(true);
});
