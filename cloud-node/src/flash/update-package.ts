import { createHash } from "node:crypto";
import {
  ANY_SLOT,
  decodeManifest,
  encodeManifest,
  FrameError,
  MAX_MANIFEST_BYTES,
  SIGNATURE_BYTES,
  sessionId,
  signedMessage,
  type UpdateManifest,
} from "@lockstep/protocol";
import { FlashError } from "./flash-error.ts";
import { isSignedBy, KEY_ALGORITHMS, type KeyAlgorithm, type SigningKey, type TrustedKey } from "./signing-key.ts";

/** What is sent to devices: who signed which body, and the module that its frames are decoded with. */
export interface UpdatePackage {
  readonly manifest: UpdateManifest;
  /** The bytes that are signed. */
  readonly manifestBytes: Uint8Array;
  readonly algorithm: KeyAlgorithm;
  /** 16 hex digits. */
  readonly keyId: string;
  readonly signature: Uint8Array;
  /** What goes into the device's slot. */
  readonly body: Uint8Array;
  /** The codec that the body runs; in module form the body itself. */
  readonly module: Uint8Array;
  /** u32: what devices name it by. */
  readonly sid: number;
}

/*
 * Numbers are big-endian:
 *
 *   0   "LSUP"      magic
 *   4   u8          format, 1
 *   5   u8          algorithm, index into KEY_ALGORITHMS
 *   6   8 bytes     key id
 *   14  u16         bytes of the manifest
 *   16  u32         bytes of the body
 *   20  u32         bytes of the module behind it; 0: the body is the module
 *   24  manifest, signature, body, module
 */
const MAGIC = "LSUP";
const FORMAT = 1;
const HEAD_BYTES = 24;
/** Far above what a microcontroller's slot has; a node holds it in memory while it is sent. */
export const MAX_PACKAGE_BYTES = 4 << 20;

/** What a package is made of; the manifest's other fields follow from the bytes. */
export interface PackageParts {
  readonly about: Omit<UpdateManifest, "length" | "sha256" | "model">;
  readonly body: Uint8Array;
  readonly module: Uint8Array;
  readonly key: SigningKey;
}

/** Put a package together, and sign it. @throws {FrameError} when a field of the manifest is outside its range */
export function makePackage({ about, body, module, key }: PackageParts): UpdatePackage {
  const manifest = { ...about, length: body.length, sha256: sha256(body), model: sha256(module) };
  const manifestBytes = encodeManifest(manifest);
  const { algorithm, id: keyId } = key.trusted;
  const signature = key.sign(signedMessage(manifestBytes));
  return { manifest, manifestBytes, algorithm, keyId, signature, body, module, sid: sessionId(manifestBytes) };
}

/** The bytes of a package's file. */
export function encodePackage(update: UpdatePackage): Uint8Array {
  const { manifest, manifestBytes, algorithm, keyId, signature, body } = update;
  const module = manifest.form === "module" ? new Uint8Array() : update.module;
  const head = Buffer.alloc(HEAD_BYTES);
  head.write(MAGIC, "latin1");
  head.writeUInt8(FORMAT, 4);
  head.writeUInt8(KEY_ALGORITHMS.indexOf(algorithm), 5);
  head.write(keyId, 6, "hex");
  head.writeUInt16BE(manifestBytes.length, 14);
  head.writeUInt32BE(body.length, 16);
  head.writeUInt32BE(module.length, 20);
  return new Uint8Array(Buffer.concat([head, manifestBytes, signature, body, module]));
}

/**
 * Read the packages that stand one behind the other in some bytes, one for each slot or one for all.
 *
 * Every digest is checked; that they are signed by a trusted key `checkSignature` says.
 *
 * @param bytes  kept: the parts are views of it
 * @throws {FlashError} `bad-package`, `bad-digest`
 */
