/**
 * What `update.wasm` keeps at fixed places, and the offsets in what a host writes and reads; include/update_core.h says
 * what each is. Everything is little-endian.
 */
import { SHA256_STATE_BYTES } from "./sha256";

/** Most bytes of a message to hear. */
export const UPDATE_INPUT_BYTES: i32 = 512;
/** A message to hear. */
export const UPDATE_INPUT: usize = memory.data(512, 8);
/** The message to send: no state is longer. */
export const UPDATE_OUTPUT: usize = memory.data(192, 8);

export const UPDATE_CONFIG_BYTES: i32 = 268;
export const UPDATE_CONFIG: usize = memory.data(268, 8);
export const UPDATE_CONFIG_ABI: i32 = 0;
export const UPDATE_CONFIG_NONCE: i32 = 4;
export const UPDATE_CONFIG_SLOT_BYTES: i32 = 8;
export const UPDATE_CONFIG_SECTOR_BYTES: i32 = 12;
export const UPDATE_CONFIG_WRITE_UNIT: i32 = 16;
export const UPDATE_CONFIG_BODY_OFFSET: i32 = 20;
export const UPDATE_CONFIG_MEMORY_LIMIT: i32 = 24;
export const UPDATE_CONFIG_CONFIRM_MS: i32 = 28;
export const UPDATE_CONFIG_RUNNING_VERSION: i32 = 32;
export const UPDATE_CONFIG_CONFIRMED_VERSION: i32 = 36;
export const UPDATE_CONFIG_SID: i32 = 40;
export const UPDATE_CONFIG_LAST_DETAIL: i32 = 44;
export const UPDATE_CONFIG_TRAPS: i32 = 48;
export const UPDATE_CONFIG_CHUNK_BYTES: i32 = 50;
export const UPDATE_CONFIG_RUNNING_SLOT: i32 = 52;
export const UPDATE_CONFIG_RUNNING_FORM: i32 = 53;
export const UPDATE_CONFIG_TAKES_FORM: i32 = 54;
export const UPDATE_CONFIG_IS_TRYING: i32 = 55;
export const UPDATE_CONFIG_LAST_VERDICT: i32 = 56;
export const UPDATE_CONFIG_TARGET_LENGTH: i32 = 57;
export const UPDATE_CONFIG_KEY_COUNT: i32 = 58;
export const UPDATE_CONFIG_MODEL: i32 = 60;
export const UPDATE_CONFIG_TARGET: i32 = 92;
export const UPDATE_CONFIG_KEYS: i32 = 124;
export const UPDATE_KEY_BYTES: i32 = 36;
export const UPDATE_KEY_ED25519: i32 = 0;
export const UPDATE_KEY_HMAC_SHA256: i32 = 1;
export const UPDATE_FORM_IMAGE: i32 = 0;
export const UPDATE_FORM_MODULE: i32 = 1;
export const UPDATE_ABI_VERSION: i32 = 1;

/** A value of the configuration is out of its range. */
export const UPDATE_STATUS_CONFIG: i32 = -1;
/** A malformed or forged flash frame; nothing took effect. */
export const UPDATE_STATUS_REFUSED: i32 = -2;
/** A flash frame for another boot; nothing took effect. */
export const UPDATE_STATUS_NOT_FOR_US: i32 = -3;

/** Of what a candidate's manifest says. */
export const UPDATE_CANDIDATE_BYTES: i32 = 124;
export const UPDATE_CANDIDATE: usize = memory.data(124, 8);
export const UPDATE_CANDIDATE_SID: i32 = 0;
export const UPDATE_CANDIDATE_VERSION: i32 = 4;
export const UPDATE_CANDIDATE_LENGTH: i32 = 8;
export const UPDATE_CANDIDATE_MEMORY: i32 = 12;
export const UPDATE_CANDIDATE_STACK: i32 = 16;
export const UPDATE_CANDIDATE_TEST_SEED: i32 = 20;
export const UPDATE_CANDIDATE_TEST_SAMPLES: i32 = 24;
export const UPDATE_CANDIDATE_TEST_CHANNELS: i32 = 26;
export const UPDATE_CANDIDATE_FORM: i32 = 27;
export const UPDATE_CANDIDATE_SHA256: i32 = 28;
export const UPDATE_CANDIDATE_MODEL: i32 = 60;
export const UPDATE_CANDIDATE_TEST_DIGEST: i32 = 92;

/** The head of a slot as it is in flash; room for the longest in whole write units. */
export const HEAD: usize = memory.data(352, 8);
export const UPDATE_HEAD_CRC: i32 = 0;
export const UPDATE_HEAD_MANIFEST_LENGTH: i32 = 4;
export const UPDATE_HEAD_ALGORITHM: i32 = 6;
export const UPDATE_HEAD_KEY: i32 = 8;
export const UPDATE_HEAD_SIGNATURE: i32 = 16;
export const UPDATE_HEAD_MANIFEST: i32 = 80;
export const UPDATE_HEAD_BYTES: i32 = 336;

/** SHA-256 of the body that runs, as its own head says; without one the module's, or zeros for an image. */
export const RUNNING_SHA256: usize = memory.data(32, 8);
/** First eight bytes of SHA-256 of each key. */
export const KEY_IDS: usize = memory.data(32, 8);

/** Of a signature's verification; between two of them its bytes are the buffer and a hash. */
export const SCRATCH_BYTES: i32 = 800;
export const SCRATCH: usize = memory.data(800, 8);
/** Most bytes of one PROGRAM or READ. */
export const UPDATE_BUFFER_BYTES: i32 = 256;
export const UPDATE_BUFFER: usize = SCRATCH;
/** State of the hash of a body. */
export const HASH: usize = SCRATCH + <usize>UPDATE_BUFFER_BYTES;
/** A digest. */
export const DIGEST: usize = HASH + SHA256_STATE_BYTES;

/** A u32 of the configuration. */
export function configWord(offset: usize): u32 {
  return load<u32>(UPDATE_CONFIG + offset);
}

/** A u8 of the configuration. */
export function configByte(offset: usize): u32 {
  return load<u8>(UPDATE_CONFIG + offset);
}

/** Where a body begins in its slot. */
export function bodyOffset(): u32 {
  return configWord(UPDATE_CONFIG_BODY_OFFSET);
}

/** What one ERASE takes. */
export function sectorBytes(): u32 {
  return configWord(UPDATE_CONFIG_SECTOR_BYTES);
}

/** Bytes in whole write units. */
export function inUnits(bytes: u32): u32 {
  const unit = configWord(UPDATE_CONFIG_WRITE_UNIT);
  return (bytes + unit - 1) & ~(unit - 1);
}
