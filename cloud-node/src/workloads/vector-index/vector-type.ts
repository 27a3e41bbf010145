import type { VectorType } from "./vector-source.ts";

/** Bytes of one number. */
export const TYPE_BYTES: Readonly<Record<VectorType, number>> = { f32: 4, f16: 2, u8: 1, i8: 1, i32: 4 };

/** Types by name, for whoever has to choose one. */
export const VECTOR_TYPES: readonly VectorType[] = ["f32", "f16", "u8", "i8", "i32"];

/** A type by its name, as a file's ending or an option has it. */
export function vectorType(name: string): VectorType | undefined {
  return VECTOR_TYPES.find((type) => type === name);
}

/**
 * Numbers as they lie in a little-endian file.
 *
 * @param byteOffset  a multiple of the type's bytes
 * @returns a view, nothing is copied
 */
export function numbersIn(type: VectorType, bytes: ArrayBuffer, byteOffset: number, count: number): ArrayLike<number> {
  switch (type) {
    case "f32":
      return new Float32Array(bytes, byteOffset, count);
    case "f16":
      return new Float16Array(bytes, byteOffset, count);
    case "u8":
      return new Uint8Array(bytes, byteOffset, count);
    case "i8":
      return new Int8Array(bytes, byteOffset, count);
    case "i32":
      return new Int32Array(bytes, byteOffset, count);
  }
}
