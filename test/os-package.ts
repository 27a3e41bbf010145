import { describe } from "vitest";
import { findProgram, mustRunAll, osPackage } from "../scripts/os-packages.js";

/**
 * `describe` for suites that need a program of the operating system.
 *
 * Where the program is missing the suite is skipped, counted, and named at the end of `npm test` with the line that
 * installs it. In CI on Debian it runs all the same, and fails.
 *
 * @param name  a row of the table in `scripts/os-packages.js`
 * @throws {RangeError} for a name that is not in the table
 */
export function requires(name: string): typeof describe.only {
  return describe.runIf(findProgram(osPackage(name)) !== undefined || mustRunAll());
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
