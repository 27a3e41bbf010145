import { createHash } from "node:crypto";

/**
 * The curve of Ed25519 in BigInt, straight from its definition, to make signatures that no honest signer makes: under keys
 * of small or mixed order, and with other ways to write a point.
 *
 * @see RFC 8032, 5.1
 */

/** The field's prime. */
export const P = 2n ** 255n - 19n;
/** The base point's order. */
export const L = 2n ** 252n + 27742317777372353535851937790883648493n;

/** x and y, 0..P-1. */
export interface Point {
  readonly x: bigint;
  readonly y: bigint;
}

/** The neutral point. */
export const NEUTRAL: Point = { x: 0n, y: 1n };

const modulo = (a: bigint, m = P) => ((a % m) + m) % m;
const D = modulo(-121665n * inverse(121666n));

/** By Euclid's algorithm. */
function inverse(value: bigint): bigint {
  let [a, b, u, v] = [modulo(value), P, 1n, 0n];
  while (a > 1n) {
    const q = b / a;
    [a, b, u, v] = [b - q * a, a, v - q * u, u];
  }
  return modulo(u);
}

function toPower(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = modulo(base);
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = modulo(result * square);
    square = modulo(square * square);
  }
  return result;
}

/** p + q. */
export function addPoints(p: Point, q: Point): Point {
  const product = modulo(D * modulo(p.x * q.x) * modulo(p.y * q.y));
  return {
    x: modulo((p.x * q.y + p.y * q.x) * inverse(1n + product)),
    y: modulo((p.y * q.y + p.x * q.x) * inverse(1n - product)),
  };
}

/** n p, n >= 0. */
export function multiplyPoint(n: bigint, p: Point): Point {
  let result = NEUTRAL;
  let doubled = p;
  for (let left = n; left > 0n; left >>= 1n) {
    if (left & 1n) result = addPoints(result, doubled);
    doubled = addPoints(doubled, doubled);
  }
  return result;
}

/** The point with this y and an even x, if there is one. */
export function pointWithY(y: bigint): Point | undefined {
  const square = modulo((y * y - 1n) * inverse(D * y * y + 1n));
  const root = toPower(square, (P + 3n) / 8n);
  const x = modulo(root * root) === square ? root : modulo(root * toPower(2n, (P - 1n) / 4n));
  if (modulo(x * x) !== square) return undefined;
  return { x: x & 1n ? P - x : x, y };
}

/** The base point. */
export const BASE: Point = pointWithY(modulo(4n * inverse(5n))) ?? NEUTRAL;

/** The eight points whose order divides 8. */
export const TORSION: readonly Point[] = torsion();

function torsion(): Point[] {
  for (let y = 2n; ; y++) {
    const point = pointWithY(y);
    const candidate = point === undefined ? NEUTRAL : multiplyPoint(L, point);
    const multiples = Array.from({ length: 8 }, (_, n) => multiplyPoint(BigInt(n), candidate));
    if (new Set(multiples.map(({ x, y: its }) => `${x} ${its}`)).size === 8) return multiples;
  }
}

/** 32 bytes of a number below 2^256. */
export function numberBytes(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
}

/** The number of little-endian bytes. */
export function bytesNumber(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/** A point as it has to be written. */
export function pointBytes({ x, y }: Point): Uint8Array {
  return numberBytes(y | ((x & 1n) << 255n));
}

/** SHA-512 of R, A and message, modulo L. */
export function challenge(r: Uint8Array, a: Uint8Array, message: Uint8Array): bigint {
  return modulo(bytesNumber(createHash("sha512").update(r).update(a).update(message).digest()), L);
}

/** R and S. */
export function signatureBytes(r: Uint8Array, s: bigint): Uint8Array {
  return Uint8Array.from([...r, ...numberBytes(s)]);
}

/**
 * A signature under the key a B + T, with T of small order: the R that makes [S]B = R + [h]A hold without the cofactor.
 * Messages are tried until there is one.
 *
 * @param torsion  T
 * @param publicKey  how a B + T is written
 * @param writeR  how R is written
 */
export function signWithTorsion(
  secret: bigint,
  torsion: Point,
  publicKey: Uint8Array,
  writeR: (point: Point) => Uint8Array = pointBytes,
): { readonly message: Uint8Array; readonly signature: Uint8Array } {
  const nonce = 0x1234567890abcdefn;
  for (let attempt = 0; ; attempt++) {
    const message = Uint8Array.of(attempt & 255, attempt >> 8);
    const multiple = BigInt(attempt % 8);
    // R = nonce B - multiple T holds if h and multiple are the same modulo 8.
    const r = writeR(addPoints(multiplyPoint(nonce, BASE), multiplyPoint(8n - multiple, torsion)));
    const h = challenge(r, publicKey, message);
    if (h % 8n === multiple) return { message, signature: signatureBytes(r, modulo(nonce + h * secret, L)) };
  }
}
