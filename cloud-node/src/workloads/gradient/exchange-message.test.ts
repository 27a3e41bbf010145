import { describe, expect, test } from "vitest";
import { seededRandom } from "../../jobs/seeded-random.ts";
import { decodeDown, decodeUp, encodeContribution, encodeGo, encodeReady, encodeRound } from "./exchange-message.ts";
import { GradientError } from "./gradient-error.ts";

const SEED = Number(process.env.SEED ?? 20_261_122);
const bytes = (...values: number[]) => Uint8Array.from(values);
const CONTRIBUTIONS = [
  { rank: 0, loss: 1.5, bytes: bytes(1, 2, 3) },
  { rank: 2, loss: 2.5, bytes: bytes() },
  { rank: 5, loss: -0.25, bytes: bytes(4, 5) },
];
const STATE = [
  { name: "value", bytes: bytes(1, 2, 3, 4) },
  { name: "empty", bytes: bytes() },
  { name: "exchange.ü", bytes: bytes(9) },
];
const MESSAGES = [
  encodeReady(7),
  encodeContribution(70_000, { loss: 0.5, bytes: bytes(8, 9) }),
  encodeGo(3, STATE),
  encodeGo(3, undefined),
  encodeRound(9, CONTRIBUTIONS, 2),
];

test("what is said to place 0 comes out as it went in", () => {
  expect(decodeUp(encodeReady(7))).toEqual({ kind: "ready", step: 7 });
  const contribution = { loss: 0.5, bytes: bytes(8, 9) };
  expect(decodeUp(encodeContribution(70_000, contribution))).toEqual({
    kind: "contribution",
    step: 70_000,
    ...contribution,
  });
});

test("what place 0 says comes out as it went in, but for the receiver's own contribution, which it has", () => {
  expect(decodeDown(encodeGo(3, STATE))).toEqual({ kind: "go", step: 3, state: STATE });
  expect(decodeDown(encodeGo(4, undefined))).toEqual({ kind: "go", step: 4, state: undefined });
  const own = CONTRIBUTIONS.map((one) => (one.rank === 5 ? { ...one, bytes: undefined } : one));
  expect(decodeDown(encodeRound(9, CONTRIBUTIONS, 5))).toEqual({ kind: "round", step: 9, contributions: own });
  expect(decodeDown(encodeRound(9, CONTRIBUTIONS, 1))).toMatchObject({ contributions: CONTRIBUTIONS });
});

test("a round for somebody whose contribution is in it does not carry that", () => {
  const withOwn = encodeRound(1, CONTRIBUTIONS, 1);
  expect(encodeRound(1, CONTRIBUTIONS, 0)).toHaveLength(withOwn.length - 3);
});

/** Both ways of reading, each of which may only give a message or a typed error. */
function readings(message: Uint8Array): unknown[] {
  return [decodeUp, decodeDown].map((decode) => {
    try {
      return decode(message);
    } catch (error) {
      return error;
    }
  });
}

describe("what is no message", () => {
  test("is refused where it is cut off, anywhere", () => {
    for (const message of MESSAGES) {
      for (let length = 0; length < message.length; length++) {
        for (const reading of readings(message.subarray(0, length))) {
          // A contribution's bytes have no end of their own: their coder knows it.
          const isContribution = message[0] === 2 && length >= 9 && !(reading instanceof Error);
          if (!isContribution) expect(reading).toBeInstanceOf(GradientError);
        }
      }
    }
  });

  test("is refused where something follows it", () => {
    for (const message of MESSAGES.filter(([kind]) => kind !== 2)) {
      for (const reading of readings(Buffer.concat([message, bytes(0)]))) expect(reading).toBeInstanceOf(GradientError);
    }
  });

  test.each([
    ["ranks that do not rise", encodeRound(1, [...CONTRIBUTIONS].reverse(), 1)],
    ["a rank twice", encodeRound(1, CONTRIBUTIONS.slice(0, 1).concat(CONTRIBUTIONS.slice(0, 1)), 1)],
    ["a head that is no JSON", Buffer.concat([bytes(3, 0, 0, 0, 0, 2, 0, 0, 0), Buffer.from("{]")])],
    ["a head of something else", Buffer.concat([bytes(3, 0, 0, 0, 0, 2, 0, 0, 0), Buffer.from("{}")])],
    ["a head longer than any", bytes(3, 0, 0, 0, 0, 255, 255, 255, 255)],
    ["an unknown kind", bytes(77, 0, 0, 0, 0, 0, 0, 0, 0)],
  ])("is refused with %s", (_, message) => {
    expect(() => decodeDown(message)).toThrow(GradientError);
  });

  test("is refused or read where bytes of it are changed: nothing else happens", () => {
    const random = seededRandom(`gradient exchange ${SEED}`);
    let refused = 0;
    for (let i = 0; i < 3_000; i++) {
      const message = Uint8Array.from(MESSAGES[i % MESSAGES.length] ?? []);
      for (let changes = 0; changes < 1 + (i % 3); changes++) message[random() % message.length] = random() & 0xff;
      for (const reading of readings(message)) {
        if (!(reading instanceof Error)) continue;
        expect(reading, `SEED=${SEED}, message ${i}`).toBeInstanceOf(GradientError);
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(3_000);
  });
});
