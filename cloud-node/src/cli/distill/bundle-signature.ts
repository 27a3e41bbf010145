import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { readSigningKey } from "../../flash/key-file.ts";
import { isSignedBy, KEY_ALGORITHMS, parseKey } from "../../flash/signing-key.ts";
import { DistillationError } from "../../workloads/distillation/distillation-error.ts";
import { readChecked, writeJson } from "../../workloads/distillation/evidence.ts";
import { MANIFEST_FILE, SIGNATURE_FILE } from "../../workloads/distillation/manifest.ts";

/** In front of what is signed: a signature of something else is none of a bundle. */
const DOMAIN = "lockstep student bundle\0";

const signatureSchema = v.strictObject({
  format: v.literal("lockstep-bundle-signature"),
  version: v.literal(1),
  algorithm: v.picklist(KEY_ALGORITHMS),
  /** Id of the key, as `lockstep keys show` says it. */
  key: v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/)),
  signature: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]+$/)),
});

/** Sign a bundle's manifest, and by its hashes every file. @returns the key's id. @throws {FlashError} as `readSigningKey` */
export async function signBundle(bundle: string, keyFile: string): Promise<string> {
  const key = await readSigningKey(keyFile);
  const { algorithm, id } = key.trusted;
  const signature = Buffer.from(key.sign(await signedBytes(bundle))).toString("base64url");
  await writeJson(join(bundle, SIGNATURE_FILE), {
    ...{ format: "lockstep-bundle-signature", version: 1, algorithm, key: id, signature },
  });
  return id;
}

/**
 * Make sure that a key has signed this very manifest.
 *
 * @param keyFile  of the public half, or of a secret
 * @returns the key's id
 * @throws {DistillationError} `bad-signature`, `bad-bundle`; {FlashError} `bad-key`
 */
export async function checkBundleSignature(bundle: string, keyFile: string): Promise<string> {
  const key = parseKey(await readFile(keyFile, "utf8"), keyFile);
  const said = await readChecked(join(bundle, SIGNATURE_FILE), signatureSchema, "bad-bundle");
  const remedy = "take the bundle from whom you trust, or check it with another key";
  if (said.key !== key.id) {
    throw new DistillationError(
      "bad-signature",
      `${bundle} is signed by key ${said.key}, and not by ${key.id}`,
      remedy,
    );
  }
  if (!isSignedBy(key, await signedBytes(bundle), Buffer.from(said.signature, "base64url"))) {
    throw new DistillationError("bad-signature", `${bundle} is not what key ${key.id} has signed`, remedy);
  }
  return key.id;
}

async function signedBytes(bundle: string): Promise<Uint8Array> {
  return Buffer.concat([Buffer.from(DOMAIN), await readFile(join(bundle, MANIFEST_FILE))]);
}
