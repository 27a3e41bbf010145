import { SHA2_STATE_WORDS, sha2Append, sha2Finish, sha2Reset, sha2Update } from "./sha2";

/**
 * SHA-256 over bytes that come in pieces. The state lies where the caller says, SHA256_STATE_BYTES at any address.
 *
 * @see FIPS 180-4, 6.2
 */

/** Bytes of a state. */
export const SHA256_STATE_BYTES: usize = 4 * SHA2_STATE_WORDS;
/** Bytes of a digest. */
export const SHA256_DIGEST_BYTES: i32 = 32;

/** Begin a message. */
export function sha256Reset(state: usize): void {
  sha2Reset<u32>(state);
}

/** Take in the next bytes. Range: length >= 0; all bytes of a message together < 2^32 */
export function sha256Update(state: usize, bytes: usize, length: i32): void {
  sha2Update<u32>(state, bytes, length);
}

/** Take in one byte. Range: 0..255 */
export function sha256Append(state: usize, byte: u32): void {
  sha2Append<u32>(state, byte);
}

/** End the message. @param digest  SHA256_DIGEST_BYTES, apart from the state */
export function sha256Finish(state: usize, digest: usize): void {
  sha2Finish<u32>(state, digest);
}
