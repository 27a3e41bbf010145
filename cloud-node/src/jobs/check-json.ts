import { JobError } from "./job-error.ts";

/** Nobody nests deeper by hand; what does is meant to exhaust a stack. */
const DEEPEST = 32;

/**
 * Refuse what JSON cannot say, and what has no canonical form: text with half a surrogate pair, nests over 32 deep.
 *
 * @param value  whatever claims to be JSON; nothing about it is taken for granted
 * @param path  how its place is named in an error
 * @throws {JobError} `bad-params`, with the place
 */
export function checkJson(value: unknown, path: string): void {
  check(value, path, 0);
}

function check(value: unknown, path: string, depth: number): void {
  if (depth > DEEPEST) throw bad(path, `is nested deeper than ${DEEPEST}`, "flatten it");
  switch (typeof value) {
    case "boolean":
      return;
    case "number":
      if (!Number.isFinite(value)) throw bad(path, `is ${value}`, "give a number that JSON has");
      return;
    case "string":
      checkText(value, path);
      return;
    case "object":
      if (Array.isArray(value)) checkList(value, path, depth);
      else if (value !== null) checkRecord(value, path, depth);
      return;
    default:
      throw bad(path, `is ${typeof value}`, "give what JSON has");
  }
}

function checkText(value: string, path: string): void {
  if (!value.isWellFormed()) throw bad(path, "has half a surrogate pair", "give well-formed text");
}

function checkList(value: readonly unknown[], path: string, depth: number): void {
  // By its entries, which are also those that it has not.
  for (const [i, item] of value.entries()) check(item, `${path}[${i}]`, depth + 1);
}

function checkRecord(value: object, path: string, depth: number): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw bad(path, "is an object of a class", "give a plain one");
  }
  for (const [key, item] of Object.entries(value)) {
    checkText(key, `${path}: a key`);
    check(item, `${path}.${key}`, depth + 1);
  }
}

function bad(path: string, problem: string, remedy: string): JobError {
  // A path is made of what was given: of a hostile one, its beginning says enough.
  return new JobError("bad-params", `${path.slice(0, 200).toWellFormed()} ${problem}`, remedy);
}
