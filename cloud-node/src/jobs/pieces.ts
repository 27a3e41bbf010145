/**
 * The same bytes in pieces of one size; only the last may be shorter, and there is none without bytes.
 *
 * @param bytes  of a piece, 1 …
 */
export async function* pieces(chunks: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let piece = Buffer.allocUnsafeSlow(bytes);
  let filled = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + bytes - filled);
      piece.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < bytes) continue;
      yield piece;
      piece = Buffer.allocUnsafeSlow(bytes);
      filled = 0;
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
}
