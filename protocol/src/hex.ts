import { FrameError } from "./errors.ts";
import type { Field } from "./field.ts";

/** Bytes as lower-case hexadecimal digits, two per byte. */
export function toHex(bytes: Uint8Array): string {
  let digits = "";
  for (const byte of bytes) {
    digits += byte.toString(16).padStart(2, "0");
  }
  return digits;
}

/**
 * Lower-case hexadecimal digits as bytes.
 *
 * @param into  the element the digits are for; its length is checked by the writer
 * @param offset  where the element would stand, for the error
 * @throws {FrameError} `out-of-range` when a character is not a lower-case digit or one is left over
 */
export function fromHex(digits: string, into: Field, offset: number): Uint8Array {
  if (digits.length % 2 !== 0 || !/^[0-9a-f]*$/.test(digits)) {
    throw new FrameError("out-of-range", { offset, field: into.name });
  }
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  }
  return bytes;
}
