import { ELEMENT_BYTES, formatHeader } from "./safetensors-format.ts";

/** A tensor to be written; its numbers are asked for when their turn comes, so that there is one copy of them at a time. */
export interface TensorSource {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: "F32" | "F64" | "F16" | "I8";
  /** As many as the shape has, and wide as the type says. */
  read(): Float32Array | Float64Array | Float16Array | Int8Array | Promise<Float32Array>;
}

/** How much is handed on at once, bytes. */
const PIECE_BYTES = 1 << 20;

/** Tensors in the order of a file: the widest first, so that each begins at a multiple of its elements' width, as readers that map it need. */
export function inFileOrder(sources: readonly TensorSource[]): TensorSource[] {
  return sources.toSorted((a, b) => ELEMENT_BYTES[b.type] - ELEMENT_BYTES[a.type] || (a.name < b.name ? -1 : 1));
}

/** The bytes of tensors, one behind the other. @returns pieces of at most 1 MiB */
export async function* tensorPieces(tensors: readonly TensorSource[]): AsyncGenerator<Uint8Array> {
  for (const tensor of tensors) {
    const values = await tensor.read();
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
  }
}

/**
 * A safetensors file, front to back: PyTorch, JAX, Candle and others read it.
 *
 * @param metadata  words to words
 * @returns pieces of at most 1 MiB
 */
export async function* safetensorsPieces(
  sources: readonly TensorSource[],
  metadata: ReadonlyMap<string, string>,
): AsyncGenerator<Uint8Array> {
  const tensors = inFileOrder(sources);
  yield formatHeader(tensors, metadata);
  yield* tensorPieces(tensors);
}