export function decodePackages(bytes: Uint8Array): UpdatePackage[] {
  const packages: UpdatePackage[] = [];
  for (let at = 0; at < bytes.length || packages.length === 0; ) {
    const { update, end } = decodeOne(bytes, at);
    packages.push(update);
    at = end;
  }
  const slots = packages.map(({ manifest }) => manifest.slot);
  if (packages.length > 2 || new Set(slots).size !== slots.length) {
    throw new FlashError(
      "bad-package",
      `packages for slots ${slots.join(", ")}`,
      "give one for each slot, or one for all",
    );
  }
  const [first] = packages;
  for (const { manifest } of packages) {
    const isSame = manifest.version === first?.manifest.version && manifest.model === first.manifest.model;
    if (!isSame) throw new FlashError("bad-package", "the packages differ in more than their slot", "make them anew");
  }
  return packages;
}

/**
 * Make sure that a package was signed by a key that is trusted.
 *
 * @throws {FlashError} `unknown-key`, `bad-signature`
 */
export function checkSignature(update: UpdatePackage, trusted: readonly TrustedKey[]): void {
  const { algorithm, keyId, manifestBytes, signature } = update;
  const key = trusted.find(({ id, algorithm: kind }) => id === keyId && kind === algorithm);
  if (key === undefined) {
    const remedy = "if it is yours, `lockstep keys trust FILE --store …` beside the node's store";
    throw new FlashError(
      "unknown-key",
      `the package is signed by key ${keyId}, which this node does not trust`,
      remedy,
    );
  }
  if (isSignedBy(key, signedMessage(manifestBytes), signature)) return;
  throw new FlashError("bad-signature", `the package is not what key ${keyId} signed`, "sign it again, or get it anew");
}

function decodeOne(bytes: Uint8Array, at: number): { readonly update: UpdatePackage; readonly end: number } {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(HEAD_BYTES, bytes.length - at));
  if (head.length < HEAD_BYTES || head.toString("latin1", 0, 4) !== MAGIC || head[4] !== FORMAT) {
    throw new FlashError("bad-package", `no package begins at byte ${at}`, "send what `lockstep flash` makes");
  }
  const algorithm = KEY_ALGORITHMS[head.readUInt8(5)];
  const manifestLength = head.readUInt16BE(14);
  if (algorithm === undefined || manifestLength > MAX_MANIFEST_BYTES) {
    const what = algorithm === undefined ? `algorithm ${head[5]}` : `a manifest of ${manifestLength} bytes`;
    throw new FlashError("bad-package", `the package at byte ${at} has ${what}`, "send what `lockstep flash` makes");
  }
  let end = at + HEAD_BYTES;
  const take = (length: number): Uint8Array => {
    end += length;
    return bytes.subarray(end - length, end);
  };
  const manifestBytes = take(manifestLength);
  const signature = take(SIGNATURE_BYTES[algorithm]);
  const body = take(head.readUInt32BE(16));
  const moduleLength = head.readUInt32BE(20);
  const module = moduleLength === 0 ? body : take(moduleLength);
  if (end > bytes.length) {
    throw new FlashError(
      "bad-package",
      `the package ends at byte ${end}, and ${bytes.length} are here`,
      "send it whole",
    );
  }
  const manifest = readManifest(manifestBytes);
  checkDigests(manifest, body, module, moduleLength);
  const keyId = head.toString("hex", 6, 14);
  const sid = sessionId(manifestBytes);
  return { update: { manifest, manifestBytes, algorithm, keyId, signature, body, module, sid }, end };
}

function readManifest(bytes: Uint8Array): UpdateManifest {
  try {
    return decodeManifest(bytes);
  } catch (cause) {
    if (!(cause instanceof FrameError)) throw cause;
    throw new FlashError("bad-package", `its manifest is damaged (${cause.message})`, "make it anew", { cause });
  }
}

function checkDigests(manifest: UpdateManifest, body: Uint8Array, module: Uint8Array, moduleLength: number): void {
  if (body.length !== manifest.length || sha256(body) !== manifest.sha256) {
    throw new FlashError("bad-digest", "the package's body is not the one that its manifest names", "get it anew");
  }
  if (sha256(module) === manifest.model && (manifest.form === "image" || moduleLength === 0)) return;
  throw new FlashError("bad-digest", "the package's module is not the one that its manifest names", "get it anew");
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Whether a package can be put beside the slot that runs: into the other one, or, of a module, into any. */
export function fitsBeside({ slot }: Pick<UpdateManifest, "slot">, runningSlot: number): boolean {
  return slot === ANY_SLOT || slot !== runningSlot;
}
