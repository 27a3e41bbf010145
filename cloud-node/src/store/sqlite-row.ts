import type { SQLOutputValue } from "node:sqlite";
import { InvariantError } from "../invariant-error.ts";

/** A row as SQLite gives it. */
export type Row = Readonly<Record<string, SQLOutputValue>>;

/** @throws {InvariantError} when the column holds something else */
export function integer(row: Row, name: string): number {
  const value = row[name];
  if (typeof value !== "number") throw new InvariantError(`store column ${name} is not an integer`);
  return value;
}

/** @throws {InvariantError} when the column holds something else */
export function text(row: Row, name: string): string {
  const value = row[name];
  if (typeof value !== "string") throw new InvariantError(`store column ${name} is not text`);
  return value;
}

/** @throws {InvariantError} when the column holds something else */
export function blob(row: Row, name: string): Uint8Array {
  const value = row[name];
  if (!(value instanceof Uint8Array)) throw new InvariantError(`store column ${name} is not a blob`);
  return value;
}
