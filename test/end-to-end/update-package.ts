import { createHash, createPrivateKey, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { selfTestDigest } from "@lockstep/edge-sdk";
import { ANY_SLOT, encodeManifest, type UpdateManifest } from "@lockstep/protocol";
import { DEVICE_WASM } from "../conformance/raw-device.ts";
import { type SigningKey, signed, type UpdatePackage } from "../faults/update-package.ts";

/** A package that a test knows the version of. */
export interface VersionedPackage extends UpdatePackage {
  readonly version: number;
}

/** RFC 8032, section 7.1, test 1: `firmware-examples/rotor-updatable/trusted-key.h` has its public half. */
const TRUSTED_SEED = Buffer.from("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex");
/** In front of an Ed25519 seed, in a private key as Node reads it. */
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");
const MODEL_TEST = { channels: 2, samples: 24, seed: 77 };
/** What the example has for its core: the ring, and what is below. */
const MEMORY_BYTES = 12_288;
/** Whose packages the examples take. */
export const EXAMPLE_KEY = trustedKey();

/** A module that is the same to whoever runs it, under another SHA-256. */
export function relabelled(wasm: Uint8Array, label: string): Uint8Array {
  const name = Buffer.from(label, "ascii");
  return Buffer.concat([wasm, Buffer.from([0, name.length + 1, name.length]), name]);
}

/** What was made of device.wasm, signed as the examples of firmware-examples trust it. @param changes  in its manifest */
export function modulePackage(
  body: Uint8Array,
  version: number,
  changes: Partial<UpdateManifest> = {},
): VersionedPackage {
  const test = changes.test ?? testOf(readFileSync(DEVICE_WASM));
  const own = { form: "module", target: "module", slot: ANY_SLOT, version, memoryBytes: MEMORY_BYTES, test } as const;
  return packageOf(body, { ...own, model: sha256(body), ...changes });
}

/** An image that was linked for a slot. @param wasm  the module that is compiled into it */
export function imagePackage(
  body: Uint8Array,
  wasm: Uint8Array,
  about: Pick<UpdateManifest, "slot" | "version" | "target">,
  changes: Partial<UpdateManifest> = {},
): VersionedPackage {
  const own = { form: "image", memoryBytes: 0, model: sha256(wasm), test: testOf(wasm) } as const;
  return packageOf(body, { ...own, ...about, ...changes });
}

function packageOf(
  body: Uint8Array,
  about: Omit<UpdateManifest, "abi" | "length" | "sha256" | "stackBytes"> & Partial<UpdateManifest>,
): VersionedPackage {
  const manifest = encodeManifest({ abi: 1, stackBytes: 0, length: body.length, sha256: sha256(body), ...about });
  return { ...signed(manifest, body, EXAMPLE_KEY), version: about.version };
}

function testOf(wasm: Uint8Array): UpdateManifest["test"] {
  const { channels, samples, seed } = MODEL_TEST;
  return { ...MODEL_TEST, digest: selfTestDigest(wasm, channels, samples, seed) };
}

function trustedKey(): SigningKey {
  const secret = createPrivateKey({ key: Buffer.concat([PKCS8, TRUSTED_SEED]), format: "der", type: "pkcs8" });
  const bytes = Buffer.from(secret.export({ format: "jwk" }).x ?? "", "base64url");
  return {
    trusted: { algorithm: "ed25519", bytes },
    id: sha256(bytes).slice(0, 16),
    sign: (message) => new Uint8Array(sign(null, message, secret)),
  };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
