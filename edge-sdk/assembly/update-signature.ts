/**
 * Whose a package is. An Ed25519 signature takes a device long: it is verified a few bits a turn, and samples go on between.
 */
import { copy } from "./cbor";
import { ED25519_STEPS, ed25519Begin, ed25519End, ed25519Step } from "./ed25519";
import { equalBytes } from "./equal-bytes";
import { verifyHmacSha256 } from "./hmac-sha256";
import { sha256Finish, sha256Reset, sha256Update } from "./sha256";
import {
  configByte,
  DIGEST,
  HASH,
  HEAD,
  KEY_IDS,
  SCRATCH,
  UPDATE_CONFIG,
  UPDATE_CONFIG_KEY_COUNT,
  UPDATE_CONFIG_KEYS,
  UPDATE_HEAD_MANIFEST,
  UPDATE_HEAD_SIGNATURE,
  UPDATE_KEY_BYTES,
  UPDATE_KEY_ED25519,
} from "./update-memory";

/** Bits of the calculation that a turn takes: ED25519_STEPS is a multiple of it. */
const BITS_A_TURN: i32 = 11;
const KEY_VALUE: i32 = 4; // behind the algorithm
const KEY_VALUE_BYTES: i32 = 32;
const KEY_ID_BYTES: i32 = 8;
/** In front of every manifest that is signed, "lockstep update 1" and a zero, as words. */
const LOCK: u32 = 0x6b636f6c;
const STEP: u32 = 0x70657473;
const SPACE_UPD: u32 = 0x64707520;
const ATE_SPACE: u32 = 0x20657461;
const ONE_ZERO: u16 = 0x0031;
const SIGNED_AS_BYTES: i32 = 18;
/** Where what is signed stands while it is looked at: it ends with the manifest in the head. */
const MESSAGE: usize = HEAD + UPDATE_HEAD_MANIFEST - <usize>SIGNED_AS_BYTES;

/** Name every key of the configuration. */
export function nameKeys(): void {
  for (let k: usize = 0; k < configByte(UPDATE_CONFIG_KEY_COUNT); k++) {
    sha256Reset(HASH);
    sha256Update(HASH, keyAt(k), KEY_VALUE_BYTES);
    sha256Finish(HASH, DIGEST);
    copy(KEY_IDS + (k << 3), DIGEST, KEY_ID_BYTES);
  }
}

/** The 32 bytes of the key with this algorithm and id, 0 where none is trusted. */
export function findKey(algorithm: u32, id: usize): usize {
  for (let k: usize = 0; k < configByte(UPDATE_CONFIG_KEY_COUNT); k++) {
    const isIt = load<u8>(keyAt(k) - KEY_VALUE) == algorithm && equalBytes(id, KEY_IDS + (k << 3), KEY_ID_BYTES);
    if (isIt) return keyAt(k);
  }
  return 0;
}

function keyAt(k: usize): usize {
  return UPDATE_CONFIG + UPDATE_CONFIG_KEYS + k * UPDATE_KEY_BYTES + KEY_VALUE;
}

/**
 * Begin to verify a signature of the manifest in the head. What is signed covers the end of the signature's place there.
 *
 * @param signature  elsewhere
 * @returns 0: it is not the key's, 1: it is, 2: call `verifyPart`
 */
export function verifyBegin(key: usize, algorithm: u32, signature: usize, manifestBytes: i32): u32 {
  store<u32>(MESSAGE, LOCK);
  store<u32>(MESSAGE, STEP, 4);
  store<u32>(MESSAGE, SPACE_UPD, 8);
  store<u32>(MESSAGE, ATE_SPACE, 12);
  store<u16>(MESSAGE, ONE_ZERO, 16);
  const length = SIGNED_AS_BYTES + manifestBytes;
  if (algorithm != UPDATE_KEY_ED25519)
    return u32(verifyHmacSha256(key, KEY_VALUE_BYTES, MESSAGE, length, signature, SCRATCH));
  return ed25519Begin(key, MESSAGE, length, signature, SCRATCH) ? 2 : 0;
}

/**
 * Go on with the signature in the head. @param from  bits done, a multiple of BITS_A_TURN
 *
 * @returns 0: it is not the key's, 1: it is, else bits done by now and 2
 */
export function verifyPart(from: i32): i32 {
  const signature = HEAD + UPDATE_HEAD_SIGNATURE;
  const to = from + BITS_A_TURN;
  for (let bit = from; bit < to; bit++) ed25519Step(signature, ED25519_STEPS - 1 - bit, SCRATCH);
  return to < ED25519_STEPS ? to + 2 : i32(ed25519End(signature, SCRATCH));
}
