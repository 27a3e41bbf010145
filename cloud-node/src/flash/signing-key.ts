import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  timingSafeEqual,
  verify,
} from "node:crypto";
import { type FlashAlgorithm, SIGNATURE_BYTES } from "@lockstep/protocol";
import { FlashError } from "./flash-error.ts";

/** What packages are signed with; the place in this list is the number on the wire. */
export const KEY_ALGORITHMS = ["ed25519", "hmac-sha256"] as const satisfies readonly FlashAlgorithm[];
export type KeyAlgorithm = FlashAlgorithm;

const KEY_BYTES = 32;
const KEY_ID_BYTES = 8;
/** What a key's line begins with. */
const LINE_NAMES: Readonly<Record<KeyAlgorithm, string>> = { ed25519: "ed25519", "hmac-sha256": "hmac" };
const PEM_START = "-----BEGIN PRIVATE KEY-----";

/** What a package's signature is checked with: a public key, or a secret that signer, node and device share. */
export interface TrustedKey {
  readonly algorithm: KeyAlgorithm;
  /** First 8 bytes of the SHA-256 of `bytes`, 16 hex digits: what packages and devices name it by. */
  readonly id: string;
  /** 32 of them; secret for `hmac-sha256`. */
  readonly bytes: Uint8Array;
}

/** What packages are signed with. */
export interface SigningKey {
  readonly trusted: TrustedKey;
  /** @returns 64 bytes for `ed25519`, 32 for `hmac-sha256` */
  sign(message: Uint8Array): Uint8Array;
}

/** A key that nobody has had before, and the text of the file to keep it in. */
export interface NewKey {
  readonly key: SigningKey;
  /** PKCS#8 in PEM for `ed25519`, one line for `hmac-sha256`. Secret. */
  readonly fileText: string;
}

/** Make a key. */
export function createKey(algorithm: KeyAlgorithm): NewKey {
  if (algorithm === "hmac-sha256") {
    const bytes = new Uint8Array(randomBytes(KEY_BYTES));
    return { key: sharedKey(bytes), fileText: `${formatKey(trustedKey(algorithm, bytes))}\n` };
  }
  const { privateKey } = generateKeyPairSync("ed25519");
  const fileText = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return { key: privateSigner(privateKey), fileText };
}

/**
 * The key in the text of a file as `createKey` makes them.
 *
 * @param name  of the file, for the message
 * @throws {FlashError} `no-private-key` for a public key, `bad-key-file` for everything else
 */
export function parseSigningKey(text: string, name: string): SigningKey {
  if (text.includes(PEM_START)) {
    const key = unlessBad(() => createPrivateKey(text));
    if (key?.asymmetricKeyType === "ed25519") return privateSigner(key);
    const problem = key === undefined ? "is damaged" : `holds a ${key.asymmetricKeyType} key`;
    throw new FlashError(
      "bad-key-file",
      `${name} ${problem}`,
      "give an Ed25519 key in PKCS#8 PEM, as `keys new` makes",
    );
  }
  const line = text.trim();
  if (line.startsWith(`${LINE_NAMES.ed25519}:`)) {
    throw new FlashError("no-private-key", `${name} is a public key`, "give the private key's file, without .pub");
  }
  const key = line.startsWith(`${LINE_NAMES["hmac-sha256"]}:`) ? parseKey(line, name) : undefined;
  if (key !== undefined) return sharedKey(key.bytes);
  throw new FlashError("bad-key-file", `${name} holds no key`, "give a file that `lockstep keys new` made");
}

/**
 * The key of one line, `ed25519:BASE64URL` or `hmac:BASE64URL`, as devices read it too.
 *
 * @param place  file, or file and line, for the message
 * @throws {FlashError} `bad-key`
 */
export function parseKey(line: string, place: string): TrustedKey {
  const [name = "", text = "", ...more] = line.trim().split(":");
  const algorithm = KEY_ALGORITHMS.find((one) => LINE_NAMES[one] === name);
  const bytes = Buffer.from(text, "base64url");
  const isWhole = bytes.length === KEY_BYTES && bytes.toString("base64url") === text;
  if (algorithm === undefined || !isWhole || more.length > 0) {
    const form = "ed25519: or hmac: and 43 characters of base64url";
    throw new FlashError("bad-key", `${place}: this is no key`, `write ${form}, as \`lockstep keys show\` does`);
  }
  return trustedKey(algorithm, new Uint8Array(bytes));
}

/** A key as one line, the same for people, nodes and devices. */
export function formatKey({ algorithm, bytes }: TrustedKey): string {
  return `${LINE_NAMES[algorithm]}:${Buffer.from(bytes).toString("base64url")}`;
}

/** Whether a signature is this key's, over exactly this message. */
export function isSignedBy(key: TrustedKey, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES[key.algorithm]) return false;
  if (key.algorithm === "hmac-sha256") return timingSafeEqual(hmac(key.bytes, message), signature);
  const x = Buffer.from(key.bytes).toString("base64url");
  const publicKey = unlessBad(() => createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" }));
  return publicKey !== undefined && verify(null, message, publicKey, signature);
}

function trustedKey(algorithm: KeyAlgorithm, bytes: Uint8Array): TrustedKey {
  return {
    algorithm,
    id: createHash("sha256")
      .update(bytes)
      .digest("hex")
      .slice(0, 2 * KEY_ID_BYTES),
    bytes,
  };
}

function privateSigner(key: KeyObject): SigningKey {
  const { x = "" } = createPublicKey(key).export({ format: "jwk" });
  const trusted = trustedKey("ed25519", new Uint8Array(Buffer.from(x, "base64url")));
  return { trusted, sign: (message) => new Uint8Array(sign(null, message, key)) };
}

function sharedKey(bytes: Uint8Array): SigningKey {
  return { trusted: trustedKey("hmac-sha256", bytes), sign: (message) => hmac(bytes, message) };
}

function hmac(secret: Uint8Array, message: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac("sha256", createSecretKey(secret)).update(message).digest());
}

/** Undefined for what OpenSSL cannot read: the caller says what it should have been. */
function unlessBad(make: () => KeyObject): KeyObject | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
