import { LEVELS } from "./activity";
import { makeBit } from "./adaptive-bit";
import { decodeBit, decodePlain, encodeBit, encodePlain } from "./bit-coder";
import { TRUSTS } from "./signs";

/**
 * What a coordinate that is sent is: its sign, by how it was foretold, and how far beyond 1 its code goes, in unary up to
 * UNARY_SIZES and from there by its length in bits and these.
 */
const UNARY_SIZES: i32 = 12;
const SIZE_CLASSES: i32 = 12;
const LENGTHS: i32 = 16;
const BELIEF: u32 = 6;
/** Without a forecast, signs are even. */
const SURE: u32 = 60;
const MODEL_BYTES: usize = 4;
const SIGN_MODELS: usize = memory.data(10 * 4, 16);
const SIZE_MODELS: usize = memory.data(12 * 12 * 4, 16);
const LENGTH_MODELS: usize = memory.data(16 * 4, 16);

/** Codes go up to here: what is beyond 16 bits is refused by the quantizer. */
let largest: i32 = 0;

/** Begin a message. @param limit  the largest size of a code, 1 … 32767 */
export function openValues(limit: i32): void {
  largest = limit;
  for (let trust = 0; trust < TRUSTS; trust++) {
    const right = trust == 0 ? 0.5 : 1 - 0.5 / (1 + 0.7 * <f64>trust);
    makeBit(signModel(trust), right, trust == 0 ? SURE : BELIEF);
  }
  for (let i = 0; i < SIZE_CLASSES * UNARY_SIZES; i++) makeBit(SIZE_MODELS + <usize>i * MODEL_BYTES, 0.3, 2);
  for (let i = 0; i < LENGTHS; i++) makeBit(LENGTH_MODELS + <usize>i * MODEL_BYTES, 0.5, 2);
}

function signModel(trust: i32): usize {
  return SIGN_MODELS + <usize>trust * MODEL_BYTES;
}

function sizeModel(level: i32, size: i32): usize {
  return SIZE_MODELS + <usize>(((level * SIZE_CLASSES) / LEVELS) * UNARY_SIZES + size - 1) * MODEL_BYTES;
}

/** @param isWrong  whether the sign is not the foretold one, 1 or 0 */
export function encodeValue(level: i32, trust: i32, isWrong: u32, size: i32): void {
  encodeBit(signModel(trust), isWrong ^ 1);
  if (largest == 1) return;
  const unary = min(largest - 1, UNARY_SIZES);
  for (let i = 1; i <= unary; i++) {
    const isMore = u32(size > i);
    encodeBit(sizeModel(level, i), isMore);
    if (!isMore) return;
  }
  if (largest - 1 > UNARY_SIZES) encodeLong(<u32>(size - UNARY_SIZES));
}

/** Range: 1 <= value < 2^15. */
function encodeLong(value: u32): void {
  const length = 31 - <i32>clz<u32>(value);
  for (let i = 0; i < length; i++) encodeBit(LENGTH_MODELS + <usize>i * MODEL_BYTES, 1);
  encodeBit(LENGTH_MODELS + <usize>length * MODEL_BYTES, 0);
  if (length > 0) encodePlain(value & ((1 << length) - 1), length);
}

/** Mirror of the sign in `encodeValue`. */
export function decodeIsWrong(trust: i32): u32 {
  return decodeBit(signModel(trust)) ^ 1;
}

/** Mirror of the size in `encodeValue`; beyond the largest where no encoder wrote it. */
export function decodeSize(level: i32): i32 {
  if (largest == 1) return 1;
  const unary = min(largest - 1, UNARY_SIZES);
  for (let i = 1; i <= unary; i++) if (!decodeBit(sizeModel(level, i))) return i;
  if (largest - 1 <= UNARY_SIZES) return largest;
  let length = 0;
  while (length < LENGTHS - 1 && decodeBit(LENGTH_MODELS + <usize>length * MODEL_BYTES)) length += 1;
  return UNARY_SIZES + <i32>((1 << length) | (length > 0 ? decodePlain(length) : 0));
}
