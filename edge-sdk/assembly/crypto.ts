import * as crc from "./crc32";
import * as ed25519 from "./ed25519";
import * as hmac from "./hmac-sha256";
import * as sha256 from "./sha256";
import * as sha512 from "./sha512";

/**
 * Entry of `crypto.wasm`: the functions that updates are checked with, each by itself over fixed buffers, to be tested and
 * measured. No device runs this module.
 */

/** Bytes of MESSAGE: room for a test's longest message. */
export const MESSAGE_BYTES: i32 = 1280;
/** What is hashed or signed; a caller writes it. */
export const MESSAGE: usize = memory.data(1280, 8);
/** Ed25519's public key, or HMAC's key. */
export const KEY: usize = memory.data(160, 8);
/** A signature, or an authentication code; a digest is written here. */
export const SIGNATURE: usize = memory.data(64, 8);
/** State of a hash in pieces. */
const STATE: usize = memory.data(200, 8);
const SCRATCH: usize = memory.data(800, 8);

/** Bytes of scratch that a verification needs. */
export const ED25519_SCRATCH_BYTES: usize = ed25519.ED25519_SCRATCH_BYTES;
/** Bytes of scratch that an authentication code needs. */
export const HMAC_SCRATCH_BYTES: usize = hmac.HMAC_SCRATCH_BYTES;
/** Bytes of a state of SHA-256. */
export const SHA256_STATE_BYTES: usize = sha256.SHA256_STATE_BYTES;
/** Steps of a verification in steps. */
export const ED25519_STEPS: i32 = ed25519.ED25519_STEPS;

export function sha256Reset(): void {
  sha256.sha256Reset(STATE);
}

/** The first `length` bytes of MESSAGE. */
export function sha256Update(length: i32): void {
  sha256.sha256Update(STATE, MESSAGE, length);
}

/** The digest goes to SIGNATURE. */
export function sha256Finish(): void {
  sha256.sha256Finish(STATE, SIGNATURE);
}

export function sha512Reset(): void {
  sha512.sha512Reset(STATE);
}

/** The first `length` bytes of MESSAGE. */
export function sha512Update(length: i32): void {
  sha512.sha512Update(STATE, MESSAGE, length);
}

/** The digest goes to SIGNATURE. */
export function sha512Finish(): void {
  sha512.sha512Finish(STATE, SIGNATURE);
}

/** The code goes to SIGNATURE. */
export function hmacSha256(keyLength: i32, length: i32): void {
  hmac.hmacSha256(KEY, keyLength, MESSAGE, length, SIGNATURE, SCRATCH);
}

export function verifyHmacSha256(keyLength: i32, length: i32): bool {
  return hmac.verifyHmacSha256(KEY, keyLength, MESSAGE, length, SIGNATURE, SCRATCH);
}

export function crc32(before: u32, length: i32): u32 {
  return crc.crc32(before, MESSAGE, length);
}

export function verifyEd25519(length: i32): bool {
  return ed25519.verifyEd25519(KEY, MESSAGE, length, SIGNATURE, SCRATCH);
}
