import { randomBytes, timingSafeEqual } from "node:crypto";

const BYTES = 32;
/** As `randomSecret` writes one, without its delimiters: for a pattern. */
export const RANDOM_SECRET = "[A-Za-z0-9_-]{43}";

/**
 * A secret that no guess and no dictionary finds: 32 random bytes in base64url.
 *
 * One round of a fast hash keeps it: slow hashes are for what people choose.
 */
export function randomSecret(): string {
  return randomBytes(BYTES).toString("base64url");
}

/** Whether two hashes are the same, in a time that does not depend on where they differ. */
export function isSameHash(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
