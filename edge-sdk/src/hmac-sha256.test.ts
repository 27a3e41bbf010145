import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { SEED, SeededNoise } from "./codec-signals.suite.ts";
import { CryptoCore } from "./crypto-core.suite.ts";

const core = new CryptoCore();
const text = (ascii: string) => Buffer.from(ascii, "latin1");
const repeated = (byte: number, count: number) => Buffer.alloc(count, byte);

/** @see RFC 4231, 4.2 to 4.8; of the fifth only the first 16 bytes are published */
const EXAMPLES = [
  [
    "1, a key of 20 bytes",
    repeated(0x0b, 20),
    text("Hi There"),
    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
  ],
  [
    "2, a key shorter than the digest",
    text("Jefe"),
    text("what do ya want for nothing?"),
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  ],
  [
    "3, data longer than 64 bytes with the key",
    repeated(0xaa, 20),
    repeated(0xdd, 50),
    "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
  ],
  [
    "4, a key of 25 bytes",
    Buffer.from({ length: 25 }).map((_, i) => i + 1),
    repeated(0xcd, 50),
    "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
  ],
  ["5, cut to 128 bits", repeated(0x0c, 20), text("Test With Truncation"), "a3b6167473100ee06e0c796c2955552b"],
  [
    "6, a key longer than a block",
    repeated(0xaa, 131),
    text("Test Using Larger Than Block-Size Key - Hash Key First"),
    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
  ],
  [
    "7, key and data longer than a block",
    repeated(0xaa, 131),
    text(
      "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.",
    ),
    "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
  ],
] as const;

test.for(EXAMPLES)("the code of example %s is the published one", ([, key, message, code]) => {
  expect(core.hmac(key, message).slice(0, code.length)).toBe(code);
});

test("a code is Node's for every length of key around a block, and of message around the padding", () => {
  const noise = new SeededNoise(SEED);
  const bytes = (length: number) => Uint8Array.from({ length }, () => noise.uint32() >>> 24);
  for (const keyLength of [0, 1, 31, 32, 33, 63, 64, 65, 100, 160]) {
    for (const length of [0, 1, 54, 55, 56, 63, 64, 65, 119, 120, 500]) {
      const [key, message] = [bytes(keyLength), bytes(length)];
      const code = createHmac("sha256", key).update(message).digest();
      if (core.hmac(key, message) !== code.toString("hex")) expect.fail(`${keyLength}, ${length}, seed ${SEED}`);
      const pieces = [message.subarray(0, 7), message.subarray(7, 7), message.subarray(7)];
      if (core.hmacOfPieces(key, pieces) !== code.toString("hex")) expect.fail(`${keyLength}, ${length} in pieces`);
      if (!core.verifyHmac(key, message, code)) expect.fail(`${keyLength}, ${length} refused, seed ${SEED}`);
    }
  }
});

test("a code with any one bit wrong is refused, and so is the right one of another key or message", () => {
  const [key, message] = [text("sixteen byte key"), text("of this message")];
  const code = createHmac("sha256", key).update(message).digest();
  expect(core.verifyHmac(key, message, code)).toBe(true);
  for (let bit = 0; bit < 256; bit++) {
    const wrong = Buffer.from(code);
    wrong[bit >> 3] = (wrong[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    if (core.verifyHmac(key, message, wrong)) expect.fail(`bit ${bit} is not looked at`);
  }
  expect(core.verifyHmac(text("sixteen byte kez"), message, code)).toBe(false);
  expect(core.verifyHmac(key, text("of this messagf"), code)).toBe(false);
});
