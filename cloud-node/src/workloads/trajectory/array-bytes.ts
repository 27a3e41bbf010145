/**
 * The bytes of an array, in place. `copy` between two of them takes a third of the time of `set` where one is in shared
 * memory.
 */
export function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Float64Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
