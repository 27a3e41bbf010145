import type { CborReader } from "../cbor-reader.ts";
import type { CborWriter } from "../cbor-writer.ts";
import { field } from "../field.ts";
import { fromHex, toHex } from "../hex.ts";

/** How a package is signed: by Ed25519 (RFC 8032, pure), or with a shared secret by HMAC-SHA256 (RFC 2104). */
export type FlashAlgorithm = "ed25519" | "hmac-sha256";

/** A key that a device trusts. */
export interface FlashKeyName {
  readonly algorithm: FlashAlgorithm;
  /** 16 lower-case hexadecimal digits: the first 8 bytes of SHA-256 of the public key, or of the secret. */
  readonly id: string;
}

/** Bytes of a signature, by algorithm. */
export const SIGNATURE_BYTES: Readonly<Record<FlashAlgorithm, number>> = { ed25519: 64, "hmac-sha256": 32 };

/** By the number on the wire. */
const ALGORITHMS: readonly FlashAlgorithm[] = ["ed25519", "hmac-sha256"];
const ALGORITHM = field("algorithm", 0, ALGORITHMS.length - 1);
const KEY = field("key", 8, 8);

/** Write an algorithm and a key's id, two elements. @throws {FrameError} `out-of-range` */
export function writeKeyName(writer: CborWriter, { algorithm, id }: FlashKeyName): void {
  writer.int(ALGORITHMS.indexOf(algorithm), ALGORITHM);
  writer.byteString(fromHex(id, KEY, writer.length), KEY);
}

/** Mirrors {@link writeKeyName}. @throws {FrameError} as the reader's items */
export function readKeyName(reader: CborReader): FlashKeyName {
  const algorithm = ALGORITHMS[reader.uint(ALGORITHM)] ?? "ed25519";
  return { algorithm, id: toHex(reader.byteString(KEY)) };
}
