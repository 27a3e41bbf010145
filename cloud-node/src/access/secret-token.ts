import { createHash } from "node:crypto";
import { RANDOM_SECRET, randomSecret } from "./random-secret.ts";

/** So that whoever finds one in a file knows what it is, and programs that look for secrets find it. */
const PREFIX = "lst_";
const FORM = new RegExp(`^${PREFIX}${RANDOM_SECRET}$`);
const ANYWHERE = new RegExp(`${PREFIX}[A-Za-z0-9_-]{8,}`, "g");

/** A new token. */
export function makeSecret(): string {
  return `${PREFIX}${randomSecret()}`;
}

/** Whether a text has the form of a token. */
export function isSecret(text: string): boolean {
  return FORM.test(text);
}

/** What is kept in the place of a token: its SHA-256. */
export function hashOf(secret: string): Buffer {
  return createHash("sha256").update(secret, "utf8").digest();
}

/** A text with every token in it made unreadable, for the log: somebody may have put one into an address. */
export function withoutSecrets(text: string): string {
  return text.replace(ANYWHERE, `${PREFIX}…`);
}
