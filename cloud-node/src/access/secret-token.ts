import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** So that whoever finds one in a file knows what it is, and programs that look for secrets find it. */
const PREFIX = "lst_";
const SECRET_BYTES = 32;
/** The prefix, and 32 bytes as base64url. */
const FORM = /^lst_[A-Za-z0-9_-]{43}$/;
const ANYWHERE = /lst_[A-Za-z0-9_-]{8,}/g;

/** A new token: 32 random bytes, so that no guess and no dictionary finds it. */
export function makeSecret(): string {
  return `${PREFIX}${randomBytes(SECRET_BYTES).toString("base64url")}`;
}

/** Whether a text has the form of a token. */
export function isSecret(text: string): boolean {
  return FORM.test(text);
}

/**
 * What is kept in the place of a secret: its SHA-256.
 *
 * A slow hash would add nothing: it is there for secrets that people choose, and this one is random.
 */
export function hashOf(secret: string): Buffer {
  return createHash("sha256").update(secret, "utf8").digest();
}

/** Whether two hashes are the same, in a time that does not depend on where they differ. */
export function isSameHash(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** A text with every token in it made unreadable, for the log: somebody may have put one into an address. */
export function withoutSecrets(text: string): string {
  return text.replace(ANYWHERE, `${PREFIX}…`);
}
