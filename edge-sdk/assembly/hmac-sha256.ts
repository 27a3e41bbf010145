import { equalBytes } from "./equal-bytes";
import {
  SHA256_DIGEST_BYTES,
  SHA256_STATE_BYTES,
  sha256Append,
  sha256Finish,
  sha256Reset,
  sha256Update,
} from "./sha256";

/**
 * HMAC-SHA256, at once or in pieces. What is kept between pieces is the inner hash: the key is given again at the end.
 *
 *     0                     state of SHA-256
 *     SHA256_STATE_BYTES    digest of a key that is longer than a block
 *     + 32                  digest of the inner hash; the code that another is compared with
 *
 * @see RFC 2104, 2
 */

/** Bytes of scratch. */
export const HMAC_SCRATCH_BYTES: usize = SHA256_STATE_BYTES + 2 * <usize>SHA256_DIGEST_BYTES;

const SHORT_KEY: usize = SHA256_STATE_BYTES;
const INNER: usize = SHORT_KEY + <usize>SHA256_DIGEST_BYTES;
const BLOCK_BYTES: i32 = 64;
const INNER_PAD: u32 = 0x36;
const OUTER_PAD: u32 = 0x5c;

/** The authentication code of a message, 32 bytes at `out`. Range: keyLength, length >= 0 */
export function hmacSha256(key: usize, keyLength: i32, message: usize, length: i32, out: usize, scratch: usize): void {
  hmacSha256Begin(key, keyLength, scratch);
  hmacSha256Update(message, length, scratch);
  hmacSha256Finish(key, keyLength, out, scratch);
}

/**
 * Whether `code`, 32 bytes, is the authentication code of a message. Time and accesses do not depend on where a wrong one
 * differs. Range: keyLength, length >= 0
 *
 * @param scratch  HMAC_SCRATCH_BYTES, apart from the rest
 */
export function verifyHmacSha256(
  key: usize,
  keyLength: i32,
  message: usize,
  length: i32,
  code: usize,
  scratch: usize,
): bool {
  const expected = scratch + INNER;
  hmacSha256(key, keyLength, message, length, expected, scratch);
  return equalBytes(code, expected, SHA256_DIGEST_BYTES);
}

/** Begin a message that comes in pieces. Range: keyLength >= 0 */
export function hmacSha256Begin(key: usize, keyLength: i32, scratch: usize): void {
  if (keyLength > BLOCK_BYTES) {
    sha256Reset(scratch);
    sha256Update(scratch, key, keyLength);
    sha256Finish(scratch, scratch + SHORT_KEY);
  }
  takeKey(key, keyLength, INNER_PAD, scratch);
}

/** Take in the next bytes of the message. Range: length >= 0 */
export function hmacSha256Update(bytes: usize, length: i32, scratch: usize): void {
  sha256Update(scratch, bytes, length);
}

/** End the message. @param key  the one that it was begun with @param out  32 bytes */
export function hmacSha256Finish(key: usize, keyLength: i32, out: usize, scratch: usize): void {
  sha256Finish(scratch, scratch + INNER);
  takeKey(key, keyLength, OUTER_PAD, scratch);
  sha256Update(scratch, scratch + INNER, SHA256_DIGEST_BYTES);
  sha256Finish(scratch, out);
}

/** Begin a hash with the key, filled up to a block and padded. A key longer than a block stands as its digest. */
function takeKey(key: usize, keyLength: i32, pad: u32, scratch: usize): void {
  const isLong = keyLength > BLOCK_BYTES;
  const from = isLong ? scratch + SHORT_KEY : key;
  const length = isLong ? SHA256_DIGEST_BYTES : keyLength;
  sha256Reset(scratch);
  for (let i = 0; i < BLOCK_BYTES; i++) {
    sha256Append(scratch, (i < length ? <u32>load<u8>(from + i) : 0) ^ pad);
  }
}
