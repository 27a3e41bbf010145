import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { SeededRandom } from "../test-device.suite.ts";
import { FrameHmac } from "./frame-hmac.ts";

const SEED = 11;
const hmac = new FrameHmac();

/** @see RFC 4231, 4.2, 4.3 and 4.5 */
test.for([
  [Buffer.alloc(20, 0x0b), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"],
  [
    Buffer.from("Jefe"),
    "what do ya want for nothing?",
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  ],
  [
    Buffer.from({ length: 25 }).map((_, i) => i + 1),
    "\xcd".repeat(50),
    "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
  ],
] as const)("the published code of example %#", ([key, message, code]) => {
  expect(hmac.code(hmac.key(key), Buffer.from(message, "latin1")).toString("hex")).toBe(code);
});

test("a code is Node's for every length of a message, also one that is longer than the room kept", () => {
  const random = new SeededRandom(SEED);
  const bytes = (length: number) => Uint8Array.from({ length }, () => random.below(256));
  for (const length of [0, 1, 55, 56, 63, 64, 65, 119, 120, 8_191, 8_192, 8_193, 65_535, 3]) {
    for (const keyLength of [0, 32, 64]) {
      const [key, message] = [bytes(keyLength), bytes(length)];
      const found = hmac.code(hmac.key(key), message);
      expect(found, `${keyLength}, ${length}, seed ${SEED}`).toEqual(
        createHmac("sha256", key).update(message).digest(),
      );
    }
  }
});
