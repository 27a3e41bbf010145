import { ORDER } from "./curve25519-constants";
import { copyRegister, PRODUCT, registerAt, setConstant, setSmall } from "./field25519";

/**
 * Numbers modulo L, the order of the base point, in registers of the field. A device reduces two of them for a signature, so
 * this is short and slow: bit by bit.
 */

/** Where L is, and a difference with it. */
const L = PRODUCT;
const DIFFERENCE = PRODUCT + 1;

/** r = the little-endian number of `bits` bits at `bytes`, modulo L. Range: r > PRODUCT + 1 */
export function reduceScalar(registers: usize, r: i32, bytes: usize, bits: u32): void {
  setConstant(registers, L, ORDER);
  setSmall(registers, r, 0);
  while (bits != 0) {
    bits--;
    takeBit(registers, r, bitAt(bytes, bits));
  }
}

/** A bit of a little-endian number. */
export function bitAt(bytes: usize, bit: u32): u32 {
  return (<u32>load<u8>(bytes + (bit >> 3)) >> (bit & 7)) & 1;
}

/** r = 2 r + bit modulo L. Range: r < L */
function takeBit(registers: usize, r: i32, bit: u32): void {
  let carry: i64 = 0;
  for (let i: usize = 0; i < 32; i += 4) {
    const at = registerAt(registers, r) + i;
    const digit = load<u32>(at);
    const doubled = (digit << 1) | bit;
    bit = digit >> 31;
    store<u32>(at, doubled);
    carry += <i64>doubled - <i64>load<u32>(registerAt(registers, L) + i);
    store<u32>(registerAt(registers, DIFFERENCE) + i, <u32>carry);
    carry >>= 32;
  }
  if (carry == 0) copyRegister(registers, r, DIFFERENCE);
}
