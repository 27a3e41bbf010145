import { expect, test } from "vitest";
import { SEED, SeededNoise } from "./codec-signals.suite.ts";
import { CryptoCore, nodeVerifies, signerOf } from "./crypto-core.suite.ts";
import { RFC_8032_VECTORS } from "./rfc8032-vectors.suite.ts";

const core = new CryptoCore();
const ROUNDS = 300;
const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"));

function randomBytes(noise: SeededNoise, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => noise.uint32() >>> 24);
}

function withBitWrong(bytes: Uint8Array, bit: number): Uint8Array {
  const wrong = Uint8Array.from(bytes);
  wrong[bit >> 3] = (wrong[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return wrong;
}

test.for(RFC_8032_VECTORS.map((vector) => [vector.name, vector] as const))(
  "RFC 8032, %s: the published signature is taken, and it is the one that Node makes",
  ([, { secretKey, publicKey, message, signature }]) => {
    const signer = signerOf(bytesOf(secretKey));
    expect(Buffer.from(signer.publicKey).toString("hex")).toBe(publicKey);
    expect(Buffer.from(signer.sign(bytesOf(message))).toString("hex")).toBe(signature);
    expect(core.verifyEd25519(bytesOf(publicKey), bytesOf(message), bytesOf(signature))).toBe(true);
    expect(core.stepEd25519(bytesOf(publicKey), bytesOf(message), bytesOf(signature))).toBe("taken");
  },
);

test("what Node signs is taken, whatever key and message, and refused with any one bit wrong somewhere", () => {
  const noise = new SeededNoise(SEED);
  for (let round = 0; round < ROUNDS; round++) {
    const signer = signerOf(randomBytes(noise, 32));
    const message = randomBytes(noise, 1 + (noise.uint32() % 300));
    const signature = signer.sign(message);
    if (!core.verifyEd25519(signer.publicKey, message, signature)) expect.fail(`round ${round}, seed ${SEED}`);
    const wrongs = [
      [withBitWrong(signer.publicKey, noise.uint32() % 256), message, signature],
      [signer.publicKey, withBitWrong(message, noise.uint32() % (8 * message.length)), signature],
      [signer.publicKey, message, withBitWrong(signature, noise.uint32() % 256)],
      [signer.publicKey, message, withBitWrong(signature, 256 + (noise.uint32() % 256))],
      [signer.publicKey, message.subarray(1), signature],
    ] as const;
    for (const [place, [key, signed, its]] of wrongs.entries()) {
      if (core.verifyEd25519(key, signed, its)) expect.fail(`round ${round}, mutation ${place}, seed ${SEED}`);
    }
  }
});

test("every bit of signature, key and message counts", () => {
  const signer = signerOf(bytesOf(RFC_8032_VECTORS[0]?.secretKey ?? ""));
  const message = Buffer.from("lockstep");
  const signature = signer.sign(message);
  expect(core.verifyEd25519(signer.publicKey, message, signature)).toBe(true);
  for (let bit = 0; bit < 512; bit++) {
    if (core.verifyEd25519(signer.publicKey, message, withBitWrong(signature, bit))) expect.fail(`signature, ${bit}`);
  }
  for (let bit = 0; bit < 256; bit++) {
    if (core.verifyEd25519(withBitWrong(signer.publicKey, bit), message, signature)) expect.fail(`key, bit ${bit}`);
  }
  for (let bit = 0; bit < 64; bit++) {
    if (core.verifyEd25519(signer.publicKey, withBitWrong(message, bit), signature)) expect.fail(`message, ${bit}`);
  }
});

test("Node and we agree on random keys and signatures, and on sound ones with bytes of another put in", () => {
  const noise = new SeededNoise(SEED + 1);
  const signers = Array.from({ length: 8 }, () => signerOf(randomBytes(noise, 32)));
  const pick = () => signers[noise.uint32() % signers.length] ?? expect.fail("no signer");
  let taken = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const message = randomBytes(noise, noise.uint32() % 200);
    const signature = Uint8Array.from(pick().sign(message));
    const key = Uint8Array.from(noise.uint32() % 8 === 0 ? randomBytes(noise, 32) : pick().publicKey);
    const other = noise.uint32() % 2 === 0 ? pick().sign(message) : randomBytes(noise, 64);
    const from = noise.uint32() % 64;
    if (noise.uint32() % 3 === 0) signature.set(other.subarray(from, from + 1 + (noise.uint32() % 32)), from);
    const isTaken = core.verifyEd25519(key, message, signature);
    if (isTaken !== nodeVerifies(key, message, signature)) expect.fail(`round ${round}, seed ${SEED + 1}`);
    taken += isTaken ? 1 : 0;
  }
  expect(taken).toBeGreaterThan(5);
  expect(taken).toBeLessThan(ROUNDS / 2);
});
