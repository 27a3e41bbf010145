import { JobError } from "./job-error.ts";

/** Nobody nests deeper by hand; what does is meant to exhaust a stack. */
const DEEPEST = 32;

/**
 * The one way to write a JSON value: keys sorted by their UTF-16 units, no blanks, numbers and texts as JSON.stringify
 * writes them.
 *
 * @param value  whatever claims to be JSON; nothing about it is taken for granted
 * @param path  how its place is named in an error
 * @throws {JobError} `bad-params` for what JSON cannot say, for text with half a surrogate pair, and for nests over 32 deep
 */
export function canonicalJson(value: unknown, path: string): string {
  return written(value, path, 0);
}

function written(value: unknown, path: string, depth: number): string {
  if (depth > DEEPEST) throw bad(path, `is nested deeper than ${DEEPEST}`, "flatten it");
  switch (typeof value) {
    case "boolean":
      return value ? "true" : "false";
    case "number":
      if (!Number.isFinite(value)) throw bad(path, `is ${value}`, "give a number that JSON has");
      return JSON.stringify(value);
    case "string":
      return text(value, path);
    case "object":
      if (value === null) return "null";
      return Array.isArray(value) ? list(value, path, depth) : record(value, path, depth);
    default:
      throw bad(path, `is ${typeof value}`, "give what JSON has");
  }
}

function text(value: string, path: string): string {
  if (!value.isWellFormed()) throw bad(path, "has half a surrogate pair", "give well-formed text");
  return JSON.stringify(value);
}

function list(value: readonly unknown[], path: string, depth: number): string {
  // Not `map`: it leaves out what an array does not have.
  const items = Array.from(value, (item, i) => written(item, `${path}[${i}]`, depth + 1));
  return `[${items.join(",")}]`;
}

function record(value: object, path: string, depth: number): string {
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw bad(path, "is an object of a class", "give a plain one");
  }
  const entries = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${text(key, `${path}: a key`)}:${written(item, `${path}.${key}`, depth + 1)}`);
  return `{${entries.join(",")}}`;
}

function bad(path: string, problem: string, remedy: string): JobError {
  // A path is made of what was given: of a hostile one, its beginning says enough.
  return new JobError("bad-params", `${path.slice(0, 200).toWellFormed()} ${problem}`, remedy);
}
