/** What a package says about itself, and whether this device takes it. protocol/SPEC.md, sections 8.1 and 8.5. */
import {
  copy,
  loadBigEndian,
  MAJOR_ARRAY,
  MAJOR_BYTES,
  MAJOR_TEXT,
  readBegin,
  readHeader,
  readIsDone,
  readIsSound,
  readPosition,
  readString,
  readUint,
} from "./cbor";
import { equalBytes } from "./equal-bytes";
import { SHA256_STATE_BYTES, sha256Finish, sha256Reset, sha256Update } from "./sha256";
import { bodyLimit } from "./update-answer";
import {
  configByte,
  configWord,
  RUNNING_SHA256,
  UPDATE_CANDIDATE_FORM,
  UPDATE_CANDIDATE_LENGTH,
  UPDATE_CANDIDATE_MEMORY,
  UPDATE_CANDIDATE_MODEL,
  UPDATE_CANDIDATE_SHA256,
  UPDATE_CANDIDATE_SID,
  UPDATE_CANDIDATE_STACK,
  UPDATE_CANDIDATE_TEST_CHANNELS,
  UPDATE_CANDIDATE_TEST_DIGEST,
  UPDATE_CANDIDATE_TEST_SAMPLES,
  UPDATE_CANDIDATE_TEST_SEED,
  UPDATE_CANDIDATE_VERSION,
  UPDATE_CONFIG,
  UPDATE_CONFIG_ABI,
  UPDATE_CONFIG_CONFIRMED_VERSION,
  UPDATE_CONFIG_MEMORY_LIMIT,
  UPDATE_CONFIG_RUNNING_SLOT,
  UPDATE_CONFIG_TAKES_FORM,
  UPDATE_CONFIG_TARGET,
  UPDATE_CONFIG_TARGET_LENGTH,
  UPDATE_FORM_MODULE,
  UPDATE_OUTPUT,
} from "./update-memory";
import {
  setVerdict,
  UPDATE_VERDICT_BAD_MANIFEST,
  UPDATE_VERDICT_TOO_LONG,
  UPDATE_VERDICT_TOO_MUCH_MEMORY,
  UPDATE_VERDICT_VERSION_GOES_BACK,
  UPDATE_VERDICT_WRONG_ABI,
  UPDATE_VERDICT_WRONG_SLOT,
  UPDATE_VERDICT_WRONG_TARGET,
} from "./update-state";

const U32: u32 = 0xffffffff;
const ELEMENTS: u32 = 12;
const TEST_ELEMENTS: u32 = 4;
const FORMAT: u32 = 1;
const TARGET_BYTES_MAX: u32 = 32;
const TEST_CHANNELS_MAX: u32 = 16;
const DIGEST_BYTES: u32 = 32;
const ANY_SLOT: u32 = 255;

// Of the manifest last read, beside what is kept of it.
let target: usize = 0;
let targetLength: i32 = 0;
let abi: u32 = 0;
let slot: u32 = 0;

/** Slot that is not running: where a candidate goes. */
export function freeSlot(): u32 {
  return u32(configByte(UPDATE_CONFIG_RUNNING_SLOT) == 0);
}

/** First four bytes of SHA-256 of a manifest; the message to send is worthless after it. */
export function sessionOf(manifest: usize, length: i32): u32 {
  sha256Reset(UPDATE_OUTPUT);
  sha256Update(UPDATE_OUTPUT, manifest, length);
  sha256Finish(UPDATE_OUTPUT, UPDATE_OUTPUT + SHA256_STATE_BYTES);
  return <u32>loadBigEndian(UPDATE_OUTPUT + SHA256_STATE_BYTES, 4);
}

/**
 * Read a manifest into a candidate block.
 *
 * @returns whether it is canonical and every value in its range; if not, the block is worthless
 */
