import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import {
  buildCrypto,
  CRYPTO_PLANS,
  type CryptoFigures,
  type CryptoPlan,
  countCrypto,
  ED25519_STEPS,
  measureCrypto,
  type SignedMessage,
  signedMessage,
} from "../bench/firmware-crypto.ts";
import { requires } from "../os-package.ts";

type Budget = Pick<
  CryptoFigures,
  "flashBytes" | "allFlashBytes" | "ramBytes" | "instructionsMax" | "partInstructionsMax" | "cyclesMax"
>;

/**
 * What the cryptography of updates may take, 2 % or less above what was measured, the same on every machine.
 *
 *     core, gcc -Os (size) or -O2 (speed)   flash, with hashes, RAM, instructions of a verification and of its longest
 *                                           part, cycles of a verification
 */
const BUDGETS: readonly (readonly [CryptoPlan["core"], CryptoPlan["optimize"], Budget])[] = [
  ["Cortex-M4", "size", budget(4_280, 5_160, 1_010, 4_250_000, 457_000, 6_430_000)],
  ["Cortex-M4", "speed", budget(5_600, 6_700, 1_110, 3_890_000, 420_000, 6_050_000)],
];

function budget(
  flashBytes: number,
  allFlashBytes: number,
  ramBytes: number,
  instructionsMax: number,
  partInstructionsMax: number,
  cyclesMax: number,
): Budget {
  return { flashBytes, allFlashBytes, ramBytes, instructionsMax, partInstructionsMax, cyclesMax };
}

function planOf(core: string, optimize: string): CryptoPlan {
  const found = CRYPTO_PLANS.find((plan) => plan.core === core && plan.optimize === optimize);
  return found ?? expect.fail(`no plan of ${core}, ${optimize}`);
}

function withByteWrong(bytes: Uint8Array, place: number): Uint8Array {
  const wrong = Uint8Array.from(bytes);
  wrong[place] = (wrong[place] ?? 0) ^ 1;
  return wrong;
}

/** A right signature, and the same with signature, message or key wrong. */
function judged(): readonly (readonly [SignedMessage, boolean])[] {
  const signed = signedMessage(1);
  return [
    [signed, true],
    [{ ...signed, signature: withByteWrong(signed.signature, 5) }, false],
    [{ ...signed, message: withByteWrong(signed.message, 200) }, false],
    [{ ...signed, publicKey: signedMessage(2).publicKey }, false],
  ];
}

requires("gcc-arm-none-eabi", "qemu-system-arm")("update cryptography on a Cortex-M", () => {
  test.for(BUDGETS)(
    "%s, -O for %s: keeps to its budgets of flash, memory, instructions and cycles",
    { timeout: 120_000 },
    async ([core, optimize, limits]) => {
      const measured = await measureCrypto(planOf(core, optimize));
      const over = Object.entries(limits).filter(([name, limit]) => {
        const value = measured[name as keyof Budget];
        return !(value !== null && value > 0 && value <= (limit ?? 0));
      });
      expect(over, JSON.stringify(measured)).toEqual([]);
    },
  );

  test("a right signature is taken there, and a wrong one, another message or another key is refused", async () => {
    const firmware = await buildCrypto(planOf("Cortex-M4", "size"), false);
    for (const [signed, isRight] of judged()) {
      expect((await countCrypto(firmware, signed, ED25519_STEPS)).isTaken).toBe(isRight);
    }
  });

  test("an authentication code takes the same instructions wherever it is wrong", async () => {
    const firmware = await buildCrypto(planOf("Cortex-M4", "size"), true);
    const signed = signedMessage(1);
    const code = createHmac("sha256", signed.publicKey).update(signed.message).digest();
    const codes = [code, ...[0, 15, 31].map((place) => withByteWrong(code, place)), Buffer.alloc(32)];
    const counts = new Set<number>();
    for (const its of codes) {
      const signature = Buffer.concat([its, Buffer.alloc(32)]);
      const counted = await countCrypto(firmware, { ...signed, signature }, 0);
      expect(counted.isRight).toBe(its === code);
      counts.add(counted.code);
    }
    expect([...counts]).toHaveLength(1);
    expect([...counts][0]).toBeGreaterThan(1000);
  });
});

requires("gcc-riscv64-unknown-elf", "qemu-system-riscv32")("update cryptography on RV32", () => {
  test("a right signature is taken there, and a wrong one is refused", { timeout: 60_000 }, async () => {
    const firmware = await buildCrypto(planOf("RV32IMC", "speed"), false);
    for (const [signed, isRight] of judged().slice(0, 2)) {
      expect((await countCrypto(firmware, signed, ED25519_STEPS)).isTaken).toBe(isRight);
    }
  });
});
