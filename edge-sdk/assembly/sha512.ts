import { SHA2_STATE_WORDS, sha2Finish, sha2Reset, sha2Update } from "./sha2";

/**
 * SHA-512 over bytes that come in pieces. The state lies where the caller says, SHA512_STATE_BYTES at any address.
 *
 * @see FIPS 180-4, 6.4
 */

/** Bytes of a state. */
export const SHA512_STATE_BYTES: usize = 8 * SHA2_STATE_WORDS;
/** Bytes of a digest. */
export const SHA512_DIGEST_BYTES: i32 = 64;

/** Begin a message. */
export function sha512Reset(state: usize): void {
  sha2Reset<u64>(state);
}

/** Take in the next bytes. Range: length >= 0; all bytes of a message together < 2^32 */
export function sha512Update(state: usize, bytes: usize, length: i32): void {
  sha2Update<u64>(state, bytes, length);
}

/** End the message. @param digest  SHA512_DIGEST_BYTES, apart from the state */
export function sha512Finish(state: usize, digest: usize): void {
  sha2Finish<u64>(state, digest);
}
