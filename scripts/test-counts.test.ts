import { expect, test } from "vitest";
import { closingLine, countTests } from "./test-counts.js";

function testModule(states: string[], errors: unknown[] = []) {
  return {
    errors: () => errors,
    children: { allTests: () => states.map((state) => ({ result: () => ({ state }) })) },
  };
}

test("tests count by how they ended, over all files", () => {
  const counts = countTests([testModule(["passed", "failed", "skipped"]), testModule(["passed", "pending"])], []);
  expect(counts).toEqual({ passed: 2, failed: 1, skipped: 2 });
});

test("a file that does not load and an error outside any test count as failures", () => {
  expect(countTests([testModule([], ["cannot find module"])], ["late rejection"]).failed).toBe(2);
});

test("the closing line names what was skipped only if something was", () => {
  expect(closingLine({ passed: 12, failed: 0, skipped: 0 })).toBe("12 passed, 0 failed");
  expect(closingLine({ passed: 12, failed: 1, skipped: 3 })).toBe("12 passed, 1 failed, 3 skipped");
});
