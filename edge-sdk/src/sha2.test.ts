import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { SEED, SeededNoise } from "./codec-signals.suite.ts";
import { CryptoCore } from "./crypto-core.suite.ts";

/** Hashes and checksums of updates, held against published examples and against Node. */

const core = new CryptoCore();
const BITS = [256, 512] as const;
const ASCII_448 = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
const ASCII_896 =
  "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";
/** @see NIST, Cryptographic Standards and Guidelines, Examples with Intermediate Values; FIPS 180-4 */
const EXAMPLES = [
  [256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  [256, ASCII_448, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"],
  [
    512,
    "abc",
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
  ],
  [
    512,
    ASCII_896,
    "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909",
  ],
] as const;
const MILLION_A = {
  256: "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
  512: "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973ebde0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b",
} as const;

function randomBytes(noise: SeededNoise, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => noise.uint32() >>> 24);
}

function expected(bits: 256 | 512, message: Uint8Array): string {
  return createHash(`sha${bits}`).update(message).digest("hex");
}

test("no constant takes memory: that of a fresh module is blank, and what hashing leaves there is not", () => {
  const fresh = new CryptoCore();
  expect(fresh.isBlank()).toBe(true);
  fresh.digest(512, []);
  expect(fresh.isBlank()).toBe(false);
});

test.for(EXAMPLES)("SHA-%i of the standard's example is its digest: %s", ([bits, message, digest]) => {
  expect(core.digest(bits, [Buffer.from(message)])).toBe(digest);
});

test.for(BITS)("SHA-%i of a million letters, a thousand at a time, is the standard's", (bits) => {
  const piece = Buffer.alloc(1000, "a");
  expect(core.digest(bits, Array<Uint8Array>(1000).fill(piece))).toBe(MILLION_A[bits]);
});

test.for(BITS)(
  "SHA-%i is Node's for every length up to three blocks, where the padding changes and where not",
  (bits) => {
    const message = randomBytes(new SeededNoise(SEED), 3 * 128 + 1);
    for (let length = 0; length <= message.length; length++) {
      const part = message.subarray(0, length);
      if (core.digest(bits, [part]) !== expected(bits, part)) expect.fail(`${length} bytes, seed ${SEED}`);
    }
  },
);

test.for(BITS)("SHA-%i does not depend on how a message is cut, empty pieces among them", (bits) => {
  const noise = new SeededNoise(SEED);
  for (let round = 0; round < 200; round++) {
    const message = randomBytes(noise, noise.uint32() % 700);
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < message.length; ) {
      const length = noise.uint32() % 150;
      pieces.push(message.subarray(at, at + length));
      at += length;
    }
    if (core.digest(bits, pieces) !== expected(bits, message)) {
      expect.fail(`round ${round}, ${pieces.map(({ length }) => length)}, seed ${SEED}`);
    }
  }
});

test("CRC-32 is that of zlib: its check value, none for nothing, and Node's of random bytes in pieces", () => {
  expect(core.crc32(Buffer.from("123456789"))).toBe(0xcbf43926);
  expect(core.crc32(new Uint8Array())).toBe(0);
  const noise = new SeededNoise(SEED);
  for (let round = 0; round < 200; round++) {
    const bytes = randomBytes(noise, noise.uint32() % 600);
    const cut = noise.uint32() % (bytes.length + 1);
    const inPieces = core.crc32(bytes.subarray(cut), core.crc32(bytes.subarray(0, cut)));
    if (inPieces !== crc32(bytes)) expect.fail(`${bytes.length} bytes cut at ${cut}, seed ${SEED}`);
  }
});
