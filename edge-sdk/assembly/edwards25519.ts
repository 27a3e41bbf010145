import { BASE_X, BASE_Y, ROOT_OF_MINUS_ONE, TWICE_D } from "./curve25519-constants";
import { equalBytes } from "./equal-bytes";
import {
  add,
  copyRegister,
  FIELD_REGISTERS,
  freeze,
  INVERSE,
  isZero,
  multiply,
  POWER,
  power,
  ROOT,
  registerAt,
  setConstant,
  setSmall,
  subtract,
} from "./field25519";

/**
 * Points of the curve -x^2 + y^2 = 1 + d x^2 y^2 modulo p. One is worked on, in extended coordinates x = X/Z, y = Y/Z,
 * T = X Y / Z, with T left as two factors E and H, because only an addition needs it. Others are kept as what an addition
 * takes of them: Y - X, Y + X, 2 Z and 2 d T, in four registers.
 *
 * @see H. Hisil, K. K.-H. Wong, G. Carter, E. Dawson, Twisted Edwards Curves Revisited, 2008, 3.1 and 3.3: complete formulas,
 *      for any two points
 */

/** Registers of the point. */
const X = FIELD_REGISTERS;
const Y = FIELD_REGISTERS + 1;
const Z = FIELD_REGISTERS + 2;
const E = FIELD_REGISTERS + 3;
const F = FIELD_REGISTERS + 4;
const G = FIELD_REGISTERS + 5;
const H = FIELD_REGISTERS + 6;
/** First register that is the caller's. */
export const POINT_REGISTERS: i32 = FIELD_REGISTERS + 7;
/** Registers of a point that is kept. */
export const KEPT_REGISTERS: i32 = 4;
/** Where twice the curve's d is while a point is read or kept. */
const D = POWER;

/** The point becomes the neutral one, (0, 1). */
export function setNeutral(registers: usize): void {
  setSmall(registers, X, 0);
  setSmall(registers, Y, 1);
  setAffine(registers);
}

/** The point becomes the base point. */
export function setBase(registers: usize): void {
  setConstant(registers, X, BASE_X);
  setConstant(registers, Y, BASE_Y);
  setAffine(registers);
}

/** Z and T of a point that is given by x and y. */
function setAffine(registers: usize): void {
  setSmall(registers, Z, 1);
  copyRegister(registers, E, X);
  copyRegister(registers, H, Y);
}

/** Keep the point in four registers from `kept` on. */
export function keepPoint(registers: usize, kept: i32): void {
  setConstant(registers, D, TWICE_D);
  subtract(registers, kept, Y, X);
  add(registers, kept + 1, Y, X);
  add(registers, kept + 2, Z, Z);
  multiply(registers, kept + 3, E, H);
  multiply(registers, kept + 3, kept + 3, D);
}

/** Add a point that was kept. */
export function addPoint(registers: usize, kept: i32): void {
  multiply(registers, E, E, H);
  multiply(registers, E, E, kept + 3);
  multiply(registers, Z, Z, kept + 2);
  subtract(registers, F, Z, E);
  add(registers, G, Z, E);
  subtract(registers, Z, Y, X);
  multiply(registers, Z, Z, kept);
  add(registers, Y, Y, X);
  multiply(registers, Y, Y, kept + 1);
  subtract(registers, E, Y, Z);
  add(registers, H, Y, Z);
  multiplyOut(registers);
}

/** Add the point to itself. E, F, G and H all have the other sign than in the paper, so that products of two are the same. */
export function doublePoint(registers: usize): void {
  add(registers, E, X, Y);
  multiply(registers, E, E, E);
  multiply(registers, X, X, X);
  multiply(registers, Y, Y, Y);
  multiply(registers, Z, Z, Z);
  add(registers, Z, Z, Z);
  add(registers, H, X, Y);
  subtract(registers, E, H, E);
  subtract(registers, G, X, Y);
  add(registers, F, Z, G);
  multiplyOut(registers);
}

function multiplyOut(registers: usize): void {
  multiply(registers, X, E, F);
  multiply(registers, Y, G, H);
  multiply(registers, Z, F, G);
}

/** Whether the point's order divides 2: the neutral point and (0, -1) are the only ones with x = 0. */
export function hasZeroX(registers: usize): bool {
  return isZero(registers, X);
}

/**
 * The point becomes the negative of the one that 32 bytes say: y, and the parity of x as the highest bit. Refused is a y that
 * is not below p, and one of no point. Where x = 0, which has but one parity, the bit is not looked at.
 *
 * @see RFC 8032, 5.1.3: a root of u/v is u v^3 (u v^7)^((p - 5) / 8), or that times a root of -1
 */
export function readNegative(registers: usize, bytes: usize): bool {
  const y = registerAt(registers, Y);
  for (let i: usize = 0; i < 32; i++) store<u8>(y + i, load<u8>(bytes + i));
  const parity = <u32>load<u8>(bytes, 31) >> 7;
  store<u8>(y, load<u8>(y, 31) & 0x7f, 31);
  copyRegister(registers, F, Y);
  freeze(registers, F);
  if (!equalBytes(y, registerAt(registers, F), 32)) return false;

  setConstant(registers, D, TWICE_D);
  setSmall(registers, Z, 1);
  multiply(registers, F, Y, Y);
  multiply(registers, G, F, D);
  add(registers, G, G, Z);
  add(registers, G, G, Z); // 2 v = 2 d y^2 + 2
  subtract(registers, F, F, Z);
  add(registers, F, F, F); // 2 u = 2 (y^2 - 1)
  multiply(registers, H, G, G);
  multiply(registers, H, H, G);
  multiply(registers, E, H, H);
  multiply(registers, E, E, G);
  multiply(registers, E, E, F);
  power(registers, E, ROOT);
  multiply(registers, X, POWER, H);
  multiply(registers, X, X, F);

  multiply(registers, E, X, X);
  multiply(registers, E, E, G);
  add(registers, H, E, F);
  subtract(registers, E, E, F);
  if (!isZero(registers, E)) {
    if (!isZero(registers, H)) return false;
    setConstant(registers, H, ROOT_OF_MINUS_ONE);
    multiply(registers, X, X, H);
  }
  freeze(registers, X);
  if ((load<u32>(registerAt(registers, X)) & 1) == parity) {
    setSmall(registers, H, 0);
    subtract(registers, X, H, X);
  }
  setAffine(registers);
  return true;
}

/** Whether 32 bytes say the point, as they have to. The point is spoilt. @see RFC 8032, 5.1.2 */
export function isPoint(registers: usize, bytes: usize): bool {
  power(registers, Z, INVERSE);
  multiply(registers, X, X, POWER);
  multiply(registers, Y, Y, POWER);
  freeze(registers, X);
  freeze(registers, Y);
  const y = registerAt(registers, Y);
  store<u8>(y, load<u8>(y, 31) | (load<u8>(registerAt(registers, X)) << 7), 31);
  return equalBytes(y, bytes, 32);
}
