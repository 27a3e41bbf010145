import { expect, test } from "vitest";
import { CryptoCore, nodeVerifies, signerOf } from "./crypto-core.suite.ts";
import {
  addPoints,
  BASE,
  bytesNumber,
  challenge,
  L,
  multiplyPoint,
  NEUTRAL,
  numberBytes,
  P,
  type Point,
  pointBytes,
  pointWithY,
  signatureBytes,
  signWithTorsion,
  TORSION,
} from "./ed25519-oracle.suite.ts";

/**
 * Signatures that no honest signer makes. Node decides like us on each: like us it refuses keys and R of small order, which
 * the OpenSSL below it takes. Stricter than Node we are only where nobody can tell: a y from p on is refused of every point,
 * and not only of those of which somebody can make a signature.
 *
 * @see nodejs/node, pull request 64026, "crypto: reject small-order EdDSA points during verify"
 */

const core = new CryptoCore();
const MESSAGE = Buffer.from("lockstep update 1");
const SECRET = 0x0fedcba987654321n;
const PARITY = 2n ** 255n;

interface Signed {
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

function decisions(publicKey: Uint8Array, { message, signature }: Signed): { ours: boolean; node: boolean } {
  return {
    ours: core.verifyEd25519(publicKey, message, signature),
    node: nodeVerifies(publicKey, message, signature),
  };
}

const BOTH_TAKE = { ours: true, node: true };
const BOTH_REFUSE = { ours: false, node: false };

/** A signature under the neutral point, however that is written: [S]B = R, whatever was signed. */
function forgery(): Signed {
  return { message: MESSAGE, signature: signatureBytes(pointBytes(multiplyPoint(5n, BASE)), 5n) };
}

test("the oracle signs as Node does: what it makes for a plain key is taken by both", () => {
  const key = pointBytes(multiplyPoint(SECRET, BASE));
  expect(decisions(key, signWithTorsion(SECRET, NEUTRAL, key))).toEqual(BOTH_TAKE);
});

test("S with L added, once or as often as there is room, is refused", () => {
  const signer = signerOf(numberBytes(7n));
  const signature = signer.sign(MESSAGE);
  const s = bytesNumber(signature.subarray(32));
  expect(decisions(signer.publicKey, { message: MESSAGE, signature })).toEqual(BOTH_TAKE);
  for (let times = 1n; s + times * L < 2n ** 256n; times++) {
    const other = signatureBytes(signature.subarray(0, 32), s + times * L);
    expect(decisions(signer.publicKey, { message: MESSAGE, signature: other }), `${times} L`).toEqual(BOTH_REFUSE);
  }
});

test("S from L on is refused before anything is computed with it, and S below L is not", () => {
  const key = pointBytes(multiplyPoint(SECRET, BASE));
  const refusedAt = (s: bigint) =>
    core.stepEd25519(key, MESSAGE, signatureBytes(pointBytes(multiplyPoint(s % L, BASE)), s));
  for (const s of [L, L + 1n, 2n * L, 2n ** 253n, 2n ** 255n, 2n ** 256n - 1n]) expect(refusedAt(s)).toBe("begin");
  for (const s of [0n, 1n, 2n ** 252n, L - 1n]) expect(refusedAt(s)).toBe("end");
});

test("every bit of R counts by itself, and not only because it is hashed", () => {
  const key = pointBytes(multiplyPoint(SECRET, BASE));
  const nonce = 99n;
  const r = pointBytes(multiplyPoint(nonce, BASE));
  const signedWith = (its: Uint8Array): Signed => ({
    message: MESSAGE,
    signature: signatureBytes(its, (nonce + challenge(its, key, MESSAGE) * SECRET) % L),
  });
  expect(decisions(key, signedWith(r))).toEqual(BOTH_TAKE);
  for (let bit = 0n; bit < 256n; bit++) {
    const other = numberBytes(bytesNumber(r) ^ (1n << bit));
    expect(decisions(key, signedWith(other)), `bit ${bit}`).toEqual(BOTH_REFUSE);
  }
});

test("there are as many steps as L has bits", () => {
  expect(core.constant("ED25519_STEPS")).toBe(L.toString(2).length);
});

test("a key of small order is refused in each of its eight forms, though the equation holds", () => {
  expect(TORSION).toHaveLength(8);
  for (const [n, torsion] of TORSION.entries()) {
    const key = pointBytes(torsion);
    const signed = signWithTorsion(0n, torsion, key);
    expect(decisions(key, signed), `${n} T`).toEqual(BOTH_REFUSE);
    expect(core.stepEd25519(key, signed.message, signed.signature)).toBe("begin");
  }
});

test("a key whose y is not below p is refused, though the equation holds", () => {
  // y = 0 of order 4, and y = 1, the neutral point, are the only ones of which a signature can be made.
  for (const parity of [0n, PARITY]) {
    const key = numberBytes((P + 1n) | parity);
    expect(decisions(key, forgery()), `p + 1, parity ${parity >> 255n}`).toEqual(BOTH_REFUSE);
  }
  for (const torsion of TORSION.filter(({ y }) => y === 0n)) {
    const key = numberBytes(P | ((torsion.x & 1n) << 255n));
    expect(decisions(key, signWithTorsion(0n, torsion, key))).toEqual(BOTH_REFUSE);
  }
});

test("of all y from p on none is read, and the same point with its y below p is", () => {
  const signature = signerOf(numberBytes(7n)).sign(MESSAGE);
  let points = 0;
  for (let y = 0n; y < 19n; y++) {
    const isLarge = pointWithY(y) !== undefined && y > 1n;
    for (const parity of [0n, PARITY]) {
      expect(core.stepEd25519(numberBytes((y + P) | parity), MESSAGE, signature), `p + ${y}`).toBe("begin");
      const canonical = core.stepEd25519(numberBytes(y | parity), MESSAGE, signature);
      expect(canonical, `${y}`).toBe(isLarge ? "end" : "begin");
    }
    points += isLarge ? 1 : 0;
  }
  expect(points).toBeGreaterThan(3);
});

test("a key that says that x = 0 is odd is refused, though the equation holds", () => {
  expect(decisions(numberBytes(1n | PARITY), forgery())).toEqual(BOTH_REFUSE);
  const minusOne = TORSION.find(({ y }) => y === P - 1n) ?? NEUTRAL;
  const key = numberBytes((P - 1n) | PARITY);
  expect(decisions(key, signWithTorsion(0n, minusOne, key))).toEqual(BOTH_REFUSE);
});

test("a key that is on no curve is refused before anything is computed with it", () => {
  const { message, signature } = forgery();
  let tried = 0;
  for (let y = 2n; tried < 40; y++) {
    if (pointWithY(y) !== undefined) continue;
    tried++;
    for (const parity of [0n, PARITY]) {
      const key = numberBytes(y | parity);
      expect(core.stepEd25519(key, message, signature), `y = ${y}`).toBe("begin");
      expect(nodeVerifies(key, message, signature)).toBe(false);
    }
  }
});

test("a key of mixed order is taken exactly where Node takes it: the cofactor is not multiplied in, and h is reduced", () => {
  for (const torsion of TORSION) {
    const key = pointBytes(addPoints(multiplyPoint(SECRET, BASE), torsion));
    const signed = signWithTorsion(SECRET, torsion, key);
    expect(decisions(key, signed)).toEqual(BOTH_TAKE);
    // The same with R moved by a point of small order holds with the cofactor only.
    for (const moved of TORSION.slice(1)) {
      const r = pointBytes(addPoints(multiplyPoint(99n, BASE), moved));
      const s = (99n + challenge(r, key, MESSAGE) * SECRET) % L;
      const h = challenge(r, key, MESSAGE);
      const isExact = isSame(addPoints(moved, multiplyPoint(h, torsion)), NEUTRAL);
      const expected = isExact ? BOTH_TAKE : BOTH_REFUSE;
      expect(decisions(key, { message: MESSAGE, signature: signatureBytes(r, s) })).toEqual(expected);
    }
  }
});

function isSame(p: Point, q: Point): boolean {
  return p.x === q.x && p.y === q.y;
}

test("R of small order is refused in every way to write it, though the equation holds", () => {
  // The neutral point: S = h a.
  const key = pointBytes(multiplyPoint(SECRET, BASE));
  for (const r of [1n, 1n | PARITY, P + 1n, (P + 1n) | PARITY].map(numberBytes)) {
    const s = (challenge(r, key, MESSAGE) * SECRET) % L;
    expect(decisions(key, { message: MESSAGE, signature: signatureBytes(r, s) })).toEqual(BOTH_REFUSE);
  }
  // Every other, under a key with the same in it.
  for (const torsion of TORSION) {
    const mixed = pointBytes(addPoints(multiplyPoint(SECRET, BASE), torsion));
    const r = pointBytes(torsion);
    const holds = (h: bigint) => isSame(addPoints(torsion, multiplyPoint(h, torsion)), NEUTRAL);
    const message = Array.from({ length: 256 }, (_, n) => Uint8Array.of(n)).find((it) =>
      holds(challenge(r, mixed, it)),
    );
    if (message === undefined) expect.fail("no message for which the equation holds");
    const signature = signatureBytes(r, (challenge(r, mixed, message) * SECRET) % L);
    expect(decisions(mixed, { message, signature })).toEqual(BOTH_REFUSE);
  }
});
