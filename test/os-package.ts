import { describe } from "vitest";
import { findProgram, mustRunAll, osPackage } from "../scripts/os-packages.js";

/**
 * `describe` for suites that need programs of the operating system.
 *
 * Where one is missing the suite is skipped, counted, and named at the end of `npm test` with the line that
 * installs it. In CI on Debian it runs all the same, and fails.
 *
 * @param names  rows of the table in `scripts/os-packages.js`
 * @throws {RangeError} for a name that is not in the table
 */
export function requires(...names: readonly string[]): typeof describe.only {
  const isThere = names.map((name) => findProgram(osPackage(name)) !== undefined);
  return describe.runIf(!isThere.includes(false) || mustRunAll());
}

/**
 * The full path of the program, for suites inside `requires(name)`.
 *
 * @throws {RangeError} where it is not installed, with what to install
 */
export function programPath(name: string): string {
  const row = osPackage(name);
  const found = findProgram(row);
  if (found === undefined) throw new RangeError(`${name} is not installed: ${row.debian.join(" ")} on Debian`);
  return found;
}
