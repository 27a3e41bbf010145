/** Offsets in the configuration block of `update.wasm`; a test holds them against its source and the C header. */
export const UPDATE_CONFIG = {
  ABI: 0,
  NONCE: 4,
  SLOT_BYTES: 8,
  SECTOR_BYTES: 12,
  WRITE_UNIT: 16,
  BODY_OFFSET: 20,
  MEMORY_LIMIT: 24,
  CONFIRM_MS: 28,
  RUNNING_VERSION: 32,
  CONFIRMED_VERSION: 36,
  SID: 40,
  LAST_DETAIL: 44,
  TRAPS: 48,
  CHUNK_BYTES: 50,
  RUNNING_SLOT: 52,
  RUNNING_FORM: 53,
  TAKES_FORM: 54,
  IS_TRYING: 55,
  LAST_VERDICT: 56,
  TARGET_LENGTH: 57,
  KEY_COUNT: 58,
  MODEL: 60,
  TARGET: 92,
  KEYS: 124,
} as const;

/** Offsets in what the package under way says. */
export const UPDATE_CANDIDATE = {
  SID: 0,
  VERSION: 4,
  LENGTH: 8,
  MEMORY: 12,
  STACK: 16,
  TEST_SEED: 20,
  TEST_SAMPLES: 24,
  TEST_CHANNELS: 26,
  FORM: 27,
  SHA256: 28,
  MODEL: 60,
  TEST_DIGEST: 92,
} as const;

/** Offsets in the head of a slot. */
export const UPDATE_HEAD = {
  CRC: 0,
  MANIFEST_LENGTH: 4,
  ALGORITHM: 6,
  KEY: 8,
  SIGNATURE: 16,
  MANIFEST: 80,
} as const;

/** Bytes of one key in the configuration block: its algorithm, three zeros, and its 32 bytes. */
export const UPDATE_KEY_BYTES = 36;
/** Bytes of the longest head of a slot. */
export const UPDATE_HEAD_BYTES = 336;
/** Of the interface between a device and what it is updated with. */
export const UPDATE_ABI_VERSION = 1;

/** What `updateNext` asks for, by its number. */
export const UPDATE_ACTIONS = [
  "none",
  "erase",
  "program",
  "read",
  "test",
  "switch",
  "keep",
  "go-back",
  "work",
] as const;
