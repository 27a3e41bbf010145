import { curveConstant } from "./curve25519-constants";

/**
 * Arithmetic modulo p = 2^255 - 19 in registers: 32 bytes each, one behind the other from an address that all functions get
 * first, a little-endian number below 2^256 that may be any of those that are the same modulo p. Digits of 32 bits, because a
 * Cortex-M4 and an RV32 multiply two of them at once, and nothing has to be carried but once a row.
 *
 * Not in constant time: what is computed here is public.
 */

/** Bytes of a register. */
export const REGISTER_BYTES: i32 = 32;
/** Registers 0 and 1: a product before it is reduced. */
export const PRODUCT: i32 = 0;
/** What `power` answers. */
export const POWER: i32 = 2;
const POWER_BEFORE: i32 = 3;
/** First register that is the caller's. */
export const FIELD_REGISTERS: i32 = 4;

const DIGIT_BYTES: usize = 4;
const DIGITS_BYTES: usize = 32;
/** Of the exponents of `power`. */
const ONES: u32 = 250;
/** 2^256 = 38 modulo p. */
const WRAP: i64 = 38;

/** Address of a register. */
export function registerAt(registers: usize, r: i32): usize {
  return registers + <usize>(r * REGISTER_BYTES);
}

/** r = a */
export function copyRegister(registers: usize, r: i32, a: i32): void {
  for (let i: usize = 0; i < DIGITS_BYTES; i += DIGIT_BYTES) {
    store<u32>(registerAt(registers, r) + i, load<u32>(registerAt(registers, a) + i));
  }
}

/** r = value. Range: value < 2^32 */
export function setSmall(registers: usize, r: i32, value: u32): void {
  for (let i: usize = 0; i < DIGITS_BYTES; i += DIGIT_BYTES) {
    store<u32>(registerAt(registers, r) + i, value);
    value = 0;
  }
}

/** r = a constant of the curve. */
export function setConstant(registers: usize, r: i32, constant: i32): void {
  for (let i = 0; i < 4; i++) {
    store<u64>(registerAt(registers, r) + <usize>(i << 3), curveConstant(constant + i));
  }
}

/** r = a + b */
export function add(registers: usize, r: i32, a: i32, b: i32): void {
  combine(registerAt(registers, r), registerAt(registers, a), registerAt(registers, b), 1);
}

/** r = a - b */
export function subtract(registers: usize, r: i32, a: i32, b: i32): void {
  combine(registerAt(registers, r), registerAt(registers, a), registerAt(registers, b), -1);
}

/** r = a b */
export function multiply(registers: usize, r: i32, a: i32, b: i32): void {
  const product = registerAt(registers, PRODUCT);
  setSmall(registers, PRODUCT, 0);
  for (let i: usize = 0; i < DIGITS_BYTES; i += DIGIT_BYTES) {
    const digit = <u64>load<u32>(registerAt(registers, a) + i);
    const row = product + i;
    let carry: u64 = 0;
    for (let j: usize = 0; j < DIGITS_BYTES; j += DIGIT_BYTES) {
      // (2^32 - 1)^2 + 2 (2^32 - 1) = 2^64 - 1
      carry += digit * <u64>load<u32>(registerAt(registers, b) + j) + <u64>load<u32>(row + j);
      store<u32>(row + j, <u32>carry);
      carry >>= 32;
    }
    store<u32>(row + DIGITS_BYTES, <u32>carry);
  }
  combine(registerAt(registers, r), product, product + DIGITS_BYTES, WRAP);
}

/** r = a + factor b. Range: -1 <= factor <= 38 */
function combine(r: usize, a: usize, b: usize, factor: i64): void {
  let carry: i64 = 0;
  for (let i: usize = 0; i < DIGITS_BYTES; i += DIGIT_BYTES) {
    carry += <i64>load<u32>(a + i) + factor * <i64>load<u32>(b + i);
    store<u32>(r + i, <u32>carry);
    carry >>= 32;
  }
  ripple(r, carry * WRAP);
}

/** r += carry, a few bits; what leaves at the top comes in at the bottom, 38-fold. */
function ripple(r: usize, carry: i64): void {
  for (let i: usize = 0; carry != 0; ) {
    carry += <i64>load<u32>(r + i);
    store<u32>(r + i, <u32>carry);
    carry >>= 32;
    i += DIGIT_BYTES;
    if (i == DIGITS_BYTES) {
      i = 0;
      carry *= WRAP;
    }
  }
}

/** Take r to its smallest value, 0..p - 1. */
export function freeze(registers: usize, r: i32): void {
  const at = registerAt(registers, r);
  ripple(at, takeTop(at)); // 0 .. 2^255 + 18
  ripple(at, 19);
  ripple(at, takeTop(at) - 19); // 2^255 was reached: less p, which is what is left; not reached: as it was
}

/** Bit 255, taken away: 19 where it was set, which is worth the same. */
function takeTop(at: usize): i64 {
  const top = load<u32>(at, 28);
  store<u32>(at, top & 0x7fffffff, 28);
  return <i64>(top >> 31) * 19;
}

/** Whether r = 0 modulo p; r is frozen. */
export function isZero(registers: usize, r: i32): bool {
  freeze(registers, r);
  let bits: u32 = 0;
  for (let i: usize = 0; i < DIGITS_BYTES; i += DIGIT_BYTES) bits |= load<u32>(registerAt(registers, r) + i);
  return bits == 0;
}

/** For `power`: the exponent p - 2 ends in 01011, which gives the inverse. */
export const INVERSE: u32 = 0b1_11010;
/** For `power`: the exponent (p - 5) / 8 ends in 01, of which roots are made. */
export const ROOT: u32 = 0b1_10;

/**
 * POWER = a to the power whose binary digits are 250 ones, and then those of `tail`: the lowest first, a one behind the last.
 * Range: a > POWER_BEFORE
 *
 * n squares and a product lead from a^(2^n - 1) to a^(2^2n - 1), one of each to a^(2^(n + 1) - 1).
 */
export function power(registers: usize, a: i32, tail: u32): void {
  copyRegister(registers, POWER, a);
  for (let place: u32 = 7; place != 0; ) {
    copyRegister(registers, POWER_BEFORE, POWER);
    for (let n = ONES >> place; n != 0; n--) multiply(registers, POWER, POWER, POWER);
    multiply(registers, POWER, POWER, POWER_BEFORE);
    place--;
    if (((ONES >> place) & 1) != 0) squareAndTake(registers, a, 1);
  }
  for (; tail != 1; tail >>= 1) squareAndTake(registers, a, tail & 1);
}

/** POWER = POWER^2, and that times a where `isTaken`. */
function squareAndTake(registers: usize, a: i32, isTaken: u32): void {
  multiply(registers, POWER, POWER, POWER);
  if (isTaken != 0) multiply(registers, POWER, POWER, a);
}
