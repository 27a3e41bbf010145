import {
  addPoint,
  doublePoint,
  hasZeroX,
  isPoint,
  KEPT_REGISTERS,
  keepPoint,
  POINT_REGISTERS,
  readNegative,
  setBase,
  setNeutral,
} from "./edwards25519";
import { equalBytes } from "./equal-bytes";
import { REGISTER_BYTES, registerAt } from "./field25519";
import { bitAt, reduceScalar } from "./scalar25519";
import { SHA512_STATE_BYTES, sha512Finish, sha512Reset, sha512Update } from "./sha512";

/**
 * Verifying Ed25519 signatures, at once or in steps between which a device does something else. A signature is R, 32 bytes, and
 * S, 32 bytes. It is taken if [S]B - [h]A is R, byte for byte, with h = SHA-512(R, A, message) modulo L; and only where
 *
 *     S < L                     else whoever has one signature could make another
 *     A's y < p                 else one key had two names
 *     A's order is not 1, 2, 4, 8   else there are signatures of no secret
 *
 * R is compared as bytes, and what is compared with is canonical, so any other way to write a point is refused. The cofactor
 * is not multiplied in: that is what OpenSSL does too, and RFC 8032 allows. Nothing here is secret, so time tells nothing.
 *
 * @see RFC 8032, 5.1.7
 */

const BASE = POINT_REGISTERS;
const KEY = BASE + KEPT_REGISTERS;
const BOTH = KEY + KEPT_REGISTERS;
const HASH = BOTH + KEPT_REGISTERS;
const REGISTERS = HASH + 1;

/** Bytes of scratch. */
export const ED25519_SCRATCH_BYTES: usize = <usize>(REGISTERS * REGISTER_BYTES);
/** Steps between begin and end: bits of L. */
export const ED25519_STEPS: i32 = 253;

const POINT_BYTES: i32 = 32;
const SCALAR_BITS: u32 = 256;
const DIGEST_BITS: u32 = 512;

/**
 * Whether a signature, 64 bytes, is that of a message under a public key, 32 bytes.
 *
 * @param scratch  ED25519_SCRATCH_BYTES, apart from the rest
 */
export function verifyEd25519(publicKey: usize, message: usize, length: i32, signature: usize, scratch: usize): bool {
  if (!ed25519Begin(publicKey, message, length, signature, scratch)) return false;
  for (let bit = ED25519_STEPS; bit != 0; ) ed25519Step(signature, --bit, scratch);
  return ed25519End(signature, scratch);
}

/** The first part: hash, key, and what the steps add. False: refused, and no step is to follow. */
export function ed25519Begin(publicKey: usize, message: usize, length: i32, signature: usize, scratch: usize): bool {
  const scalar = signature + POINT_BYTES;
  reduceScalar(scratch, HASH, scalar, SCALAR_BITS);
  if (!equalBytes(scalar, registerAt(scratch, HASH), POINT_BYTES)) return false;

  const state = registerAt(scratch, BASE);
  const digest = state + SHA512_STATE_BYTES;
  sha512Reset(state);
  sha512Update(state, signature, POINT_BYTES);
  sha512Update(state, publicKey, POINT_BYTES);
  sha512Update(state, message, length);
  sha512Finish(state, digest);
  reduceScalar(scratch, HASH, digest, DIGEST_BITS);

  if (!readNegative(scratch, publicKey)) return false;
  keepPoint(scratch, KEY);
  doublePoint(scratch);
  doublePoint(scratch);
  if (hasZeroX(scratch)) return false;
  setBase(scratch);
  keepPoint(scratch, BASE);
  addPoint(scratch, KEY);
  keepPoint(scratch, BOTH);
  setNeutral(scratch);
  return true;
}

/** A step, of a bit from ED25519_STEPS - 1 down to 0. */
export function ed25519Step(signature: usize, bit: i32, scratch: usize): void {
  doublePoint(scratch);
  const ofBase = bitAt(signature + POINT_BYTES, bit);
  const ofKey = bitAt(registerAt(scratch, HASH), bit);
  const which = ofBase + 2 * ofKey;
  if (which != 0) addPoint(scratch, BASE + <i32>(which - 1) * KEPT_REGISTERS);
}

/** The last part. */
export function ed25519End(signature: usize, scratch: usize): bool {
  return isPoint(scratch, signature);
}
