import * as v from "valibot";
import { ROLES, type Role } from "./role.ts";
import { TokenError } from "./token-error.ts";

/** Letters that need no quoting anywhere: not in a shell, a log or a page. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
const HASH = /^[0-9a-f]{64}$/;

const Time = v.pipe(v.string(), v.isoTimestamp());

const RecordSchema = v.strictObject({
  name: v.pipe(v.string(), v.regex(NAME)),
  roles: v.pipe(v.array(v.picklist(ROLES)), v.minLength(1), v.maxLength(ROLES.length)),
  hash: v.pipe(v.string(), v.regex(HASH)),
  added: Time,
  expires: v.nullable(Time),
  revoked: v.nullable(Time),
});

const BookSchema = v.strictObject({ version: v.literal(1), tokens: v.array(RecordSchema) });

/** A token as the book has it; the secret itself is nowhere. */
export interface TokenRecord {
  /** 1 … 64 of `[A-Za-z0-9_.-]`. */
  readonly name: string;
  readonly roles: readonly Role[];
  /** SHA-256 of the secret, 64 hex digits. */
  readonly hash: string;
  /** ISO dates. */
  readonly added: string;
  /** Null: never. */
  readonly expires: string | null;
  /** Null: it is good. */
  readonly revoked: string | null;
}

/** Whether a token is good at a Unix time, ms. */
export function isGood({ revoked, expires }: TokenRecord, nowMs: number): boolean {
  return revoked === null && (expires === null || nowMs < Date.parse(expires));
}

/** @throws {TokenError} `bad-name` */
export function checkName(name: string): void {
  if (NAME.test(name)) return;
  throw new TokenError("bad-name", `"${name.slice(0, 80)}" is no name`, "write 1 to 64 letters, digits, _ . or -");
}

/** The book's text. */
export function formatBook(tokens: readonly TokenRecord[]): string {
  return `${JSON.stringify({ version: 1, tokens }, undefined, 1)}\n`;
}

/** Read the book's text. @param file  named in the error @throws {TokenError} `bad-book` */
export function parseBook(text: string, file: string): readonly TokenRecord[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new TokenError("bad-book", `${file} is no JSON`, "put back the file as it was", { cause });
  }
  const read = v.safeParse(BookSchema, value);
  if (read.success) return read.output.tokens;
  const [issue] = read.issues;
  // The place alone: what stands there may be a secret that somebody pasted.
  const place = v.getDotPath(issue) ?? "the whole";
  throw new TokenError("bad-book", `${file} is not a book of tokens at ${place}`, "put back the file as it was");
}
