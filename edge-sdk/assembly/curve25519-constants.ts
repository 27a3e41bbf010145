/**
 * The constants of Curve25519's Edwards form, 256 bits each, as four words of 64, the least significant first. A function
 * for the reason that sha2-constants.ts gives.
 *
 * @see RFC 8032, 5.1
 */

/** 2 d, of the curve -x^2 + y^2 = 1 + d x^2 y^2. */
export const TWICE_D: i32 = 0;
/** A root of -1. */
export const ROOT_OF_MINUS_ONE: i32 = 4;
/** The base point's x, the even one. */
export const BASE_X: i32 = 8;
/** The base point's y, 4/5. */
export const BASE_Y: i32 = 12;
/** The order L of the base point, 2^252 + 27742317777372353535851937790883648493. */
export const ORDER: i32 = 16;

/** Word `i` of a constant. Range: a constant's place + 0..3 */
export function curveConstant(i: i32): u64 {
  switch (i) {
    case 0:
      return 0xebd69b9426b2f159;
    case 1:
      return 0x00e0149a8283b156;
    case 2:
      return 0x198e80f2eef3d130;
    case 3:
      return 0x2406d9dc56dffce7;
    case 4:
      return 0xc4ee1b274a0ea0b0;
    case 5:
      return 0x2f431806ad2fe478;
    case 6:
      return 0x2b4d00993dfbd7a7;
    case 7:
      return 0x2b8324804fc1df0b;
    case 8:
      return 0xc9562d608f25d51a;
    case 9:
      return 0x692cc7609525a7b2;
    case 10:
      return 0xc0a4e231fdd6dc5c;
    case 11:
      return 0x216936d3cd6e53fe;
    case 12:
      return 0x6666666666666658;
    case 13:
      return 0x6666666666666666;
    case 14:
      return 0x6666666666666666;
    case 15:
      return 0x6666666666666666;
    case 16:
      return 0x5812631a5cf5d3ed;
    case 17:
      return 0x14def9dea2f79cd6;
    case 18:
      return 0x0000000000000000;
    case 19:
      return 0x1000000000000000;
    default:
      return 0;
  }
}
