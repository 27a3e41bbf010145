import { createHash, pbkdf2Sync, randomBytes } from "node:crypto";
import { isSameHash, RANDOM_SECRET } from "./random-secret.ts";

const FORM = new RegExp(`^${RANDOM_SECRET}$`);
/** What mosquitto's own tool takes; of a random secret the rounds protect nothing. */
const BROKER_ROUNDS = 101;
const BROKER_SALT_BYTES = 12;
const BROKER_HASH_BYTES = 64;

/** What the book keeps of a device's password: its SHA-256, 64 hex digits. */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(Buffer.from(secret, "base64url")).digest("hex");
}

/**
 * Whether a password is the one whose hash is kept; takes as long whatever is wrong with it.
 *
 * @param hash  64 hex digits
 */
export function isSecret(given: string, hash: string): boolean {
  const isFormed = FORM.test(given) && Buffer.from(given, "base64url").toString("base64url") === given;
  return isSameHash(Buffer.from(hashSecret(given), "hex"), Buffer.from(hash, "hex")) && isFormed;
}

/** A password as mosquitto's password file has it: PBKDF2 with HMAC-SHA-512. @see mosquitto_passwd(1) */
export function brokerHash(password: string, salt: Uint8Array = randomBytes(BROKER_SALT_BYTES)): string {
  const hash = pbkdf2Sync(password, salt, BROKER_ROUNDS, BROKER_HASH_BYTES, "sha512");
  return `$7$${BROKER_ROUNDS}$${Buffer.from(salt).toString("base64")}$${hash.toString("base64")}`;
}
