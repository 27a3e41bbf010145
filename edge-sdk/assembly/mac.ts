import { equalBytes } from "./equal-bytes";
import { HMAC_SCRATCH_BYTES, hmacSha256Begin, hmacSha256Finish, hmacSha256Update } from "./hmac-sha256";
import { SHA256_DIGEST_BYTES } from "./sha256";

/**
 * Entry of `mac.wasm`: MACs on a link, for the device's end. A host seals what the link wants sent and opens what comes,
 * whole and in place; firmware does both in pieces, of bytes that lie elsewhere. include/mac_core.h says how.
 *
 * @see protocol/SPEC.md, section 9
 */
// biome-ignore lint/style/useExportType: a value that the compiler provides
export { __heap_base as MAC_MEMORY_BYTES };

/** Bytes of MAC_PIECE: the longest name of a device. */
export const MAC_PIECE_BYTES: i32 = 64;
/** A piece of a message, or a device's name; the caller writes it. */
export const MAC_PIECE: usize = memory.data(64, 8);
/** The link key, 32 bytes; the caller writes it. */
export const MAC_LINK_KEY: usize = memory.data(32, 8);
/** The boot's keys, up and down. */
export const MAC_BOOT_KEYS: usize = memory.data(64, 8);
/** The last code: its first 8 bytes are a MAC. */
export const MAC_CODE: usize = memory.data(32, 8);
/** Neither a MAC nor a place for one where it should be, or a wrong one: nothing was changed. */
export const MAC_REFUSED: i32 = -1;
/** Directions: what a device says, and what it hears. */
export const MAC_UP: i32 = 0;
export const MAC_DOWN: i32 = 1;

const SCRATCH: usize = memory.data(<i32>HMAC_SCRATCH_BYTES, 8);
const KEY_BYTES: i32 = SHA256_DIGEST_BYTES;
const MAC_BYTES: i32 = 8;
/** A seal without a MAC: header and checksum. */
const SEAL_BYTES: i32 = 5;
const HEADER_PLAIN: u8 = 0x44;
const HEADER_SEALED: u8 = 0x4c;
/** "lockstep link 1" and a zero, in the order of a little-endian machine. */
const LABEL: u32 = 0x6b636f6c;
const LABEL_2: u32 = 0x70657473;
const LABEL_3: u32 = 0x6e696c20;
const LABEL_4: u32 = 0x0031206b;
/** Label, direction, nonce. */
const BOOT_MESSAGE_BYTES: i32 = 21;

/**
 * Begin a boot: its keys follow from the link key.
 *
 * @param nonce  the link's
 * @param nameLength  of the device's name in MAC_PIECE, 1..64
 */
export function macBoot(nonce: u32, nameLength: i32): void {
  for (let direction = MAC_UP; direction <= MAC_DOWN; direction++) {
    store<u32>(MAC_CODE, LABEL);
    store<u32>(MAC_CODE, LABEL_2, 4);
    store<u32>(MAC_CODE, LABEL_3, 8);
    store<u32>(MAC_CODE, LABEL_4, 12);
    store<u8>(MAC_CODE, direction, 16);
    store<u32>(MAC_CODE, bswap<u32>(nonce), 17);
    hmacSha256Begin(MAC_LINK_KEY, KEY_BYTES, SCRATCH);
    hmacSha256Update(MAC_CODE, BOOT_MESSAGE_BYTES, SCRATCH);
    hmacSha256Update(MAC_PIECE, nameLength, SCRATCH);
    hmacSha256Finish(MAC_LINK_KEY, KEY_BYTES, bootKey(direction), SCRATCH);
  }
}

/** Begin the code of a message in pieces. @param direction  MAC_UP or MAC_DOWN */
export function macBegin(direction: i32): void {
  hmacSha256Begin(bootKey(direction), KEY_BYTES, SCRATCH);
}

/** Take in the first `length` bytes of MAC_PIECE, 0..64. */
export function macUpdate(length: i32): void {
  hmacSha256Update(MAC_PIECE, length, SCRATCH);
}

/** End the message: the code is at MAC_CODE. */
export function macFinish(direction: i32): void {
  hmacSha256Finish(bootKey(direction), KEY_BYTES, MAC_CODE, SCRATCH);
}

/** End the message, and compare. @returns whether the MAC is the first 8 bytes of MAC_PIECE; the time does not tell where it differs */
export function macMatches(direction: i32): bool {
  macFinish(direction);
  return equalBytes(MAC_PIECE, MAC_CODE, MAC_BYTES);
}

/**
 * Put a MAC on a frame that goes up, in place.
 *
 * @param at  of the frame, from MAC_MEMORY_BYTES on; with 8 bytes of room behind it
 * @returns its length now, or MAC_REFUSED when it does not end in a checksum
 */
export function macSeal(at: usize, length: i32): i32 {
  const header = at + <usize>(length - SEAL_BYTES);
  if (length <= SEAL_BYTES || load<u8>(header) != HEADER_PLAIN) return MAC_REFUSED;
  store<u8>(header, HEADER_SEALED);
  code(MAC_UP, at, length);
  store<u64>(at + <usize>length, load<u64>(MAC_CODE));
  return length + MAC_BYTES;
}

/**
 * Take the MAC off a frame that came down, in place.
 *
 * @param at  of the frame, from MAC_MEMORY_BYTES on
 * @returns its length now, or MAC_REFUSED when it has no MAC, or not the right one
 */
export function macOpen(at: usize, length: i32): i32 {
  const plain = length - MAC_BYTES;
  const header = at + <usize>(plain - SEAL_BYTES);
  if (plain <= SEAL_BYTES || load<u8>(header) != HEADER_SEALED) return MAC_REFUSED;
  code(MAC_DOWN, at, plain);
  if (!equalBytes(at + <usize>plain, MAC_CODE, MAC_BYTES)) return MAC_REFUSED;
  store<u8>(header, HEADER_PLAIN);
  return plain;
}

function code(direction: i32, at: usize, length: i32): void {
  macBegin(direction);
  hmacSha256Update(at, length, SCRATCH);
  macFinish(direction);
}

function bootKey(direction: i32): usize {
  return MAC_BOOT_KEYS + <usize>(direction * KEY_BYTES);
}