export function readManifest(manifest: usize, length: i32, into: usize): bool {
  store<u32>(into + UPDATE_CANDIDATE_SID, sessionOf(manifest, length));
  readBegin(manifest, length);
  if (readHeader(MAJOR_ARRAY, ELEMENTS) != ELEMENTS || readUint(FORMAT) != FORMAT) return false;
  const form = readUint(UPDATE_FORM_MODULE);
  targetLength = readString(MAJOR_TEXT, TARGET_BYTES_MAX);
  target = readPosition() - <usize>targetLength;
  abi = readUint(U32);
  slot = readUint(ANY_SLOT);
  store<u8>(into + UPDATE_CANDIDATE_FORM, form);
  store<u32>(into + UPDATE_CANDIDATE_VERSION, readUint(U32));
  const bytes = readUint(U32);
  store<u32>(into + UPDATE_CANDIDATE_LENGTH, bytes);
  readDigest(into + UPDATE_CANDIDATE_SHA256);
  readDigest(into + UPDATE_CANDIDATE_MODEL);
  store<u32>(into + UPDATE_CANDIDATE_MEMORY, readUint(U32));
  store<u32>(into + UPDATE_CANDIDATE_STACK, readUint(U32));
  const testElements = readHeader(MAJOR_ARRAY, TEST_ELEMENTS);
  const channels = readUint(TEST_CHANNELS_MAX);
  const samples = readUint(0xffff);
  store<u8>(into + UPDATE_CANDIDATE_TEST_CHANNELS, channels);
  store<u16>(into + UPDATE_CANDIDATE_TEST_SAMPLES, samples);
  store<u32>(into + UPDATE_CANDIDATE_TEST_SEED, readUint(U32));
  readDigest(into + UPDATE_CANDIDATE_TEST_DIGEST);
  if (!readIsSound() || !readIsDone()) return false;
  if (targetLength == 0 || bytes == 0 || testElements != TEST_ELEMENTS || channels == 0 || samples == 0) return false;
  if (form != UPDATE_FORM_MODULE) return slot <= 1;
  return (
    slot == ANY_SLOT && equalBytes(into + UPDATE_CANDIDATE_MODEL, into + UPDATE_CANDIDATE_SHA256, <i32>DIGEST_BYTES)
  );
}

/** A byte string of another length than a digest's leaves the reader unsound. */
function readDigest(into: usize): void {
  if (readString(MAJOR_BYTES, DIGEST_BYTES) != <i32>DIGEST_BYTES) readBegin(0, 0);
  else copy(into, readPosition() - <usize>DIGEST_BYTES, <i32>DIGEST_BYTES);
}

/**
 * Read a manifest, and hold it against what this device is.
 *
 * @param into  a candidate block
 * @returns whether it is taken; else the verdict is set
 */
export function admitManifest(manifest: usize, length: i32, into: usize): bool {
  if (!readManifest(manifest, length, into)) return refuse(UPDATE_VERDICT_BAD_MANIFEST, 0);
  const form = load<u8>(into + UPDATE_CANDIDATE_FORM);
  const ownLength = <i32>configByte(UPDATE_CONFIG_TARGET_LENGTH);
  const isOurs = targetLength == ownLength && equalBytes(target, UPDATE_CONFIG + UPDATE_CONFIG_TARGET, ownLength);
  if (form != configByte(UPDATE_CONFIG_TAKES_FORM) || !isOurs) return refuse(UPDATE_VERDICT_WRONG_TARGET, 0);
  const ownAbi = configWord(UPDATE_CONFIG_ABI);
  if (abi != ownAbi) return refuse(UPDATE_VERDICT_WRONG_ABI, ownAbi);
  if (slot != ANY_SLOT && slot != freeSlot()) return refuse(UPDATE_VERDICT_WRONG_SLOT, freeSlot());
  const version = load<u32>(into + UPDATE_CANDIDATE_VERSION);
  const confirmed = configWord(UPDATE_CONFIG_CONFIRMED_VERSION);
  const isSame = equalBytes(into + UPDATE_CANDIDATE_SHA256, RUNNING_SHA256, <i32>DIGEST_BYTES);
  if (version < confirmed || (version == confirmed && !isSame)) {
    return refuse(UPDATE_VERDICT_VERSION_GOES_BACK, confirmed);
  }
  if (load<u32>(into + UPDATE_CANDIDATE_LENGTH) > bodyLimit()) return refuse(UPDATE_VERDICT_TOO_LONG, bodyLimit());
  const limit = configWord(UPDATE_CONFIG_MEMORY_LIMIT);
  if (form == UPDATE_FORM_MODULE && load<u32>(into + UPDATE_CANDIDATE_MEMORY) > limit) {
    return refuse(UPDATE_VERDICT_TOO_MUCH_MEMORY, limit);
  }
  return true;
}

function refuse(why: u32, told: u32): bool {
  setVerdict(why, told);
  return false;
}
