import { createHash, createPrivateKey, sign } from "node:crypto";
import { ANY_SLOT, encodeManifest, murmur3, sessionId, signedMessage, type UpdateManifest } from "@lockstep/protocol";

/** A body that is signed for the examples of firmware-examples. */
export interface UpdatePackage {
  readonly manifest: Uint8Array;
  readonly signature: Uint8Array;
  readonly key: string;
  readonly sid: number;
  readonly version: number;
  readonly body: Uint8Array;
}

/** How a package differs from a good one. */
export interface PackageChanges extends Partial<UpdateManifest> {
  /** Of the signing key; default: the one that the examples trust. */
  readonly seed?: Uint8Array;
  /** What is sent in place of what was signed. */
  readonly sent?: Uint8Array;
}

/** RFC 8032, section 7.1, test 1: `firmware-examples/rotor-updatable/trusted-key.h` has its public half. */
const TRUSTED_SEED = Buffer.from("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex");
/** In front of an Ed25519 seed, in a private key as Node reads it. */
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");
const MODEL_TEST = { channels: 2, samples: 24, seed: 77 };

/** A module that is the same to whoever runs it, under another SHA-256. */
export function relabelled(wasm: Uint8Array, label: string): Uint8Array {
  const name = Buffer.from(label, "ascii");
  return Buffer.concat([wasm, Buffer.from([0, name.length + 1, name.length]), name]);
}

/** Sign a module. @param model  whose self-test it is held to, the body itself unless it is an image */
export function modulePackage(body: Uint8Array, version: number, changes: PackageChanges = {}): UpdatePackage {
  const manifest: UpdateManifest = {
    form: "module",
    target: "module",
    abi: 1,
    slot: ANY_SLOT,
    version,
    length: body.length,
    sha256: sha256(body),
    model: sha256(body),
    memoryBytes: 12_288,
    stackBytes: 0,
    test: changes.test ?? { ...MODEL_TEST, digest: selfTestDigest(body) },
  };
  return signed({ ...manifest, ...withoutOwn(changes) }, changes.sent ?? body, changes.seed);
}

/** Sign an image that was linked for a slot. @param wasm  the module that is compiled into it */
export function imagePackage(
  body: Uint8Array,
  wasm: Uint8Array,
  { slot, version, target }: Pick<UpdateManifest, "slot" | "version" | "target">,
  changes: PackageChanges = {},
): UpdatePackage {
  const test = { ...MODEL_TEST, digest: selfTestDigest(wasm) };
  const manifest = { form: "image", target, abi: 1, slot, version, memoryBytes: 0, stackBytes: 0, test } as const;
  const whole = { ...manifest, length: body.length, sha256: sha256(body), model: sha256(wasm) };
  return signed({ ...whole, ...withoutOwn(changes) }, changes.sent ?? body, changes.seed);
}

function withoutOwn({ seed: _, sent: __, ...manifest }: PackageChanges): Partial<UpdateManifest> {
  return manifest;
}

function signed(manifest: UpdateManifest, body: Uint8Array, seed: Uint8Array = TRUSTED_SEED): UpdatePackage {
  const bytes = encodeManifest(manifest);
  const secret = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: "der", type: "pkcs8" });
  // The public key is at the end of its own encoding.
  const publicKey = Buffer.from(secret.export({ format: "jwk" }).x ?? "", "base64url");
  return {
    manifest: bytes,
    signature: sign(null, signedMessage(bytes), secret),
    key: createHash("sha256").update(publicKey).digest("hex").slice(0, 16),
    sid: sessionId(bytes),
    version: manifest.version,
    body,
  };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** What a module makes of the samples of the test, by Node's own engine. */
function selfTestDigest(wasm: Uint8Array): string {
  const exports = new WebAssembly.Instance(new WebAssembly.Module(wasm)).exports as unknown as Record<
    string,
    (...args: number[]) => number
  > & { memory: { buffer: ArrayBuffer } };
  const { channels, samples, seed } = MODEL_TEST;
  exports.codecConfigure?.(channels);
  for (let c = 0; c < channels; c++) exports.codecSetChannel?.(c, 64, 1, 0);
  const row = exports.freeAddress?.() ?? 0;
  const out = row + 4 * channels;
  exports.codecReset?.();
  exports.encodeBegin?.(0, out, 4096);
  for (let t = 0; t < samples; t++) {
    const values = new Int32Array(exports.memory.buffer, row, channels);
    for (let c = 0; c < channels; c++) {
      values[c] = (murmur3(seed, new Uint8Array(Uint32Array.of(t, c).buffer)) | 0) >> (12 + (t % 4) * 4);
    }
    exports.encodeRows?.(row, 0, 1);
  }
  const length = exports.encodeEnd?.() ?? 0;
  const hash = Uint32Array.of(exports.stateHash?.() ?? 0);
  return createHash("sha256")
    .update(new Uint8Array(exports.memory.buffer, out, length))
    .update(new Uint8Array(hash.buffer))
    .digest("hex");
}
