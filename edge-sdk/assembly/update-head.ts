/** The head of a slot: what was signed, and by whom. include/update_core.h has its table. */
import { copy } from "./cbor";
import { crc32 } from "./crc32";
import {
  HEAD,
  UPDATE_HEAD_ALGORITHM,
  UPDATE_HEAD_CRC,
  UPDATE_HEAD_KEY,
  UPDATE_HEAD_MANIFEST,
  UPDATE_HEAD_MANIFEST_LENGTH,
  UPDATE_HEAD_SIGNATURE,
} from "./update-memory";
import { verifyBegin } from "./update-signature";

/** Of the head in whole write units. */
const HEAD_ROOM: usize = 352;
const KEY_ID_BYTES: i32 = 8;
const SIGNATURE_BYTES: usize = 64;
const MANIFEST_BYTES_MAX: u32 = 256;
const CRC_BYTES: i32 = 4;

/**
 * Make the head of a package, and begin to verify its signature.
 *
 * @param trusted  the key's 32 bytes
 * @returns 0: it is not the key's, 1: it is, 2: call `verifyPart`
 */
export function composeHead(
  manifest: usize,
  length: i32,
  algorithm: u32,
  key: usize,
  signature: usize,
  signatureBytes: i32,
  trusted: usize,
): u32 {
  memory.fill(HEAD, 0xff, HEAD_ROOM);
  store<u16>(HEAD + UPDATE_HEAD_MANIFEST_LENGTH, length);
  store<u16>(HEAD + UPDATE_HEAD_ALGORITHM, algorithm);
  copy(HEAD + UPDATE_HEAD_KEY, key, KEY_ID_BYTES);
  copy(HEAD + UPDATE_HEAD_MANIFEST, manifest, length);
  const state = verifyBegin(trusted, algorithm, signature, length);
  memory.fill(HEAD + UPDATE_HEAD_SIGNATURE, 0, SIGNATURE_BYTES);
  copy(HEAD + UPDATE_HEAD_SIGNATURE, signature, signatureBytes);
  store<u32>(HEAD + UPDATE_HEAD_CRC, headCrc());
  return state;
}

/** Bytes of the manifest in the head; 0 where there is none. */
export function headManifestBytes(): i32 {
  const length = load<u16>(HEAD + UPDATE_HEAD_MANIFEST_LENGTH);
  if (length == 0 || <u32>length > MANIFEST_BYTES_MAX) return 0;
  return load<u32>(HEAD + UPDATE_HEAD_CRC) == headCrc() ? length : 0;
}

/** Bytes of the head. */
export function headBytes(): u32 {
  return <u32>UPDATE_HEAD_MANIFEST + load<u16>(HEAD + UPDATE_HEAD_MANIFEST_LENGTH);
}

/** Fill what is behind the manifest with what erased flash holds, as it stands in the slot. */
export function trimHead(): void {
  const end = headBytes();
  // A slot without a head reads as any length.
  if (end < HEAD_ROOM) memory.fill(HEAD + end, 0xff, HEAD_ROOM - end);
}

function headCrc(): u32 {
  return crc32(0, HEAD + CRC_BYTES, <i32>headBytes() - CRC_BYTES);
}
