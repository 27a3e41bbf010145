import { createHash, createHmac, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { crc32 } from "node:zlib";
import { selfTestDigest, type TrustedKey } from "@lockstep/edge-sdk";
import {
  ANY_SLOT,
  encodeManifest,
  type FlashAlgorithm,
  type FlashCommandFrame,
  sessionId,
  signedMessage,
  type UpdateManifest,
} from "@lockstep/protocol";

/** A key pair, or a secret, of 32 bytes that follow from a number. */
export interface SigningKey {
  readonly trusted: TrustedKey;
  readonly id: string;
  readonly sign: (message: Uint8Array) => Uint8Array;
}

/** A package as it is sent. */
export interface UpdatePackage {
  readonly sid: number;
  readonly manifest: Uint8Array;
  readonly algorithm: FlashAlgorithm;
  readonly key: string;
  readonly signature: Uint8Array;
  readonly body: Uint8Array;
}

const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");
const TEST = { channels: 3, samples: 40, seed: 77 };

/** @param n  0 … 255, another key each */
export function ed25519Key(n: number): SigningKey {
  const privateKey = createPrivateKey({
    key: Buffer.concat([PKCS8, Buffer.alloc(32, n)]),
    format: "der",
    type: "pkcs8",
  });
  const bytes = createPublicKey(privateKey).export({ format: "der", type: "spki" }).subarray(-32);
  return {
    trusted: { algorithm: "ed25519", bytes },
    id: keyId(bytes),
    sign: (message) => new Uint8Array(sign(null, message, privateKey)),
  };
}

/** @param n  0 … 255, another secret each */
export function hmacKey(n: number): SigningKey {
  const bytes = Buffer.alloc(32, n);
  return {
    trusted: { algorithm: "hmac-sha256", bytes },
    id: keyId(bytes),
    sign: (message) => new Uint8Array(createHmac("sha256", bytes).update(message).digest()),
  };
}

/** A package of a module; what is given in `changes` stands in its manifest instead. */
export function packageOf(
  body: Uint8Array,
  version: number,
  key: SigningKey,
  changes: Partial<UpdateManifest> = {},
): UpdatePackage {
  const sha256 = createHash("sha256").update(body).digest("hex");
  const manifest = encodeManifest({
    form: "module",
    target: "module",
    abi: 1,
    slot: ANY_SLOT,
    version,
    length: body.length,
    sha256,
    model: sha256,
    memoryBytes: 65_536,
    stackBytes: 0,
    test: { ...TEST, digest: digestOf(body) },
    ...changes,
  });
  return signed(manifest, body, key);
}

/** A package of any manifest's bytes. */
export function signed(manifest: Uint8Array, body: Uint8Array, key: SigningKey): UpdatePackage {
  const { algorithm } = key.trusted;
  const signature = key.sign(signedMessage(manifest));
  return { sid: sessionId(manifest), manifest, algorithm, key: key.id, signature, body };
}

/** The frame that offers it. */
export function beginFrame(update: UpdatePackage, nonce: number): FlashCommandFrame {
  const { manifest, algorithm, key, signature } = update;
  return { kind: "flash", op: "begin", nonce, manifest, algorithm, key, signature };
}

/** The frame with the body's bytes from an offset. */
export function chunkFrame(update: UpdatePackage, offset: number, bytes: number, nonce: number): FlashCommandFrame {
  const data = update.body.slice(offset, offset + bytes);
  return { kind: "flash", op: "chunk", nonce, sid: update.sid, offset, data, crc: crc32(data) };
}

/** What a module's self-test comes to; zeros for one that runs into a trap. */
function digestOf(body: Uint8Array): string {
  try {
    return selfTestDigest(body, TEST.channels, TEST.samples, TEST.seed);
  } catch {
    return "00".repeat(32);
  }
}

function keyId(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}
