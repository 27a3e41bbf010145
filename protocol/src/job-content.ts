import { createHash } from "node:crypto";
import { FrameError } from "./errors.ts";
import type { JobBlob } from "./frames/job-parts.ts";

/** What JSON can say. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
/** An object of JSON. */
export type JsonObject = { readonly [key: string]: JsonValue };

/** What makes a job the job that it is: who asks for the same asks for the same job. */
export interface JobContent {
  readonly workload: string;
  readonly params: JsonObject;
  /** In any order. */
  readonly inputs: readonly JobBlob[];
  readonly salt: string;
}

/** Objects and arrays around any value, params among them: more than a person writes, far fewer than a stack holds. */
const MAX_LEVELS = 32;

/**
 * A job's id: SHA-256 of its content in canonical form, 64 lower-case hexadecimal digits.
 *
 * @throws {FrameError} as {@link jobContent}
 */
export function jobContentId(job: JobContent): string {
  return createHash("sha256").update(jobContent(job)).digest("hex");
}

/**
 * A job's content in canonical form: JSON without blanks, keys in order, inputs in order of their names.
 *
 * @throws {FrameError} `out-of-range` for params that JSON cannot say, or that lie deeper than 32 levels
 * @see RFC 8785, section 3.2; protocol/SPEC.md, section 10.3
 */
export function jobContent({ workload, params, inputs, salt }: JobContent): string {
  const blobs = [...inputs]
    .sort((a, b) => compare(a.name, b.name))
    .map(({ name, sha256, bytes }) => [name, sha256, bytes]);
  const [listed, asked, salted, named] = [blobs, params, salt, workload].map((part) => canonicalJson(part));
  return `{"inputs":${listed},"params":${asked},"salt":${salted},"workload":${named}}`;
}

/**
 * A JSON object in UTF-8, as job and result frames carry it.
 *
 * @returns undefined for bytes that are none, and for what has no canonical form: numbers beyond float64, half of a surrogate pair, over 32 levels
 */
export function parseJsonObject(bytes: Uint8Array): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    canonicalJson(value);
    return value as JsonObject;
  } catch {
    return undefined;
  }
}

/** Canonical JSON in UTF-8. @throws {FrameError} as {@link jobContent} */
export function formatJsonObject(value: JsonObject): Uint8Array {
  return new TextEncoder().encode(canonicalJson(value));
}

function canonicalJson(value: unknown, level = 0): string {
  if (level > MAX_LEVELS) throw notJson();
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number" && Number.isFinite(value)) return JSON.stringify(value);
  if (typeof value === "string" && value.isWellFormed()) return JSON.stringify(value);
  if (typeof value !== "object") throw notJson();
  // Not `map`: it leaves out what an array does not have.
  if (Array.isArray(value)) return `[${Array.from(value, (item) => canonicalJson(item, level + 1)).join(",")}]`;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw notJson();
  const members = Object.entries(value)
    .sort(([a], [b]) => compare(a, b))
    .map(([key, member]) => `${canonicalJson(key)}:${canonicalJson(member, level + 1)}`);
  return `{${members.join(",")}}`;
}

/** By UTF-16 units, as `<` compares them. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function notJson(): FrameError {
  return new FrameError("out-of-range", { offset: 0, field: "params" });
}
