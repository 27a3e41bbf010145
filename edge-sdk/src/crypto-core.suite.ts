import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { readFileSync } from "node:fs";

/** Fixtures of the tests of updates' cryptography: `crypto.wasm`, and Node's own of the same kind. */

interface CryptoExports {
  readonly memory: WebAssembly.Memory;
  sha256Reset(): void;
  sha256Update(length: number): void;
  sha256Finish(): void;
  sha512Reset(): void;
  sha512Update(length: number): void;
  sha512Finish(): void;
  hmacSha256(keyLength: number, length: number): void;
  hmacSha256Begin(keyLength: number): void;
  hmacSha256Update(length: number): void;
  hmacSha256Finish(keyLength: number): void;
  verifyHmacSha256(keyLength: number, length: number): number;
  crc32(before: number, length: number): number;
  verifyEd25519(length: number): number;
  ed25519Begin(length: number): number;
  ed25519Step(bit: number): void;
  ed25519End(): number;
}

const BYTES_OF = { 256: 32, 512: 64 } as const;

/** An instance of crypto.wasm, with values instead of addresses. */
export class CryptoCore {
  readonly #calls: CryptoExports;
  readonly #globals: Readonly<Record<string, WebAssembly.Global>>;

  constructor() {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(cryptoModule()));
    this.#calls = exports as unknown as CryptoExports;
    this.#globals = exports as unknown as Readonly<Record<string, WebAssembly.Global>>;
  }

  constant(name: string): number {
    return this.#globals[name]?.value ?? Number.NaN;
  }

  /** Whether its memory holds nothing but zeros. */
  isBlank(): boolean {
    return new Uint8Array(this.#calls.memory.buffer).every((byte) => byte === 0);
  }

  /** The digest of what is given in pieces. */
  digest(bits: 256 | 512, pieces: Iterable<Uint8Array>): string {
    const { sha256Reset, sha256Update, sha256Finish, sha512Reset, sha512Update, sha512Finish } = this.#calls;
    const is256 = bits === 256;
    (is256 ? sha256Reset : sha512Reset)();
    for (const piece of pieces) {
      this.#write("MESSAGE", piece);
      (is256 ? sha256Update : sha512Update)(piece.length);
    }
    (is256 ? sha256Finish : sha512Finish)();
    return this.#read(BYTES_OF[bits]);
  }

  hmac(key: Uint8Array, message: Uint8Array): string {
    this.#write("KEY", key);
    this.#write("MESSAGE", message);
    this.#calls.hmacSha256(key.length, message.length);
    return this.#read(BYTES_OF[256]);
  }

  /** The same of a message in pieces. */
  hmacOfPieces(key: Uint8Array, pieces: Iterable<Uint8Array>): string {
    this.#write("KEY", key);
    this.#calls.hmacSha256Begin(key.length);
    for (const piece of pieces) {
      this.#write("MESSAGE", piece);
      this.#calls.hmacSha256Update(piece.length);
    }
    this.#calls.hmacSha256Finish(key.length);
    return this.#read(BYTES_OF[256]);
  }

  verifyHmac(key: Uint8Array, message: Uint8Array, code: Uint8Array): boolean {
    this.#write("KEY", key);
    this.#write("MESSAGE", message);
    this.#write("SIGNATURE", code);
    return this.#calls.verifyHmacSha256(key.length, message.length) !== 0;
  }

  crc32(bytes: Uint8Array, before = 0): number {
    this.#write("MESSAGE", bytes);
    return this.#calls.crc32(before, bytes.length) >>> 0;
  }

  verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    this.#writeSigned(publicKey, message, signature);
    return this.#calls.verifyEd25519(message.length) !== 0;
  }

  /** The same in steps. @returns where it was refused, or not at all */
  stepEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): "begin" | "end" | "taken" {
    this.#writeSigned(publicKey, message, signature);
    if (this.#calls.ed25519Begin(message.length) === 0) return "begin";
    for (let bit = this.constant("ED25519_STEPS"); bit > 0; bit--) this.#calls.ed25519Step(bit - 1);
    return this.#calls.ed25519End() === 0 ? "end" : "taken";
  }

  #writeSigned(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): void {
    this.#write("KEY", publicKey);
    this.#write("MESSAGE", message);
    this.#write("SIGNATURE", signature);
  }

  #write(place: "KEY" | "MESSAGE" | "SIGNATURE", bytes: Uint8Array): void {
    new Uint8Array(this.#calls.memory.buffer).set(bytes, this.constant(place));
  }

  #read(length: number): string {
    return Buffer.from(this.#calls.memory.buffer, this.constant("SIGNATURE"), length).toString("hex");
  }
}

/** Bytes of the built module. */
export function cryptoModule(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(new URL("../build/crypto.wasm", import.meta.url)));
}

/** What stands before 32 bytes of an Ed25519 key. @see RFC 8410, 7 and 4 */
const SECRET_PREFIX = "302e020100300506032b657004220420";
const PUBLIC_PREFIX = "302a300506032b6570032100";

/** A key pair and how Node signs with it. @param secretKey  32 bytes */
export function signerOf(secretKey: Uint8Array): {
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array): Uint8Array;
} {
  const key = createPrivateKey({
    key: Buffer.concat([Buffer.from(SECRET_PREFIX, "hex"), secretKey]),
    format: "der",
    type: "pkcs8",
  });
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  return { publicKey: spki.subarray(-32), sign: (message) => sign(null, message, key) };
}

/** Whether Node takes a signature. */
export function nodeVerifies(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const key = createPublicKey({
    key: Buffer.concat([Buffer.from(PUBLIC_PREFIX, "hex"), publicKey]),
    format: "der",
    type: "spki",
  });
  return verify(null, message, key, signature);
}
