/**
 * What a test run came to.
 *
 * @typedef {object} TestCounts
 * @property {number} passed
 * @property {number} failed  tests, files that could not be loaded, and errors outside any test
 * @property {number} skipped
 */

/**
 * Count the tests of a vitest run.
 *
 * A file that fails to load has no tests to fail, and an error that nobody awaited belongs to none: each counts as a
 * failure of its own, or a broken run would look green.
 *
 * @param {Iterable<object>} testModules  vitest's `TestModule`s
 * @param {readonly unknown[]} unhandledErrors
 * @returns {TestCounts}
 */
export function countTests(testModules, unhandledErrors) {
  const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
  for (const testModule of testModules) {
    if (testModule.errors().length > 0) counts.failed += 1;
    for (const test of testModule.children.allTests()) {
      const { state } = test.result();
      if (state === "passed" || state === "failed") counts[state] += 1;
      else counts.skipped += 1;
    }
  }
  return counts;
}

/**
 * The line that machines read: alone on its line, the last one.
 *
 * @param {TestCounts} counts
 */
export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
